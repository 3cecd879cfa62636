//! An upstream: a server that handles calls, with connections for each thread.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::header::HeaderValue;
use rulebook::handler_kind::{ConnectionLease, ConnectionPool};
use rulebook_model::span::Spanned;
use thread_local::ThreadLocal;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::address::Origin;
use super::connect::Connection;
use super::error::UpstreamError;
use super::settings::PoolLimits;

/// A server that handles calls.
pub struct Upstream {
    /// Where connections lead.
    pub origin: Origin,
    /// The value of the header field `Host`.
    pub host: HeaderValue,
    /// The limits of connections.
    pub limits: PoolLimits,
    /// The file with the certificates of the authorities that certify the upstream; `None` for those of the system.
    pub ca: Option<Spanned<PathBuf>>,
    /// Opens TLS connections; not set before the start, or if connections do not use TLS.
    tls: OnceLock<TlsConnector>,
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
    /// Creates an upstream without connections.
    pub fn new(origin: Origin, limits: PoolLimits, ca: Option<Spanned<PathBuf>>) -> Self {
        // The characters of a host have been checked, so that the default is never used.
        let host = HeaderValue::try_from(origin.host_field()).unwrap_or_else(|_| HeaderValue::from_static("localhost"));
        Self { origin, host, limits, ca, tls: OnceLock::new(), pools: ThreadLocal::new() }
    }

    /// Sets what opens TLS connections. Further calls have no effect.
    pub fn set_tls(&self, connector: TlsConnector) {
        let _ = self.tls.set(connector);
    }

    /// Returns what opens TLS connections; `None` before the start.
    pub fn tls(&self) -> Option<&TlsConnector> {
        self.tls.get()
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
