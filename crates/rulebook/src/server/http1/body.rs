//! Reads the body of a request from its connection.

use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::framing::Framing;
use super::socket::Socket;

/// The interim response for a client that waits for it before it sends its body (RFC 9110 section 15.2.1).
const CONTINUE_RESPONSE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The body of a request, which is read from the socket of its connection.
pub(in crate::server) struct BodyReader {
    socket: Rc<Socket>,
    framing: Framing,
    /// The bytes of [`CONTINUE_RESPONSE`] that have to be sent before the body is read.
    unsent_interim: &'static [u8],
    /// `true` if the interim response may not have been sent completely.
    must_flush: bool,
}

impl BodyReader {
    pub(super) fn new(socket: Rc<Socket>, framing: Framing, expects_continue: bool) -> Self {
        let unsent_interim = if expects_continue { CONTINUE_RESPONSE } else { &[] };
        Self { socket, framing, unsent_interim, must_flush: expects_continue }
    }

    /// Returns `true` if the client will not send the body, because it still waits for `100 Continue`.
    pub(in crate::server) fn is_withheld(&self) -> bool {
        self.unsent_interim.len() == CONTINUE_RESPONSE.len()
    }

    /// Returns the next bytes of the body, at least one; `None` at the end of the body.
    ///
    /// # Errors
    /// Fails if the connection is broken, or if the body is incomplete or invalid.
    pub(in crate::server) fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        while !self.unsent_interim.is_empty() {
            match ready!(self.socket.poll_send(&[io::IoSlice::new(self.unsent_interim)], task)) {
                Ok(sent) => self.unsent_interim = &self.unsent_interim[sent..],
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
        if self.must_flush {
            ready!(self.socket.poll_flush(task))?;
            self.must_flush = false;
        }
        loop {
            let taken = self.framing.take(&mut self.socket.received.borrow_mut())?;
            if !taken.is_empty() {
                return Poll::Ready(Some(Ok(taken)));
            }
            if self.framing.has_ended() {
                return Poll::Ready(None);
            }
            if ready!(self.socket.poll_receive(task))? == 0 {
                return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
            }
        }
    }
}
