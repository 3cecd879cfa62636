//! The limits of the connections to an upstream.

use std::ops::RangeInclusive;
use std::time::Duration;

/// The limits of the connections to an upstream, with their defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLimits {
    /// The maximum number of connections from each thread that serves requests.
    pub connections: usize,
    /// The maximum time in which a connection is kept without a call.
    pub idle_timeout: Duration,
    /// The maximum size of the head of a response in bytes.
    pub max_head: usize,
}

impl PoolLimits {
    /// The range of [`PoolLimits::connections`].
    pub const CONNECTIONS: RangeInclusive<usize> = 1..=10_000;
    /// The range of [`PoolLimits::max_head`].
    pub const MAX_HEAD: RangeInclusive<usize> = 1024..=1_048_576;
}

impl Default for PoolLimits {
    fn default() -> Self {
        // Many servers close connections after 5 seconds without a request. A connection that this side closes first is
        // not closed while a request is sent.
        Self { connections: 128, idle_timeout: Duration::from_secs(4), max_head: 64 << 10 }
    }
}
