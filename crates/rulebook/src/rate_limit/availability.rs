//! Whether a shared counter is available. While it is not, only one request per second tries to use it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::ClaimError;

/// The time after a failure until a request tries to use the counter again.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Whether a shared counter is available.
#[derive(Debug)]
pub struct Availability {
    start: Instant,
    /// The time from `start` in milliseconds at which a request may try to use the counter again; 0 while the counter
    /// is available.
    retry_at: AtomicU64,
    /// What happens while the counter is unavailable, for the log.
    consequence: &'static str,
}

impl Availability {
    pub fn new(consequence: &'static str) -> Self {
        Self { start: Instant::now(), retry_at: AtomicU64::new(0), consequence }
    }

    /// Returns `true` if the last claim failed.
    pub fn is_unavailable(&self) -> bool {
        self.retry_at.load(Ordering::Relaxed) != 0
    }

    /// Returns `true` if a request may use the counter now.
    pub fn may_try(&self, now: Instant) -> bool {
        let retry_at = self.retry_at.load(Ordering::Relaxed);
        if retry_at == 0 {
            return true;
        }
        let now = self.milliseconds(now);
        let next = now + RETRY_INTERVAL.as_millis() as u64;
        now >= retry_at && self.retry_at.compare_exchange(retry_at, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Records that the counter could be used.
    pub fn set_available(&self) {
        if self.is_unavailable() && self.retry_at.swap(0, Ordering::Relaxed) != 0 {
            log::info!("the shared counter of rate limits is available again");
        }
    }

    /// Records that the counter could not be used.
    pub fn set_unavailable(&self, error: &ClaimError) {
        let next = self.milliseconds(Instant::now() + RETRY_INTERVAL).max(1);
        if self.retry_at.swap(next, Ordering::Relaxed) == 0 {
            log::warn!("the shared counter of rate limits is unavailable: {error}; {}", self.consequence);
        }
    }

    fn milliseconds(&self, time: Instant) -> u64 {
        u64::try_from(time.saturating_duration_since(self.start).as_millis()).unwrap_or(u64::MAX)
    }
}
