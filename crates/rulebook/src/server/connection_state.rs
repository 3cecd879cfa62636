//! What the stream of a connection and the services that handle its requests know of each other.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Instant;

use crate::call::TlsSession;
use crate::pipeline::Route;

/// What a client can request on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Served {
    /// Everything.
    Everything,
    /// The state of the server, with a single request that must not take long: all connections of the server are used.
    ServerState,
}

impl Served {
    /// Returns `true` if a request with this route is handled.
    pub(super) fn permits(self, route: &Route) -> bool {
        self == Self::Everything || matches!(route, Route::Server(path) if path.is_server_state())
    }
}

/// The state of a connection. Its stream is in one task with the services that handle its requests.
#[derive(Debug)]
pub(super) struct ConnectionState {
    /// What the client can request.
    pub(super) served: Served,
    /// What the TLS connection shows about its client; `None` if the connection has no TLS.
    pub(super) tls: Option<Arc<TlsSession>>,
    /// `true` if several requests can be handled at the same time.
    pub(super) is_http2: bool,
    /// The number of requests that are being handled, or whose responses are being made.
    handled_requests: Cell<usize>,
    /// The number of requests that have begun.
    request_number: Cell<u64>,
    /// `true` while a request waits for bytes of its body.
    receives_body: Cell<bool>,
    /// The number of bytes that followed the last head in its piece.
    bytes_behind_head: Cell<usize>,
    /// `true` if a part of the next head arrived together with the head of the request that is being handled.
    next_head_has_begun: Cell<bool>,
    /// Since when the head of a request is incomplete; `None` if no byte of it has arrived.
    head_since: Cell<Option<Instant>>,
    /// The end of the last request.
    idle_since: Cell<Instant>,
    /// The number of bytes of the current response that wait in memory, besides those that actix has copied.
    unsent_body: Cell<usize>,
    /// `true` once a response says that the connection ends.
    closes: Cell<bool>,
    /// `true` once this response has been sent.
    has_ended: Cell<bool>,
    /// `true` if the client may still send the body of the last request.
    has_unread_body: Cell<bool>,
    /// The task of the connection, if its stream receives nothing until a request ends or waits for its body.
    waiting: RefCell<Option<Waker>>,
}

impl ConnectionState {
    /// Returns the state of a connection. `begun` is the time from which the server waits for its first head.
    pub(super) fn new(begun: Instant, served: Served, tls: Option<Arc<TlsSession>>, is_http2: bool) -> Self {
        Self {
            served,
            tls,
            is_http2,
            handled_requests: Cell::default(),
            request_number: Cell::default(),
            receives_body: Cell::default(),
            bytes_behind_head: Cell::default(),
            next_head_has_begun: Cell::default(),
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
    pub(super) fn begin_request(self: &Rc<Self>, has_body: bool) -> HandledRequest {
        self.request_number.set(self.request_number.get() + 1);
        self.next_head_has_begun.set(!has_body && self.bytes_behind_head.get() > 0);
        self.head_since.set(None);
        // A route of the program reads its body without further notice.
        self.receives_body.set(has_body);
        self.handled_requests.set(self.handled_requests.get() + 1);
        HandledRequest(Rc::clone(self))
    }

    /// Returns `true` while a request is being handled or its response is being made.
    pub(super) fn is_handling(&self) -> bool {
        self.handled_requests.get() > 0
    }

    /// Returns the number of requests that have begun.
    pub(super) fn request_number(&self) -> u64 {
        self.request_number.get()
    }

    /// Returns since when the head of a request is incomplete; `None` if the connection is idle.
    pub(super) fn head_since(&self) -> Option<Instant> {
        self.head_since.get()
    }

    /// Returns the end of the last request.
    pub(super) fn idle_since(&self) -> Instant {
        self.idle_since.get()
    }

    /// Notes that actix gets a piece of a head, and the number of bytes behind the end of the head.
    pub(super) fn note_head(&self, bytes_behind: usize) {
        self.bytes_behind_head.set(bytes_behind);
        if self.head_since.get().is_none() {
            self.head_since.set(Some(Instant::now()));
        }
    }

    /// Returns `true` while a request waits for bytes of its body.
    pub(super) fn receives_body(&self) -> bool {
        self.receives_body.get()
    }

    /// Wakes the task when the request that is being handled ends or waits for its body, or at once if there is none.
    pub(super) fn wake_when_free(&self, task: &Context<'_>) {
        if self.is_handling() {
            self.waiting.replace(Some(task.waker().clone()));
        } else {
            task.waker().wake_by_ref();
        }
    }

    /// Returns the number of bytes of the current response that wait in memory.
    pub(super) fn unsent_body(&self) -> usize {
        self.unsent_body.get()
    }

    /// Sets the number of bytes of the current response that wait in memory.
    pub(super) fn set_unsent_body(&self, bytes: usize) {
        self.unsent_body.set(bytes);
    }

    /// Notes that a response says that the connection ends. `has_unread_body` is `true` if the client may still send
    /// the body of the request.
    pub(super) fn close(&self, has_unread_body: bool) {
        self.closes.set(true);
        self.has_unread_body.set(has_unread_body);
    }

    /// Returns `true` if the client may still send the body of the last request.
    pub(super) fn has_unread_body(&self) -> bool {
        self.has_unread_body.get()
    }

    /// Returns `true` once a response says that the connection ends. No further request is handled.
    pub(super) fn closes(&self) -> bool {
        self.closes.get()
    }

    /// Ends the connection if a response says so and all responses have been sent. Returns `true` if it ends now.
    pub(super) fn end(&self) -> bool {
        self.closes.get() && !self.is_handling() && !self.has_ended.replace(true)
    }

    /// Returns `true` once the response that ends the connection has been sent.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.get()
    }

    /// Sets whether a request waits for bytes of its body.
    pub(super) fn set_receives_body(&self, receives: bool) {
        self.receives_body.set(receives);
        if receives {
            self.wake();
        }
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
        connection.receives_body.set(false);
        connection.unsent_body.set(0);
        let now = Instant::now();
        connection.idle_since.set(now);
        if connection.next_head_has_begun.take() {
            connection.head_since.set(Some(now));
        }
        connection.wake();
    }
}
