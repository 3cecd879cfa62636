//! The time limit for receiving the body of a request.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_rt::time::{Instant, Sleep, sleep_until};

/// The maximum duration of a timer, about 34 years. A longer duration could overflow when it is added to the current
/// time.
const MAX_DURATION: Duration = Duration::from_secs(1 << 30);

/// Measures the time that a request's body takes, from the moment when the server first waits for the body.
pub(super) struct BodyTimer {
    started: Instant,
    /// The time at which the timer fires. It may be too early, because the deadline moves while bytes arrive.
    deadline: Pin<Box<Sleep>>,
}

impl BodyTimer {
    /// Starts a timer that fires after `time`, unless [`BodyTimer::poll`] gets a longer time.
    pub(super) fn start(time: Duration) -> Self {
        let started = Instant::now();
        Self { started, deadline: Box::pin(sleep_until(started + time.min(MAX_DURATION))) }
    }

    /// Becomes ready when `time` has passed since the start. `time` may be longer than in the last call. The timer is
    /// set to the new deadline only after it has fired: setting it for every chunk of a body would cost more than all
    /// other work on the chunk.
    pub(super) fn poll(&mut self, time: Duration, task: &mut Context<'_>) -> Poll<()> {
        let end = self.started + time.min(MAX_DURATION);
        while self.deadline.as_mut().poll(task).is_ready() {
            if end <= self.deadline.deadline() {
                return Poll::Ready(());
            }
            self.deadline.as_mut().reset(end);
        }
        Poll::Pending
    }
}
