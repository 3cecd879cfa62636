//! One request and its response on a connection.

use std::io;

use bytes::Bytes;
use tokio::io::Interest;

use super::record::{Decoder, ResponsePart};
use super::{Lease, Sender, StderrLog};
use crate::call_error::CallError;

/// The protocol status of a request that the server has handled.
const COMPLETE: u8 = 0;
/// The protocol status of a request that the server does not handle because it has too many.
const OVERLOADED: u8 = 2;

/// A request that is being sent while its response is received. If the exchange is dropped before its end, or anything
/// about it is unexpected, its connection is closed, so that no other call gets parts of its response.
pub struct Exchange {
    lease: Lease,
    sender: Sender,
    decoder: Decoder,
    stderr: StderrLog,
    has_received: bool,
    has_ended: bool,
}

impl Exchange {
    /// Begins an exchange. Nothing is sent before [`Exchange::next`] is called.
    pub fn new(lease: Lease, mut sender: Sender, stderr: StderrLog) -> Self {
        let id = lease.request_id();
        sender.set_request_id(id);
        Self { lease, sender, decoder: Decoder::new(id), stderr, has_received: false, has_ended: false }
    }

    /// Returns the next bytes of the response, or `None` at its end. The request is sent at the same time: a server may
    /// respond before it has read the whole request.
    /// Fails if the connection fails, or the server sends something else than a response.
    pub async fn next(&mut self) -> Result<Option<Bytes>, CallError> {
        while !self.has_ended {
            let connection = self.lease.connection().await?;
            match self.decoder.decode(&mut connection.buffer).map_err(CallError::Record)? {
                Some(ResponsePart::Stdout(bytes)) => return Ok(Some(bytes)),
                Some(ResponsePart::Stderr(bytes)) => self.stderr.add(&bytes)?,
                Some(ResponsePart::End { protocol_status: COMPLETE }) => self.has_ended = true,
                Some(ResponsePart::End { protocol_status: OVERLOADED }) => return Err(CallError::Overloaded),
                Some(ResponsePart::End { protocol_status }) => return Err(CallError::Rejected(protocol_status)),
                None => self.transfer().await?,
            }
        }
        self.stderr.end_line();
        Ok(None)
    }

    /// Waits until bytes are received. Sends the request in the meantime.
    async fn transfer(&mut self) -> Result<(), CallError> {
        // A server that always has bytes to read must not keep other tasks of the thread from running.
        tokio::task::coop::consume_budget().await;
        loop {
            self.sender.prepare().await.map_err(CallError::Upload)?;
            let connection = self.lease.connection().await?;
            let is_sending = !self.sender.unsent().is_empty();
            let interest = if is_sending { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
            let ready = connection.ready(interest).await.map_err(CallError::Connection)?;
            if ready.is_writable() && is_sending {
                match connection.try_write(self.sender.unsent()) {
                    Ok(sent) => self.sender.advance(sent),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    // The server may have responded before it has closed the connection.
                    Err(_) => self.sender.stop(),
                }
            }
            if ready.is_readable() || ready.is_read_closed() {
                match connection.try_read() {
                    Ok(0) => return Err(CallError::Closed),
                    Ok(_) => {
                        self.has_received = true;
                        return Ok(());
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) if is_close(&error) => return Err(CallError::Closed),
                    Err(error) => return Err(CallError::Connection(error)),
                }
            }
        }
    }

    /// Returns `true` if the failed request can be sent again: the server has closed a connection that was kept open,
    /// as it does at any time, and has not responded. If the request was complete, the server may have handled it, so
    /// that only requests of idempotent methods (RFC 9110 section 9.2.2) are sent again. `is_idempotent` is always
    /// `false` for projects of PhalApi and api 3.0, which also write in methods for GET.
    pub fn may_retry(&self, error: &CallError, is_idempotent: bool) -> bool {
        let is_lost = matches!(error, CallError::Closed | CallError::Connection(_));
        is_lost && self.lease.is_reused && !self.has_received && (is_idempotent || !self.sender.has_sent_head())
    }

    /// Ends the exchange after [`Exchange::next`] has returned `None`. The connection is kept if it is certain that the
    /// next bytes on it belong to the next response.
    pub fn finish(self) {
        if self.has_ended && self.sender.has_sent_all() {
            self.lease.keep();
        }
    }

    /// Closes the connection, and returns the lease for another exchange on a new connection.
    pub fn into_lease(self) -> Lease {
        self.lease.without_connection()
    }
}

/// Returns `true` if an error means that the server has closed the connection.
fn is_close(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted
    )
}
