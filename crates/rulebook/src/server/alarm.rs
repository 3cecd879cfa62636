//! Deadlines of connections and of the bodies of requests.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use actix_rt::time::{Sleep, sleep_until};
use futures_util::future::LocalBoxFuture;

use super::connection_limits::PROGRESS_TIMEOUT;
use super::state::ServerState;

/// The maximum distance of a deadline, about a year. A longer one could overflow when it is added to the current time.
pub(super) const MAX_DISTANCE: Duration = Duration::from_secs(1 << 25);

/// For how long a connection still waits for a request after the server has begun to close its connections.
///
/// A worker that had no time for its connections until then first learns that the server is closing them, and only then
/// that requests or the messages of a handshake have arrived.
const CLOSING_GRACE: Duration = Duration::from_millis(250);

/// A timer whose deadline moves often.
///
/// Almost every wait has a deadline. Setting a timer each time would cost more than the wait itself, so the timer stays
/// as it is when the deadline moves to a later time. Only when the timer fires is it set again.
pub(super) struct MovingTimer {
    timer: Pin<Box<Sleep>>,
    /// The waker of the task that `timer` wakes; `None` if it has not been polled.
    waker: Option<Waker>,
}

impl MovingTimer {
    pub(super) fn new(deadline: Instant) -> Self {
        Self { timer: Box::pin(sleep_until(deadline.into())), waker: None }
    }

    fn wakes(&self, task: &Context<'_>) -> bool {
        self.waker.as_ref().is_some_and(|waker| waker.will_wake(task.waker()))
    }

    /// Becomes ready when `deadline` has passed.
    pub(super) fn poll(&mut self, deadline: Instant, task: &mut Context<'_>) -> Poll<()> {
        if self.wakes(task) && !self.timer.is_elapsed() && self.timer.deadline() <= deadline.into() {
            return Poll::Pending;
        }
        let now = Instant::now();
        if deadline <= now {
            return Poll::Ready(());
        }
        self.timer.as_mut().reset(deadline.min(now + MAX_DISTANCE).into());
        self.waker = Some(task.waker().clone());
        self.timer.as_mut().poll(task)
    }
}

/// Wakes the task of a connection when a deadline has passed or when the server closes its connections.
pub(super) struct Alarm {
    timer: MovingTimer,
    closing: LocalBoxFuture<'static, ()>,
    /// The time at which the connection is closed; `None` if it does not know yet that the server is closing.
    closes_at: Option<Instant>,
}

impl Alarm {
    pub(super) fn new(state: &Arc<ServerState>, deadline: Instant) -> Self {
        let state = Arc::clone(state);
        let closing = Box::pin(async move { state.wait_until_closing().await });
        Self { timer: MovingTimer::new(deadline), closing, closes_at: None }
    }

    /// Becomes ready like [`Alarm::poll`], or shortly after the server has begun to close its connections: for a
    /// connection on which the server waits for a request.
    pub(super) fn poll_or_close(&mut self, deadline: Instant, state: &ServerState, task: &mut Context<'_>) -> Poll<()> {
        if !state.is_closing() {
            return self.poll(deadline, task);
        }
        let closes_at = *self.closes_at.get_or_insert_with(|| Instant::now() + CLOSING_GRACE);
        self.poll(deadline.min(closes_at), task)
    }

    /// Becomes ready when `deadline` has passed. The task is also woken when the server closes its connections.
    pub(super) fn poll(&mut self, deadline: Instant, task: &mut Context<'_>) -> Poll<()> {
        // After the server has begun to close its connections, this future must not be polled again.
        if !self.timer.wakes(task) && self.closing.as_mut().poll(task).is_ready() {
            self.closing = Box::pin(std::future::pending());
        }
        self.timer.poll(deadline, task)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExceededTime {
    Whole,
    /// The time without a further byte.
    Progress,
}

/// Measures the time that a request's body takes, from the moment when the server first waits for the body.
pub(super) struct BodyTimer {
    started: Instant,
    /// The number of bytes that had been received when the server last waited.
    received_bytes: u64,
    /// The time since which no further byte has been received.
    silent_since: Instant,
    timer: MovingTimer,
}

impl BodyTimer {
    pub(super) fn start() -> Self {
        let started = Instant::now();
        let timer = MovingTimer::new(started + PROGRESS_TIMEOUT);
        Self { started, received_bytes: 0, silent_since: started, timer }
    }

    /// Becomes ready when `time` has passed since the start, or when no further byte has arrived for too long. `time`
    /// may be longer than in the last call; `received_bytes` is the number of bytes that have been received so far.
    pub(super) fn poll(&mut self, time: Duration, received_bytes: u64, task: &mut Context<'_>) -> Poll<ExceededTime> {
        if received_bytes != self.received_bytes {
            (self.received_bytes, self.silent_since) = (received_bytes, Instant::now());
        }
        let (whole, silence) = (self.started + time.min(MAX_DISTANCE), self.silent_since + PROGRESS_TIMEOUT);
        ready!(self.timer.poll(whole.min(silence), task));
        Poll::Ready(if whole <= silence { ExceededTime::Whole } else { ExceededTime::Progress })
    }
}
