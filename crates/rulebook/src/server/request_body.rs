//! The body of a request, which is read piece by piece while it arrives.

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

/// The maximum number of bytes of an unused body that the server reads to keep the connection open for further
/// requests.
const MAX_DRAINED_BYTES: u64 = 64 << 10;
/// The maximum time for which the server reads an unused body to keep the connection open.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(100);
/// The state of a request whose client sends the body only after it has received `100 Continue`.
#[derive(Debug, Default)]
pub(super) struct ContinueState {
    /// `true` once the server has waited for the body while it handled the request.
    pub(super) is_needed: Cell<bool>,
    /// `true` once `100 Continue` has been sent.
    pub(super) is_sent: Cell<bool>,
}

/// The body of a request.
pub(super) struct RequestBody {
    payload: Payload,
    /// The length of the body in bytes, as `Content-Length` announces it.
    pub(super) announced_length: Option<u64>,
    /// The number of bytes that have been received so far.
    pub(super) received_bytes: u64,
    /// `true` once the server has waited for bytes of the body.
    pub(super) has_waited: bool,
    /// Measures the time limit; `None` until the server first waits for the body.
    pub(super) timer: Option<BodyTimer>,
    state: BodyState,
    /// Bytes that were read to find the method. The next call of [`RequestBody::poll_next`] returns them again.
    replayed_bytes: Option<Bytes>,
    /// The state of `100 Continue`; `None` if the client does not wait for this response.
    continue_state: Option<Rc<ContinueState>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyState {
    Receiving,
    Ended,
    Failed,
}

impl RequestBody {
    pub(super) fn new(payload: Payload, head: &Head) -> Self {
        let state = if matches!(payload, Payload::None) { BodyState::Ended } else { BodyState::Receiving };
        let announced_length = head.get(&header::CONTENT_LENGTH).and_then(|length| length.trim().parse().ok());
        let (replayed_bytes, timer, continue_state) = (None, None, None);
        Self {
            payload,
            announced_length,
            received_bytes: 0,
            state,
            replayed_bytes,
            has_waited: false,
            timer,
            continue_state,
        }
    }

    /// Delays reading the body until `100 Continue` has been sent to the client.
    pub(super) fn wait_for_continue(&mut self, continue_state: &Rc<ContinueState>) {
        self.continue_state = Some(Rc::clone(continue_state));
    }

    /// Returns the next bytes of the body; `None` at the end of the body.
    pub(super) fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        if let Some(bytes) = self.replayed_bytes.take() {
            self.received_bytes += bytes.len() as u64;
            return Poll::Ready(Some(Ok(bytes)));
        }
        if self.state != BodyState::Receiving {
            return Poll::Ready(None);
        }
        if let Some(continue_state) =
            self.continue_state.as_ref().filter(|continue_state| !continue_state.is_sent.get())
        {
            // No waker is needed: the request is polled again after `100 Continue` has been sent.
            continue_state.is_needed.set(true);
            return Poll::Pending;
        }
        let polled = Pin::new(&mut self.payload).poll_next(task);
        match &polled {
            Poll::Ready(Some(Ok(bytes))) => self.received_bytes += bytes.len() as u64,
            Poll::Ready(Some(Err(_))) => self.state = BodyState::Failed,
            Poll::Ready(None) => self.state = BodyState::Ended,
            Poll::Pending => {}
        }
        polled
    }

    /// Puts back bytes that have been read. The next call of [`RequestBody::poll_next`] returns them again.
    pub(super) fn put_back(&mut self, bytes: Bytes) {
        self.received_bytes -= bytes.len() as u64;
        self.replayed_bytes = Some(bytes).filter(|bytes| !bytes.is_empty());
    }

    /// Marks the body as failed, so that no more of it is read.
    pub(super) fn mark_failed(&mut self) {
        self.state = BodyState::Failed;
    }

    /// Returns `true` if a part of the body is unread that keeps the connection from being used for further requests. On
    /// an HTTP/2 connection, a body does not need to be read before the next request.
    pub(super) fn must_be_drained(&self) -> bool {
        self.state != BodyState::Ended && !is_http2(&self.payload)
    }

    /// Reads and discards the unread part of a body that [must be drained](RequestBody::must_be_drained), so that the
    /// connection can be used for further requests. If the unread part is too long or arrives too slowly, returns the
    /// payload of actix: while this value exists, actix knows that the connection has to be closed.
    pub(super) async fn drain(mut self) -> Option<Payload> {
        let max = self.received_bytes + MAX_DRAINED_BYTES;
        // A client that still waits for `100 Continue` will not send the body.
        let is_coming = self.continue_state.as_ref().is_none_or(|continue_state| continue_state.is_sent.get());
        if !is_coming || self.state == BodyState::Failed || self.announced_length.is_some_and(|length| length > max) {
            return Some(self.payload);
        }
        let all = async {
            while self.received_bytes <= max {
                if poll_fn(|task| self.poll_next(task)).await.is_none() {
                    break;
                }
            }
        };
        // If the time is over, the state is still `Receiving`.
        let _ = timeout(DRAIN_TIMEOUT, all).await;
        (self.state != BodyState::Ended).then_some(self.payload)
    }
}

/// Returns `true` for the body of an HTTP/2 request. The variant for HTTP/2 is not named, because it exists only with
/// the feature `http2`.
fn is_http2(payload: &Payload) -> bool {
    !matches!(payload, Payload::None | Payload::H1 { .. } | Payload::Stream { .. })
}
