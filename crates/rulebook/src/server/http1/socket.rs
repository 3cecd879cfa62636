//! The socket of a connection, with the bytes that have been received and not yet used.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use rulebook_model::connection_limits::FREE_RESPONSE_BYTES;
use tokio::io::{AsyncReadExt, AsyncWrite};

use crate::call::TlsSession;
use crate::client_shares::{ClientShares, Share, UsedUp};
use crate::server::client_stream::ClientStream;
use crate::server::request_memory::ReservedMemory;
use crate::server::state::ServerState;
use crate::server::tls::UNSENT_LEN;
use crate::server::unsent_bytes::SentBytes;

/// The number of bytes that a read of a new connection receives at most. This memory of a connection is not counted.
pub(super) const MIN_READ_LEN: usize = 2 << 10;
/// The number of bytes that a read receives at most. Reads become longer while the client sends faster than the server
/// reads.
const MAX_READ_LEN: usize = 64 << 10;

/// A socket that the connection and the body of the current request share. Only the task of the connection uses it.
pub(super) struct Socket {
    pub(super) stream: RefCell<ClientStream>,
    /// The bytes that have been received and not yet used.
    pub(super) received: RefCell<BytesMut>,
    /// The number of bytes for which the next read has space.
    read_len: Cell<usize>,
    /// The memory for `received`.
    reserved: RefCell<ReservedMemory>,
    request_memory: Arc<ClientShares>,
    response_memory: Arc<ClientShares>,
    /// The address whose use of memory is limited: none for a proxy.
    client: Option<IpAddr>,
    /// `true` once the client has closed its sending side.
    has_ended: Cell<bool>,
    pub(super) sent: SentBytes,
    /// What the TLS connection shows about its client; `None` if the connection has no TLS.
    pub(super) tls: Option<Arc<TlsSession>>,
}

impl Socket {
    /// `client` is the address whose use of memory is limited.
    pub(super) fn new(stream: ClientStream, client: Option<IpAddr>, state: &ServerState) -> Self {
        Self {
            tls: stream.tls_session().cloned(),
            stream: RefCell::new(stream),
            received: RefCell::default(),
            read_len: Cell::new(MIN_READ_LEN),
            reserved: RefCell::default(),
            request_memory: Arc::clone(&state.request_memory),
            response_memory: Arc::clone(&state.response_memory),
            client,
            has_ended: Cell::new(false),
            sent: SentBytes::default(),
        }
    }

    /// Returns the parts of the socket, for a connection that does not speak HTTP/1 or has ended.
    pub(super) fn into_parts(self) -> (ClientStream, BytesMut) {
        (self.stream.into_inner(), self.received.into_inner())
    }

