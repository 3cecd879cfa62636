//! The time limits for receiving the body of a request.

use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use super::alarm::{MAX_DISTANCE, MovingTimer};

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
    timer: MovingTimer,
}

impl BodyTimer {
    /// Starts a timer. `max_silence` is the maximum time without a further byte.
    pub(super) fn start(max_silence: Duration) -> Self {
        let started = Instant::now();
        let timer = MovingTimer::new(started + max_silence);
        Self { started, max_silence, received_bytes: 0, silent_since: started, timer }
    }

    /// Becomes ready when `time` has passed since the start, or when no further byte has arrived for too long. `time`
    /// may be longer than in the last call; `received_bytes` is the number of bytes that have been received so far.
    pub(super) fn poll(&mut self, time: Duration, received_bytes: u64, task: &mut Context<'_>) -> Poll<ExceededTime> {
        if received_bytes != self.received_bytes {
            (self.received_bytes, self.silent_since) = (received_bytes, Instant::now());
        }
        let (whole, silence) = (self.started + time.min(MAX_DISTANCE), self.silent_since + self.max_silence);
        ready!(self.timer.poll(whole.min(silence), task));
        Poll::Ready(if whole <= silence { ExceededTime::Whole } else { ExceededTime::Progress })
    }
}
