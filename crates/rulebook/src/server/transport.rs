//! The bytes of a connection to a client, with or without TLS.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_rt::net::TcpStream;
use actix_rt::time::timeout;
use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::connection_limits::LINGER_TIMEOUT;
use super::tls::TlsStream;

/// The bytes of a connection.
pub(super) enum Transport {
    Plain(TcpStream),
    /// The stream is boxed. Otherwise it would enlarge the memory of every connection.
    Tls(Box<TlsStream>),
}

impl Transport {
    /// Closes the sending side of the server. Over TLS, the client learns that this is the end of what it receives
    /// (`close_notify`, RFC 8446 section 6.1).
    ///
    /// Then discards what the client still sends, until it closes its side too or [`LINGER_TIMEOUT`] is over: closing
    /// the socket would discard a response that the client has not read (RFC 9112 section 9.6). If the client is not
    /// `expected_to_send`, only waits if something has already arrived.
    pub(super) async fn end(mut self, expected_to_send: bool) {
        let ending = async {
            let mut discarded = vec![0; 4 << 10];
            if self.shutdown().await.is_err() {
                return;
            }
            let first = self.read(&mut discarded);
            let mut read = if expected_to_send { first.await } else { first.now_or_never().unwrap_or(Ok(0)) };
            while matches!(read, Ok(1..)) {
                read = self.read(&mut discarded).await;
            }
        };
        // The result does not matter: the connection is over.
        let _ = timeout(LINGER_TIMEOUT, ending).await;
    }
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(task, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(task, buffer),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(task, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(task, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(task, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(task, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(task),
            Self::Tls(stream) => Pin::new(stream).poll_flush(task),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(task),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(task),
        }
    }
}
