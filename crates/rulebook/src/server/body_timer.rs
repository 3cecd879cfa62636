//! The time limits for receiving the body of a request.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_rt::time::{Instant, Sleep, sleep_until};

/// The maximum duration of a timer, about 34 years. A longer duration could overflow when it is added to the current
/// time.
const MAX_DURATION: Duration = Duration::from_secs(1 << 30);

/// The time that a body has exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExceededTime {
    /// The time for the whole body.
    Whole,
    /// The time without a further byte.
    Progress,
}

/// Measures the time that a request's body takes, from the moment when the server first waits for the body.
pub(super) struct BodyTimer {
    started: Instant,
    /// The maximum time without a further byte.
    max_silence: Duration,
    /// The number of bytes that had been received when the server last waited.
    received_bytes: u64,
    /// The time since which no further byte has been received.
    silent_since: Instant,
    /// The time at which the timer fires. It may be too early, because the deadline moves while bytes arrive.
    deadline: Pin<Box<Sleep>>,
}

impl BodyTimer {
    /// Starts a timer that fires after `time`, unless [`BodyTimer::poll`] gets a longer time, or after `max_silence`
    /// without a further byte.
    pub(super) fn start(time: Duration, max_silence: Duration) -> Self {
        let started = Instant::now();
        let first = time.min(max_silence).min(MAX_DURATION);
        Self {
            started,
            max_silence,
            received_bytes: 0,
            silent_since: started,
            deadline: Box::pin(sleep_until(started + first)),
        }
    }

    /// Becomes ready when `time` has passed since the start, or when no further byte has arrived for too long. `time`
    /// may be longer than in the last call; `received_bytes` is the number of bytes that have been received so far. The
    /// timer is set to the new deadline only after it has fired: setting it for every chunk of a body would cost more
    /// than all other work on the chunk.
    pub(super) fn poll(&mut self, time: Duration, received_bytes: u64, task: &mut Context<'_>) -> Poll<ExceededTime> {
        if received_bytes != self.received_bytes {
            (self.received_bytes, self.silent_since) = (received_bytes, Instant::now());
        }
        let (whole, silence) = (self.started + time.min(MAX_DURATION), self.silent_since + self.max_silence);
        let end = whole.min(silence);
        while self.deadline.as_mut().poll(task).is_ready() {
            if end <= self.deadline.deadline() {
                return Poll::Ready(if whole <= silence { ExceededTime::Whole } else { ExceededTime::Progress });
            }
            self.deadline.as_mut().reset(end);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use crate::server::running::server_runtime;

    const LONG: Duration = Duration::from_secs(1000);
    const SHORT: Duration = Duration::from_millis(20);

    /// Waits for a timer of a body whose `received` bytes have arrived when the server begins to wait.
    fn exceeded_time(time: Duration, max_silence: Duration, received: u64) -> ExceededTime {
        server_runtime().unwrap().block_on(async {
            let mut timer = BodyTimer::start(time, max_silence);
            poll_fn(|task| timer.poll(time, received, task)).await
        })
    }

    #[test]
    fn a_body_that_stops_exceeds_the_time_without_progress() {
        assert_eq!(exceeded_time(LONG, SHORT, 0), ExceededTime::Progress);
        assert_eq!(exceeded_time(LONG, SHORT, 5), ExceededTime::Progress);
    }

    #[test]
    fn a_body_that_takes_too_long_exceeds_the_whole_time() {
        assert_eq!(exceeded_time(SHORT, LONG, 5), ExceededTime::Whole);
    }
}
