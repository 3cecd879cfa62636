//! The value of the header field `Date` (RFC 9110 section 6.6.1).

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The value of the field `Date`, which a worker formats once per second.
#[derive(Debug)]
pub(super) struct DateText {
    text: RefCell<String>,
    /// The time at which the text is no longer the current second.
    expires: Cell<Instant>,
}

impl DateText {
    pub(super) fn new() -> Self {
        Self { text: RefCell::default(), expires: Cell::new(Instant::now()) }
    }

    /// Calls a function with the text for the current time, `now`.
    pub(super) fn with_text<T>(&self, now: Instant, use_text: impl FnOnce(&[u8]) -> T) -> T {
        if now >= self.expires.get() {
            let time = SystemTime::now();
            let mut text = self.text.borrow_mut();
            text.clear();
            // Writing to a string cannot fail.
            let _ = write!(text, "{}", httpdate::HttpDate::from(time));
            let fraction = time.duration_since(UNIX_EPOCH).unwrap_or_default().subsec_nanos();
            self.expires.set(now + Duration::from_secs(1) - Duration::from_nanos(fraction.into()));
        }
        use_text(self.text.borrow().as_bytes())
    }
}
