//! The stream of a connection to a client: a TCP stream, with or without TLS.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::pausable_stream::PausableStream;
use super::tls::TlsStream;
use crate::call::TlsSession;

/// The stream of a connection to a client.
pub(super) enum ClientStream {
    Plain(PausableStream),
    /// The stream is boxed. Otherwise it would enlarge the memory of every connection.
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "no connection has TLS"))]
    Tls(Box<TlsStream>),
}

impl ClientStream {
    /// Returns the TCP stream. For TLS, its bytes are encrypted.
    #[inline]
    pub(super) fn tcp(&mut self) -> &mut PausableStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.tcp(),
        }
    }

    /// Returns the stream of the system, for its options. Ends a pause.
    ///
    /// # Errors
    /// Fails if the system cannot continue to watch the stream.
    #[inline]
    pub(super) fn system(&mut self) -> io::Result<&mut TcpStream> {
        self.tcp().get()
    }

    /// Returns `true` if the bytes are encrypted.
    #[inline]
    pub(super) fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Releases the memory for received bytes that have not been decrypted. Called when the connection waits for the next
    /// request.
    #[inline]
    pub(super) fn release_memory(&mut self) {
        if let Self::Tls(stream) = self {
            stream.release_memory();
        }
    }

    /// Returns what the TLS connection shows about its client; `None` if the connection has no TLS.
    #[inline]
    pub(super) fn tls_session(&self) -> Option<&Arc<TlsSession>> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => Some(stream.session()),
        }
    }
}

impl AsyncRead for ClientStream {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream.get()?).poll_read(task, buffer),
            Self::Tls(stream) => stream.poll_read(task, buffer),
        }
    }
}

impl AsyncWrite for ClientStream {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream.get()?).poll_write(task, bytes),
            Self::Tls(stream) => stream.poll_write(task, bytes),
        }
    }

    #[inline]
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream.get()?).poll_write_vectored(task, slices),
            Self::Tls(stream) => stream.poll_write_vectored(task, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Sends what the TLS connection has encrypted. A TCP stream has no buffer.
    #[inline]
    fn poll_flush(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => stream.poll_flush(task),
        }
    }

    /// Closes the sending side of the server. Over TLS, the client learns that this is the end of what it receives
    /// (`close_notify`, RFC 8446 section 6.1).
    fn poll_shutdown(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream.get()?).poll_shutdown(task),
            Self::Tls(stream) => stream.poll_shutdown(task),
        }
    }
}
