//! What the stream of a connection and the services that handle its requests know of each other.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Instant;

use actix_http::RequestHead;
use bytes::BytesMut;
use rulebook_model::error::ErrorCode;
use rulebook_model::model::ServerPath;

use super::position::Position;
use crate::call::{ApiError, TlsSession};
use crate::pipeline::Route;

/// What a client can request on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Served {
    /// Everything.
    Everything,
    /// Everything except the metrics and the readiness, which have an address of their own.
    Api,
    /// Only the state of the server.
    Monitoring,
    /// The state of the server, with a single request that must not take long: all connections of the server are used.
    ServerState,
}

impl Served {
    /// Returns the error for a request with this route; `None` if the client may request it.
    pub(super) fn refuse(self, route: &Route) -> Option<ApiError> {
        let state = match route {
            Route::Server(path) if path.is_server_state() => Some(*path),
            _ => None,
        };
        match self {
            Self::Everything => None,
            // A load balancer asks for the health of each address.
            Self::Api => state.filter(|path| *path != ServerPath::Health).map(|_| ApiError::unknown_service()),
            Self::Monitoring => state.is_none().then(ApiError::unknown_service),
            Self::ServerState => state.is_none().then(|| ApiError::plain(ErrorCode::Unavailable)),
        }
    }
}

/// The state of a connection. Its stream is in one task with the services that handle its requests.
#[derive(Debug)]
pub(super) struct ConnectionState {
    pub(super) served: Served,
    /// What the TLS connection shows about its client; `None` if the connection has no TLS.
    pub(super) tls: Option<Arc<TlsSession>>,
    /// The number of requests that are being handled, or whose responses are being made.
    handled_requests: Cell<usize>,
    pub(super) request_number: Cell<u64>,
    /// Up to which position actix has got what the client sends.
    position: Cell<Position>,
    /// Since when the head of a request is incomplete; `None` if no byte of it has arrived.
    pub(super) head_since: Cell<Option<Instant>>,
    pub(super) idle_since: Cell<Instant>,
    /// The number of bytes of the current response that wait in memory, besides those that actix has copied.
    pub(super) unsent_body: Cell<usize>,
    /// `true` once a response says that the connection ends.
    closes: Cell<bool>,
    pub(super) has_ended: Cell<bool>,
    /// `true` if the client may still send the body of the last request.
    pub(super) has_unread_body: Cell<bool>,
    /// The task of the connection, if its stream receives nothing until actix may have more.
    waiting: RefCell<Option<Waker>>,
}

impl ConnectionState {
    /// Returns the state of a connection. `begun` is the time from which the server waits for its first head.
    pub(super) fn new(begun: Instant, served: Served, tls: Option<Arc<TlsSession>>) -> Self {
        Self {
            served,
            tls,
            handled_requests: Cell::default(),
            request_number: Cell::default(),
            position: Cell::new(Position::Start),
            head_since: Cell::new(Some(begun)),
            idle_since: Cell::new(begun),
            unsent_body: Cell::default(),
            closes: Cell::default(),
            has_ended: Cell::default(),
            has_unread_body: Cell::default(),
            waiting: RefCell::default(),
        }
    }

    /// Notes that a request begins. It ends when the returned value is dropped.
    pub(super) fn begin_request(self: &Rc<Self>, head: &RequestHead) -> HandledRequest {
        self.request_number.set(self.request_number.get() + 1);
        self.head_since.set(None);
        self.handled_requests.set(self.handled_requests.get() + 1);
        self.position.set(Position::behind(head));
        if !self.must_wait() {
            self.wake();
        }
        HandledRequest(Rc::clone(self))
    }

    /// Returns `true` if actix may not have more of what the client sends: before it has decoded a head; behind a
    /// request, before the response has been made; and behind the last request of the connection (RFC 9112 section
    /// 9.6).
    pub(super) fn must_wait(&self) -> bool {
        match self.position.get() {
            Position::BehindHead => true,
            Position::Start => self.is_handling() || self.closes.get(),
            _ => false,
        }
    }

    /// Returns the next bytes with an encoded request target, see [`Position::encode_target`].
    pub(super) fn encode_target(&self, bytes: &[u8]) -> Option<BytesMut> {
        self.position.get().encode_target(bytes)
    }

    /// Returns how many of these bytes actix may have, and notes that it gets them.
    pub(super) fn pass(&self, bytes: &[u8]) -> usize {
        let mut position = self.position.get();
        if position == Position::Start && !bytes.is_empty() && self.head_since.get().is_none() {
            self.head_since.set(Some(Instant::now()));
        }
        let length = position.advance(bytes);
        self.position.set(position);
        length
    }

    /// Wakes the task when actix may have more.
    pub(super) fn wake_later(&self, task: &Context<'_>) {
        self.waiting.replace(Some(task.waker().clone()));
    }

    pub(super) fn is_handling(&self) -> bool {
        self.handled_requests.get() > 0
    }

    /// Notes that a response says that the connection ends. `has_unread_body` is `true` if the client may still send
    /// the body of the request.
    pub(super) fn note_close(&self, has_unread_body: bool) {
        self.closes.set(true);
        self.has_unread_body.set(has_unread_body);
    }

    /// Ends the connection if a response says so and all responses have been sent. Returns `true` if it ends now.
    pub(super) fn end(&self) -> bool {
        self.closes.get() && !self.is_handling() && !self.has_ended.replace(true)
    }

    fn wake(&self) {
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }
}

/// A request of a connection, until the body of its response has been made.
#[derive(Debug)]
pub(super) struct HandledRequest(Rc<ConnectionState>);

impl Drop for HandledRequest {
    fn drop(&mut self) {
        let Self(connection) = self;
        connection.handled_requests.set(connection.handled_requests.get() - 1);
        if connection.is_handling() {
            return;
        }
        connection.unsent_body.set(0);
        connection.idle_since.set(Instant::now());
        connection.wake();
    }
}
