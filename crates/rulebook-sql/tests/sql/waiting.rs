//! Waiting for an event in tests.

use std::thread;
use std::time::{Duration, Instant};

/// The maximum time to wait for an event that no promise limits.
pub const WAIT: Duration = Duration::from_secs(20);

/// Waits until a condition is true.
#[track_caller]
pub fn wait_until(limit: Duration, is_true: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_true() {
        assert!(start.elapsed() < limit, "this has not happened after {limit:?}");
        thread::sleep(Duration::from_millis(20));
    }
}
