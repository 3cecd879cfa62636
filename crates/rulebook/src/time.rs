//! The current time as a number, and the limit of some work to a part of the time, however often clients ask for it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The part of the time that some work can use.
#[derive(Debug)]
pub(crate) struct TimeShare {
    /// In the long run, the work can use one of this number.
    part: u32,
    /// Usable at once, after the work has used little for a while.
    burst: Duration,
    /// `None` before the first work.
    used_until: Option<Instant>,
}

impl Default for TimeShare {
    /// For work that usually takes a few milliseconds: a twentieth of the time.
    fn default() -> Self {
        Self::new(20, Duration::from_millis(50))
    }
}

impl TimeShare {
    /// One of `part` in the long run, and `burst` at once.
    pub(crate) fn new(part: u32, burst: Duration) -> Self {
        Self { part, burst, used_until: None }
    }

    pub(crate) fn is_free(&self, now: Instant) -> bool {
        self.used_until.is_none_or(|until| until <= now + self.burst * self.part)
    }

    pub(crate) fn add(&mut self, begun: Instant, duration: Duration) {
        let until = self.used_until.map_or(begun, |until| until.max(begun));
        self.used_until = until.checked_add(duration.saturating_mul(self.part)).or(self.used_until);
    }
}

/// In seconds since the Unix epoch.
pub(crate) fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
