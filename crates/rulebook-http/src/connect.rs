//! Opens connections to upstreams.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio_util::io::InspectReader;
use tokio_util::task::AbortOnDropHandle;

use super::address::Origin;
use super::error::UpstreamError;
use super::exchange::OutgoingBody;
use super::settings::PoolLimits;
use super::tls;
use super::upstream::Upstream;

/// The smallest buffer that the implementation of HTTP/1 accepts.
const MIN_BUFFER: usize = 8 << 10;

/// A connection to an upstream. The connection is closed when this value is dropped.
pub struct Connection {
    /// Sends requests on the connection.
    pub sender: SendRequest<OutgoingBody>,
    /// The number of bytes that the upstream has sent.
    received: Arc<AtomicU64>,
    /// The task that sends and receives.
    _driver: AbortOnDropHandle<()>,
}

impl Connection {
    /// Opens a connection. A task of the current runtime drives it.
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

    async fn start(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        limits: PoolLimits,
    ) -> Result<Self, UpstreamError> {
        let received = Arc::<AtomicU64>::default();
        let counter = Arc::clone(&received);
        let stream = InspectReader::new(stream, move |bytes: &[u8]| {
            counter.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        });
        let mut builder = http1::Builder::new();
        builder.max_buf_size(limits.max_head.max(MIN_BUFFER)).max_header_size(limits.max_head);
        let (sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(UpstreamError::from_connection)?;
        // The error of the connection is also the error of the request that is in progress.
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, received, _driver: AbortOnDropHandle::new(driver) })
    }

    /// Returns the number of bytes that the upstream has sent.
    pub fn received_bytes(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}
