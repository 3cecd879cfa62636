//! Counts the calls that a database has failed one after the other, for its readiness check.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The time for which failed calls count if no further call fails. Without an end, a server that gets no requests
/// because it is not ready would never be ready again.
const MEMORY: Duration = Duration::from_secs(30);

/// The failed calls since the last one that succeeded.
pub(crate) struct Failures {
    count: AtomicU32,
    start: Instant,
    /// The time of the last failed call, in milliseconds after the start.
    last: AtomicU64,
}

impl Failures {
    pub(super) fn new() -> Self {
        Self { count: AtomicU32::new(0), start: Instant::now(), last: AtomicU64::new(0) }
    }

    pub(crate) fn add(&self) {
        self.last.store(self.now(), Ordering::Relaxed);
        let _ = self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_add(1));
    }

    /// Notes a call that the database has not failed. Threads share the count, so that it is rarely written.
    pub(crate) fn end(&self) {
        if self.count.load(Ordering::Relaxed) != 0 {
            self.count.store(0, Ordering::Relaxed);
        }
    }

    /// Returns the number of failed calls, which is 0 some time after the last one.
    pub(super) fn count(&self) -> u32 {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        let is_recent = self.start.elapsed().saturating_sub(last) < MEMORY;
        if is_recent { self.count.load(Ordering::Relaxed) } else { 0 }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
