//! An upstream: a server that handles calls, with connections for each thread, which use TLS if its address says so,
//! and its readiness check.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http_body_util::{Either, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONNECTION, HOST, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use rulebook::handler_kind::{ConnectionLease, ConnectionPool, HandlerError, ReadinessCheck};
use rulebook_model::span::Spanned;
use thread_local::ThreadLocal;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_util::io::InspectReader;
use tokio_util::task::AbortOnDropHandle;

use super::address::Origin;
use super::exchange::{OutgoingBody, UpstreamError};
use super::kind::PoolLimits;

/// The smallest buffer that the implementation of HTTP/1 accepts.
const MIN_BUFFER: usize = 8 << 10;

/// A server that handles calls.
pub struct Upstream {
    pub origin: Origin,
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
    pub sender: SendRequest<OutgoingBody>,
    /// The number of bytes that the upstream has sent.
    received: Arc<AtomicU64>,
    _driver: AbortOnDropHandle<()>,
}

impl Connection {
    /// A task of the current runtime drives it. Fails if there is no connection, or the certificate is not valid.
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
                let name =
                    ServerName::try_from(host.clone()).map_err(|error| UpstreamError::Tls(io::Error::other(error)))?;
                Self::start(connector.connect(name, stream).await.map_err(UpstreamError::Tls)?, limits).await
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

    pub fn received_bytes(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

/// The only protocol of connections (RFC 7301).
const PROTOCOL: &[u8] = b"http/1.1";

/// Prepares TLS connections to the upstreams whose addresses begin with `https:`. Returns the errors.
pub fn prepare<'u>(upstreams: impl Iterator<Item = &'u Upstream>) -> Vec<HandlerError> {
    let mut errors = Vec::new();
    for upstream in upstreams.filter(|upstream| upstream.origin.is_tls()) {
        let error = match connector(upstream.ca.as_ref().map(|ca| ca.value.as_path())) {
            Ok(connector) => {
                let _ = upstream.tls.set(connector);
                continue;
            }
            Err(message) => HandlerError::new(message),
        };
        let error = match &upstream.ca {
            Some(ca) => error.at(ca.span),
            None => error.help("install the package `ca-certificates`, or set `ca`"),
        };
        // Several upstreams can have the same setting.
        if !errors.contains(&error) {
            errors.push(error);
        }
    }
    errors
}

/// Returns what opens TLS connections to upstreams whose certificates come from the authorities in the file `ca`, by
/// default from those that the system trusts.
fn connector(ca: Option<&Path>) -> Result<TlsConnector, String> {
    let roots = match ca {
        Some(path) => {
            read_authorities(path).map_err(|error| format!("`ca` cannot be used: {}: {error}", path.display()))
        }
        None => system_authorities(),
    };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    let mut config = config.with_root_certificates(roots?).with_no_client_auth();
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Reads a PEM file (RFC 7468) with the certificates of authorities.
fn read_authorities(path: &Path) -> Result<RootCertStore, String> {
    let text = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| match error {
            pem::Error::MissingSectionEnd { .. } => "a certificate in it has no end".to_owned(),
            error => error.to_string(),
        })?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() { Err("it contains no certificate".to_owned()) } else { Ok(roots) }
}

fn system_authorities() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Systems have certificates that are not valid.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let reasons: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
        return Err(format!("the system has no certificates of authorities {}", reasons.join(", "))
            .trim_end()
            .to_owned());
    }
    Ok(roots)
}

/// Returns a check that opens a connection to the upstream and, if there is a path, requests this path and expects a
/// status from 200 to 299. Every check uses a new connection, so that it also succeeds while all others are in use.
pub fn readiness_check(name: String, upstream: Arc<Upstream>, path: Option<Uri>) -> ReadinessCheck {
    ReadinessCheck::new(name, move || {
        let (upstream, path) = (Arc::clone(&upstream), path.clone());
        async move {
            let checked = check(&upstream, path).await;
            checked.map_err(|reason| format!("the upstream {}: {reason}", upstream.origin))
        }
    })
}

async fn check(upstream: &Upstream, path: Option<Uri>) -> Result<(), String> {
    let mut connection = Connection::open(upstream).await.map_err(|error| error.to_string())?;
    let Some(path) = path else { return Ok(()) };
    let mut request = Request::new(Either::Left(Full::default()));
    *request.method_mut() = Method::GET;
    *request.uri_mut() = path;
    let fields = request.headers_mut();
    fields.insert(HOST, upstream.host.clone());
    fields.insert(USER_AGENT, HeaderValue::from_static("rulebook"));
    fields.insert(CONNECTION, HeaderValue::from_static("close"));
    let response = connection.sender.send_request(request).await.map_err(|error| error.to_string())?;
    let status = response.status();
    if status.is_success() { Ok(()) } else { Err(format!("the status is {}", status.as_u16())) }
}
