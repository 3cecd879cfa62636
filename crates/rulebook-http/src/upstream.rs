//! An upstream: a server that handles calls, with connections for each thread.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::HeaderValue;
use hyper_util::rt::TokioIo;
use rulebook::handler_kind::{ConnectionLease, ConnectionPool};
use rulebook_model::span::Spanned;
use thread_local::ThreadLocal;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_util::io::InspectReader;
use tokio_util::task::AbortOnDropHandle;

use super::address::Origin;
use super::error::UpstreamError;
use super::exchange::OutgoingBody;
use super::settings::PoolLimits;
use super::tls;

/// The smallest buffer that the implementation of HTTP/1 accepts.
const MIN_BUFFER: usize = 8 << 10;

/// A server that handles calls.
pub struct Upstream {
    /// Where connections lead.
    pub origin: Origin,
    /// The value of the header field `Host`.
    pub host: HeaderValue,
    pub limits: PoolLimits,
    /// The file with the certificates of the authorities that certify the upstream; `None` for those of the system.
    pub ca: Option<Spanned<PathBuf>>,
    /// Opens TLS connections; not set before the start, or if connections do not use TLS.
    pub tls: OnceLock<TlsConnector>,
    /// The connections of each thread. The task that drives a connection runs on the thread that has opened it.
    pools: ThreadLocal<Arc<ConnectionPool<Connection>>>,
}

/// A connection that a call uses. It is closed when this value is dropped, unless [`LeasedConnection::give_back`] is
/// called.
pub struct LeasedConnection {
    /// The connection. It is dropped before the lease.
    pub connection: Connection,
    /// `true` if another call has used the connection before.
    pub is_reused: bool,
    lease: ConnectionLease<Connection>,
}

impl Upstream {
    pub fn new(origin: Origin, limits: PoolLimits, ca: Option<Spanned<PathBuf>>) -> Self {
        // The characters of a host have been checked, so that the default is never used.
        let host = HeaderValue::try_from(origin.host_field()).unwrap_or_else(|_| HeaderValue::from_static("localhost"));
        Self { origin, host, limits, ca, tls: OnceLock::new(), pools: ThreadLocal::new() }
    }

    /// Returns a connection without a call; a new one if all others are in use, or if `must_be_new` is `true`.
    /// Fails if no connection becomes free or can be opened within `connect_timeout`, or until `deadline`.
    pub async fn lease(
        &self,
        must_be_new: bool,
        connect_timeout: Duration,
        deadline: Instant,
    ) -> Result<LeasedConnection, UpstreamError> {
        let PoolLimits { connections, idle_timeout, .. } = self.limits;
        let connect_deadline = deadline.min(Instant::now() + connect_timeout);
        let pool = self.pools.get_or(|| ConnectionPool::new(connections, idle_timeout));
        let lease = pool.lease(connect_deadline).await.ok_or(UpstreamError::Busy(connections))?;
        while !must_be_new && let Some(connection) = lease.take_idle() {
            // A connection that still sends or receives something is closed: it cannot be known to which call this
            // belongs.
            if connection.sender.is_ready() {
                return Ok(LeasedConnection { connection, is_reused: true, lease });
            }
        }
        let connection = timeout_at(connect_deadline, Connection::open(self)).await;
        let connection = connection.map_err(|_| UpstreamError::ConnectTimeout(connect_timeout))??;
        Ok(LeasedConnection { connection, is_reused: false, lease })
    }
}

impl LeasedConnection {
    /// Gives the connection back after a call whose response has ended, so that other calls can use it.
    pub fn give_back(self) {
        if !self.connection.sender.is_closed() {
            self.lease.keep(self.connection);
        }
    }
}

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
                    upstream.tls.get().ok_or_else(|| UpstreamError::Tls(io::Error::other("it is not prepared")))?;
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
