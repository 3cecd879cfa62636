//! The time limit of a body.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_rt::time::{Instant, Sleep, sleep_until};

/// The maximum duration of a timer, about 34 years, so that adding it to the current time does not overflow.
const MAX_TIME: Duration = Duration::from_secs(1 << 30);

/// Measures the time limit of a body, from when a stage first waits for the body.
pub(super) struct BodyTimer {
    started: Instant,
    /// The deadline, computed from the number of bytes that had arrived when the timer was last set.
    deadline: Pin<Box<Sleep>>,
}

impl BodyTimer {
    /// Starts a timer.
    pub(super) fn start(time: Duration) -> Self {
        let started = Instant::now();
        Self { started, deadline: Box::pin(sleep_until(started + time.min(MAX_TIME))) }
    }

    /// Becomes ready when `time` has passed since the start. `time` may be longer than in the last call. The timer is
    /// set again only after it has fired, because setting it for every chunk of a body would cost more than all other
    /// work on the chunk.
    pub(super) fn poll(&mut self, time: Duration, task: &mut Context<'_>) -> Poll<()> {
        let end = self.started + time.min(MAX_TIME);
        while self.deadline.as_mut().poll(task).is_ready() {
            if end <= self.deadline.deadline() {
                return Poll::Ready(());
            }
            self.deadline.as_mut().reset(end);
        }
        Poll::Pending
    }
}
