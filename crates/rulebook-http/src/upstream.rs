//! An upstream: a server that handles calls, with a pool of connections for each thread.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use hyper::header::HeaderValue;
use rulebook_model::span::Spanned;
use thread_local::ThreadLocal;
use tokio_rustls::TlsConnector;

use super::address::Origin;
use super::pool::Pool;
use super::pool_limits::PoolLimits;

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
    pools: ThreadLocal<Arc<Pool>>,
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

    /// Returns the connections of the current thread.
    pub fn pool(&self) -> Arc<Pool> {
        Arc::clone(self.pools.get_or(|| Arc::new(Pool::new(self.limits))))
    }
}
