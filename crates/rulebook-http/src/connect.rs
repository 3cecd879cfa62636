//! Opens connections to upstreams.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::task::AbortHandle;

use super::address::Origin;
use super::content::OutgoingBody;
use super::error::UpstreamError;
use super::pool_limits::PoolLimits;
use super::tls;
use super::upstream::Upstream;

/// The smallest buffer that the implementation of HTTP/1 accepts.
const MIN_BUFFER: usize = 8 << 10;

/// A connection to an upstream. The connection is closed when this value is dropped.
pub struct Connection {
    /// Sends requests on the connection.
    pub sender: SendRequest<OutgoingBody>,
    received: Arc<AtomicU64>,
    driver: AbortHandle,
}

impl Connection {
    /// Opens a connection. A task of the current runtime drives it.
    ///
    /// # Errors
    /// Fails if the host is unknown, the upstream does not accept the connection, or its certificate is not valid.
    pub async fn open(upstream: &Upstream) -> Result<Self, UpstreamError> {
        let limits = upstream.limits;
        match &upstream.origin {
            Origin::Tcp { host, port, is_tls } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(UpstreamError::Connect)?;
                stream.set_nodelay(true).map_err(UpstreamError::Connect)?;
                if !is_tls {
                    return Self::start(stream, limits).await;
                }
                let connector =
                    upstream.tls().ok_or_else(|| UpstreamError::Tls(io::Error::other("it is not prepared")))?;
                let stream = tls::open(connector, host, stream).await.map_err(UpstreamError::Tls)?;
                Self::start(stream, limits).await
            }
            #[cfg(unix)]
            Origin::Unix(path) => {
                let stream = UnixStream::connect(path).await.map_err(UpstreamError::Connect)?;
                Self::start(stream, limits).await
            }
            #[cfg(not(unix))]
            Origin::Unix(_) => Err(UpstreamError::Connect(io::ErrorKind::Unsupported.into())),
        }
    }

    async fn start<S>(stream: S, limits: PoolLimits) -> Result<Self, UpstreamError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let received = Arc::<AtomicU64>::default();
        let stream = CountedStream { stream, received: Arc::clone(&received) };
        let mut builder = http1::Builder::new();
        builder.max_buf_size(limits.max_head.max(MIN_BUFFER)).max_header_size(limits.max_head);
        let (sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(UpstreamError::from_connection)?;
        // The error of the connection is also the error of the request that is in progress.
        let driver = tokio::spawn(async move { drop(connection.await) }).abort_handle();
        Ok(Self { sender, received, driver })
    }

    /// Returns the number of bytes that the upstream has sent.
    pub fn received_bytes(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// A stream that counts the bytes that are read from it.
struct CountedStream<S> {
    stream: S,
    received: Arc<AtomicU64>,
}

impl<S: AsyncRead + Unpin> AsyncRead for CountedStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(task, buffer);
        self.received.fetch_add((buffer.filled().len() - before) as u64, Ordering::Relaxed);
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CountedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(task, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(task, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(task)
    }
}
