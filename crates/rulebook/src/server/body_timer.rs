//! The time limit of a body.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_rt::time::{Instant, Sleep, sleep_until};

/// The maximum time of a timer, since there is no instant without end: about 34 years.
const MAX_TIME: Duration = Duration::from_secs(1 << 30);

/// Measures the time of a body from when it is first waited for.
pub(super) struct BodyTimer {
    started: Instant,
    /// The deadline by what had arrived when the timer was last set.
    deadline: Pin<Box<Sleep>>,
}

impl BodyTimer {
    /// Starts a timer.
    pub(super) fn start(time: Duration) -> Self {
        let started = Instant::now();
        Self { started, deadline: Box::pin(sleep_until(started + time.min(MAX_TIME))) }
    }

    /// Becomes ready when `time` is over. `time` may be longer than at the last call; the timer is set anew only after
    /// it has fired, since setting it for each chunk of a body would cost more than everything else.
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
