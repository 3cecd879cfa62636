//! Counts how often clients have exceeded the limits of connections.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rulebook_model::connection_limits::{CONNECTION_LIMITS, ConnectionLimit};

/// The minimum time between two log lines about exceeded limits.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

/// Counts how often clients have exceeded the limits of connections. This happens rarely, so that the workers can share
/// the counts.
#[derive(Debug, Default)]
pub(crate) struct ExceededLimits {
    counts: [AtomicU64; CONNECTION_LIMITS.len()],
    last_log: Mutex<Option<Instant>>,
}

impl ExceededLimits {
    /// Counts that a client has exceeded a limit, and logs it unless another line was logged shortly before.
    pub(crate) fn count(&self, limit: &ConnectionLimit, peer: Option<SocketAddr>) {
        let name = limit.name;
        let index = CONNECTION_LIMITS.iter().position(|known| known == limit);
        let Some(index) = index else { return debug_assert!(false, "`CONNECTION_LIMITS` lacks `{name}`") };
        let total = self.counts[index].fetch_add(1, Ordering::Relaxed) + 1;
        let mut last_log = self.last_log.lock().unwrap_or_else(PoisonError::into_inner);
        if last_log.is_none_or(|last| last.elapsed() >= LOG_INTERVAL) {
            *last_log = Some(Instant::now());
            let peer = peer.map_or_else(|| "-".to_owned(), |peer| peer.to_string());
            log::warn!(peer, limit = name; "{peer} has exceeded the limit `{name}` of connections ({total} in total)");
        }
    }

    /// Returns the names of the limits, each with the number of times that clients have exceeded it.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        CONNECTION_LIMITS.iter().zip(&self.counts).map(|(limit, count)| (limit.name, count.load(Ordering::Relaxed)))
    }
}
