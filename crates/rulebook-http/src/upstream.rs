//! An upstream: a server that handles calls, with a pool of connections for each thread.

use std::sync::Arc;

use hyper::header::HeaderValue;
use thread_local::ThreadLocal;

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
    /// The connections of each thread. The task that drives a connection runs on the thread that has opened it.
    pools: ThreadLocal<Arc<Pool>>,
}

impl Upstream {
    /// Creates an upstream without connections.
    pub fn new(origin: Origin, limits: PoolLimits) -> Self {
        // The characters of a host have been checked, so that the default is never used.
        let host = HeaderValue::try_from(origin.host_field()).unwrap_or_else(|_| HeaderValue::from_static("localhost"));
        Self { origin, host, limits, pools: ThreadLocal::new() }
    }

    /// Returns the connections of the current thread.
    pub fn pool(&self) -> Arc<Pool> {
        Arc::clone(self.pools.get_or(|| Arc::new(Pool::new(self.limits))))
    }
}
