//! The body of a request, which is read while it arrives.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::Payload;
use actix_http::error::PayloadError;
use actix_rt::time::timeout;
use bytes::Bytes;
use futures_core::Stream;
use http::header;

use super::body_timer::BodyTimer;
use crate::call::Head;

/// The maximum number of bytes that the server reads of an unused body, so that the connection can be used again.
const MAX_DRAINED: u64 = 64 << 10;
/// The maximum time for which the server reads an unused body.
const DRAIN_TIME: Duration = Duration::from_millis(100);
/// The state of `100 Continue` for a client that sends its body only after this response.
#[derive(Debug, Default)]
pub(super) struct Continue {
    /// `true` once a stage of the request has waited for the body.
    pub(super) needed: Cell<bool>,
    /// `true` once `100 Continue` has been sent.
    pub(super) sent: Cell<bool>,
}

/// The body of a request.
pub(super) struct RequestBody {
    payload: Payload,
    /// The length that the head announces, in bytes.
    pub(super) announced: Option<u64>,
    /// The number of bytes that have been received.
    pub(super) received: u64,
    /// `true` once a stage has waited for the body.
    pub(super) waited: bool,
    /// Measures the time limit of the body, from when a stage first waits for it.
    pub(super) timer: Option<BodyTimer>,
    state: State,
    /// Bytes that were read to route the request. They are returned again.
    replay: Option<Bytes>,
    /// `Some` if the client waits for `100 Continue`.
    awaits_continue: Option<Rc<Continue>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Receiving,
    Ended,
    Failed,
}

impl RequestBody {
    pub(super) fn new(payload: Payload, head: &Head) -> Self {
        let state = if matches!(payload, Payload::None) { State::Ended } else { State::Receiving };
        let announced = head.get(&header::CONTENT_LENGTH).and_then(|length| length.trim().parse().ok());
        let (replay, timer, awaits_continue) = (None, None, None);
        Self { payload, announced, received: 0, state, replay, waited: false, timer, awaits_continue }
    }

    /// Delays reading the body until `100 Continue` has been sent.
    pub(super) fn await_continue(&mut self, continue_state: &Rc<Continue>) {
        self.awaits_continue = Some(Rc::clone(continue_state));
    }

    /// Returns the next bytes, `None` at the end.
    pub(super) fn poll(&mut self, task: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        if let Some(bytes) = self.replay.take() {
            self.received += bytes.len() as u64;
            return Poll::Ready(Some(Ok(bytes)));
        }
        if self.state != State::Receiving {
            return Poll::Ready(None);
        }
        if let Some(continue_state) = self.awaits_continue.as_ref().filter(|continue_state| !continue_state.sent.get())
        {
            // No waker is needed: the service polls again after it has sent `100 Continue`.
            continue_state.needed.set(true);
            return Poll::Pending;
        }
        let polled = Pin::new(&mut self.payload).poll_next(task);
        match &polled {
            Poll::Ready(Some(Ok(bytes))) => self.received += bytes.len() as u64,
            Poll::Ready(Some(Err(_))) => self.state = State::Failed,
            Poll::Ready(None) => self.state = State::Ended,
            Poll::Pending => {}
        }
        polled
    }

    /// Puts back bytes that have been read: the next call returns them again.
    pub(super) fn put_back(&mut self, bytes: Bytes) {
        self.received -= bytes.len() as u64;
        self.replay = Some(bytes).filter(|bytes| !bytes.is_empty());
    }

    /// Marks the body as failed, so that it is not read any further.
    pub(super) fn fail(&mut self) {
        self.state = State::Failed;
    }

    /// Drains an unused body so that the connection can be used again. Returns the payload if draining is not worth it:
    /// while the payload exists, actix knows that the connection has to be closed.
    pub(super) async fn drain(mut self) -> Option<Payload> {
        // A stream of HTTP/2 can be dropped at any time.
        if is_http2(&self.payload) || self.state == State::Ended {
            return None;
        }
        let max = self.received + MAX_DRAINED;
        // A client that still waits for `100 Continue` will not send the body.
        let is_coming = self.awaits_continue.as_ref().is_none_or(|continue_state| continue_state.sent.get());
        if !is_coming || self.state == State::Failed || self.announced.is_some_and(|length| length > max) {
            return Some(self.payload);
        }
        let all = async {
            while self.received <= max {
                if poll_fn(|task| self.poll(task)).await.is_none() {
                    break;
                }
            }
        };
        // After a timeout, the state is still `Receiving`. The future is boxed, because few requests have an unused
        // body, and it would enlarge the future of every request.
        let _ = Box::pin(timeout(DRAIN_TIME, all)).await;
        (self.state != State::Ended).then_some(self.payload)
    }
}

/// Returns `true` for the body of a request in HTTP/2. Without the feature `http2`, actix has no variant for it.
fn is_http2(payload: &Payload) -> bool {
    !matches!(payload, Payload::None | Payload::H1 { .. } | Payload::Stream { .. })
}
