//! The stream of a connection with TLS.

use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rulebook_model::connection_limits::REQUEST_MEMORY;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::server;

use crate::call::TlsSession;
use crate::server::pausable_stream::PausableStream;
use crate::server::request_memory::ReservedMemory;
use crate::server::state::ServerState;

/// The number of encrypted bytes that wait in the memory of a connection until the system accepts them: one record of
/// the maximum length (RFC 8446 section 5.1).
pub(in crate::server) const UNSENT_LEN: usize = 16 << 10;

/// The stream of a connection with TLS, after the handshake.
pub(in crate::server) struct TlsStream {
    stream: server::TlsStream<EncryptedStream>,
    session: Arc<TlsSession>,
}

impl TlsStream {
    pub(super) fn new(stream: server::TlsStream<EncryptedStream>, session: TlsSession) -> Self {
        let mut new = Self { stream, session: Arc::new(session) };
        new.stream.get_mut().0.forget_received();
        new.release_memory();
        new
    }

    /// Returns the stream of the encrypted bytes.
    pub(in crate::server) fn tcp(&mut self) -> &mut PausableStream {
        &mut self.stream.get_mut().0.tcp
    }

    /// Returns what the connection shows about its client.
    pub(in crate::server) fn session(&self) -> &Arc<TlsSession> {
        &self.session
    }

    /// Releases the memory for received bytes. Called when the connection waits for the next request.
    pub(in crate::server) fn release_memory(&mut self) {
        self.stream.get_mut().0.reserved = ReservedMemory::default();
    }

    /// Receives bytes, and decrypts them.
    pub(in crate::server) fn poll_read(
        &mut self,
        task: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_read(task, buffer))?;
        self.stream.get_mut().0.forget_received();
        Poll::Ready(Ok(()))
    }

    /// Encrypts bytes, and sends them. What the system does not accept is sent by a later write or
    /// [`TlsStream::poll_flush`].
    pub(in crate::server) fn poll_write(&mut self, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(task, bytes)
    }

    /// Does the same as [`TlsStream::poll_write`].
    pub(in crate::server) fn poll_write_vectored(
        &mut self,
        task: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(task, slices)
    }

    /// Sends the bytes that have been encrypted and not been sent.
    pub(in crate::server) fn poll_flush(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    /// Sends `close_notify`, and closes the sending side.
    pub(in crate::server) fn poll_shutdown(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(task)
    }
}

/// The stream of the encrypted bytes. It limits the memory for what rustls has received and cannot decrypt yet: an
/// incomplete record, or an incomplete message of the handshake.
pub(super) struct EncryptedStream {
    tcp: PausableStream,
    /// The number of bytes that have been received since the last bytes were decrypted.
    received: usize,
    reserved: ReservedMemory,
    state: Arc<ServerState>,
    /// The address whose use of memory is limited: none for a proxy.
    client: Option<IpAddr>,
}

impl EncryptedStream {
    pub(super) fn new(tcp: PausableStream, state: &Arc<ServerState>, client: Option<IpAddr>) -> Self {
        Self { tcp, received: 0, reserved: ReservedMemory::default(), state: Arc::clone(state), client }
    }

    pub(super) fn into_tcp(self) -> PausableStream {
        self.tcp
    }

    /// Notes that the bytes which have been received were decrypted. Their memory stays reserved for the next record.
    fn forget_received(&mut self) {
        self.received = 0;
    }

    fn count_received(&mut self, count: usize) -> io::Result<()> {
        self.received += count;
        let reserved = self.reserved.grow_to(self.received, &self.state.request_memory, self.client);
        reserved.map_err(|_| {
            let peer = self.tcp.get().ok().and_then(|stream| stream.peer_addr().ok());
            self.state.exceeded_limits.count(&REQUEST_MEMORY, peer);
            io::Error::other("the server has no memory for the request at the moment")
        })
    }
}

impl AsyncRead for EncryptedStream {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(self.tcp.poll_pause(task));
        ready!(Pin::new(self.tcp.get()?).poll_read(task, buffer))?;
        Poll::Ready(self.count_received(buffer.filled().len() - before))
    }
}

impl AsyncWrite for EncryptedStream {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(self.tcp.get()?).poll_write(task, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.tcp.get()?).poll_write_vectored(task, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.tcp.get()?).poll_shutdown(task)
    }
}