    /// Returns `true` if the connection has TLS.
    #[inline]
    pub(super) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Returns `true` once the client has closed its sending side. [`Socket::received`] may still contain bytes.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.get()
    }

    /// Notes that the next bytes belong to another request.
    pub(super) fn begin_request(&self) {
        self.stream.borrow_mut().tcp().begin_request();
    }

    /// Receives bytes, and appends them to [`Socket::received`]. Returns their number, which is 0 once the client has
    /// closed its sending side.
    ///
    /// # Errors
    /// Fails if the connection is broken.
    pub(super) fn poll_receive(&self, task: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.has_ended.get() {
            return Poll::Ready(Ok(0));
        }
        let mut stream = self.stream.borrow_mut();
        ready!(stream.tcp().poll_pause(task));
        let mut received = self.received.borrow_mut();
        let mut requested = self.read_len.get();
        if received.capacity() - received.len() < requested / 2 {
            let needed = received.len() + requested;
            if needed > MIN_READ_LEN
                && self.reserved.borrow_mut().grow_to(needed, &self.request_memory, self.client).is_err()
            {
                // The requests of all clients need much memory. Short reads need less.
                requested = MIN_READ_LEN;
                self.read_len.set(MIN_READ_LEN);
            }
            received.reserve(requested);
        }
        let space = received.capacity() - received.len();
        let count = ready!(pin!(stream.read_buf(&mut *received)).poll(task))?;
        self.has_ended.set(count == 0);
        stream.tcp().count_piece(count);
        if count == space && requested < MAX_READ_LEN {
            self.read_len.set(requested * 2);
        }
        Poll::Ready(Ok(count))
    }

    /// Returns `true` if the client has sent bytes that have not been used, also if only the system has received them.
    ///
    /// # Errors
    /// Fails if the connection is broken.
    pub(super) async fn has_received_more(&self) -> io::Result<bool> {
        if !self.received.borrow().is_empty() {
            return Ok(true);
        }
        poll_fn(|task| match self.poll_receive(task) {
            Poll::Ready(result) => Poll::Ready(result.map(|count| count > 0)),
            Poll::Pending => Poll::Ready(Ok(false)),
        })
        .await
    }

    /// Releases the memory for received bytes if it is large and unused. Called when the connection waits for the next
    /// request, which may take long.
    pub(super) fn release_memory(&self) {
        let mut received = self.received.borrow_mut();
        if received.is_empty() && self.read_len.get() > MIN_READ_LEN {
            *received = BytesMut::new();
            self.reserved.replace(ReservedMemory::default());
            self.read_len.set(MIN_READ_LEN);
        }
        self.stream.borrow_mut().release_memory();
    }

    /// Sends as many bytes of the slices as the operating system accepts, and returns their number.
    ///
    /// # Errors
    /// Fails if the connection is broken.
    pub(super) fn poll_send(&self, slices: &[IoSlice<'_>], task: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let stream = &mut *self.stream.borrow_mut();
        let max = self.sent.max_write_len();
        let polled = match slices {
            [first, ..] if first.len() >= max => Pin::new(&mut *stream).poll_write(task, &first[..max]),
            [one] => Pin::new(&mut *stream).poll_write(task, one),
            [first, second, ..] if first.len() + second.len() > max => {
                let limited = [IoSlice::new(first), IoSlice::new(&second[..max - first.len()])];
                Pin::new(&mut *stream).poll_write_vectored(task, &limited)
            }
            several => Pin::new(&mut *stream).poll_write_vectored(task, several),
        };
        let sent = ready!(self.count_sent(polled, stream))?;
        Poll::Ready(if sent == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(sent) })
    }

    /// Counts the bytes of a write, and returns its result.
    pub(super) fn count_sent(
        &self,
        polled: Poll<io::Result<usize>>,
        stream: &mut ClientStream,
    ) -> Poll<io::Result<usize>> {
        match &polled {
            Poll::Ready(sent) => self.sent.add(sent.as_ref().map_or(0, |sent| *sent), stream.system()?),
            Poll::Pending => self.sent.wait(),
        }
        polled
    }

    /// Takes memory for bytes of a response that the client does not receive at the moment. The first
    /// [`FREE_RESPONSE_BYTES`] are not counted.
    ///
    /// # Errors
    /// Fails with [`io::ErrorKind::OutOfMemory`] if too many responses wait for their clients.
    pub(super) fn keep_response(&self, bytes: usize) -> io::Result<Option<Share>> {
        if bytes <= FREE_RESPONSE_BYTES as usize {
            return Ok(None);
        }
        // What is encrypted already uses memory besides the response.
        let bytes = if self.is_tls() { bytes + UNSENT_LEN } else { bytes };
        let share = self.response_memory.take(self.client, bytes);
        share.map(Some).map_err(|UsedUp| io::ErrorKind::OutOfMemory.into())
    }

    /// Sends the bytes that the server has encrypted and the system has not accepted yet. Without TLS, there are none.
    ///
    /// # Errors
    /// Fails if the connection is broken.
    #[inline]
    pub(super) fn poll_flush(&self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_tls() { Pin::new(&mut *self.stream.borrow_mut()).poll_flush(task) } else { Poll::Ready(Ok(())) }
    }

    /// Closes the sending side of the server.
    pub(super) fn poll_close_sending(&self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream.borrow_mut()).poll_shutdown(task)
    }

    /// Closes the sending side of the server if the system accepts the last bytes at once.
    pub(super) async fn close_at_once(&self) {
        poll_fn(|task| {
            let _ = self.poll_close_sending(task);
            Poll::Ready(())
        })
        .await;
    }
}
