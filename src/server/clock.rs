//! Whether a body comes in time.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_rt::time::{Instant, Sleep, sleep_until};

/// The most that a clock is set to, since there is no moment without end: about 34 years.
const LONGEST: Duration = Duration::from_secs(1 << 30);

/// The time that a body takes, from when it is first waited for.
pub(super) struct Clock {
    began: Instant,
    /// What it is set to, by what had come by then.
    until: Pin<Box<Sleep>>,
}

impl Clock {
    /// Begins a time of this length.
    pub(super) fn begin(time: Duration) -> Self {
        let began = Instant::now();
        Self { began, until: Box::pin(sleep_until(began + time.min(LONGEST))) }
    }

    /// Ready when `time` is over, which may have become longer since this was asked last. The clock is only set anew
    /// where it has run out: with each chunk of a body that would cost more than all else.
    pub(super) fn poll(&mut self, time: Duration, task: &mut Context<'_>) -> Poll<()> {
        let end = self.began + time.min(LONGEST);
        while self.until.as_mut().poll(task).is_ready() {
            if end <= self.until.deadline() {
                return Poll::Ready(());
            }
            self.until.as_mut().reset(end);
        }
        Poll::Pending
    }
}
