//! Observes every request from its head to its response: counts the request, writes it to the access log, and adds the
//! header field with the request's id to the response.

use std::cell::RefCell;
use std::fmt::{self, Display, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_http::Response;
use actix_http::body::{BodySize, BoxBody, MessageBody};
use bytes::{Bytes, BytesMut};
use http::Method;
use log::kv::Value;
use rulebook_model::error::ErrorCode;

use super::incoming_request::REQUEST_ID_FIELD;
use super::metrics::{RequestEnd, RequestKind, WorkerCounters};
use super::worker::CurrentPlan;
use crate::call::Head;
use crate::plan::Plan;

/// The log target of the access log, by which a log filter selects its lines.
const ACCESS_LOG_TARGET: &str = "rulebook::access";
/// The maximum number of characters of a method name or path that are logged. A longer text is truncated.
const MAX_LOGGED_CHARS: usize = 1 << 10;

/// The observation of one request. If this value is dropped before [`Observation::finish`] is called, the client has
/// disconnected.
pub(super) struct Observation<'r> {
    plan: &'r Plan,
    counters: &'r Arc<WorkerCounters>,
    id_buffer: &'r RefCell<BytesMut>,
    head: &'r Head,
    started: Instant,
    kind: RequestKind,
    /// `true` once the request has been counted and logged.
    is_reported: bool,
    /// `true` if this value must count the request as no longer in flight when it is dropped.
    counts_in_flight: bool,
}

impl<'r> Observation<'r> {
    /// Begins to observe a request, and counts it as in flight.
    pub(super) fn begin(current: &'r CurrentPlan, head: &'r Head) -> Self {
        let CurrentPlan { runner, counters, id_buffer } = current;
        counters.count_begin();
        let (plan, started, kind) = (&*runner.plan, Instant::now(), RequestKind::Unrouted);
        Self { plan, counters, id_buffer, head, started, kind, is_reported: false, counts_in_flight: true }
    }

    /// Sets the kind of the request, once it is known.
    pub(super) fn set_kind(&mut self, kind: RequestKind) {
        self.kind = kind;
    }

    /// Returns the kind of the request, as far as it is known.
    pub(super) fn kind(&self) -> RequestKind {
        self.kind
    }

    /// Counts and logs the request, and adds the id of the request to its response.
    pub(super) fn finish(mut self, mut response: Response<BoxBody>) -> Response<BoxBody> {
        let id = self.head.id.header_value(&mut self.id_buffer.borrow_mut());
        response.headers_mut().insert(REQUEST_ID_FIELD.clone(), id);
        let code = response.extensions().get::<ErrorCode>().copied();
        if self.kind == RequestKind::Static && code == Some(ErrorCode::UnknownService) {
            self.kind = RequestKind::Unrouted;
        }
        let length = match response.body().size() {
            BodySize::None => Some(0),
            BodySize::Sized(_) if self.head.method == Method::HEAD => Some(0),
            BodySize::Sized(length) => Some(length),
            BodySize::Stream => None,
        };
        self.report(RequestEnd::Sent(response.status().as_u16(), code), length);
        // On an HTTP/2 connection, several requests are handled at the same time. Only the body of the response learns
        // when it has been sent.
        if !self.head.streams {
            return response;
        }
        self.counts_in_flight = false;
        response.map_body(|_, body| BoxBody::new(InFlightBody { body, counters: Arc::clone(self.counters) }))
    }

    /// Counts and logs the request. `length` is the number of bytes in the response body; `None` if it is unknown.
    fn report(&mut self, status: RequestEnd, length: Option<u64>) {
        self.is_reported = true;
        let duration = self.started.elapsed();
        self.counters.count_end(self.kind, status, duration);
        if log::log_enabled!(target: ACCESS_LOG_TARGET, log::Level::Info) {
            self.write_access_log(status, length, duration);
        }
    }

    fn write_access_log(&self, status: RequestEnd, length: Option<u64>, duration: Duration) {
        let Head { method, uri, peer, id: request_id, .. } = self.head;
        // A request target without a path (RFC 9112 section 3.2.3) is logged as a dash, so that every log line has the
        // same number of columns.
        let path = Some(uri.path()).filter(|path| !path.is_empty()).unwrap_or("-");
        let (method, path) = (EscapedForLog(method.as_str()), EscapedForLog(path));
        let (status, code) = match status {
            RequestEnd::ClientDisconnected => (None, Some("-gone")),
            RequestEnd::Sent(status, code) => (Some(status), code.map(|code| code.row().name)),
        };
        let ms = duration.as_micros() as f64 / 1e3;
        let id = self.kind.method_label(self.plan);
        log::info!(
            target: ACCESS_LOG_TARGET,
            peer = peer.as_ref().map(Value::from_display),
            method:%,
            path:%,
            status,
            bytes = length,
            ms,
            id,
            code,
            request_id:%;
            "{} {method} {path} {} {} {ms:.3}ms {id} {} {request_id}",
            OrDash(*peer), OrDash(status), OrDash(length), OrDash(code)
        );
    }
}

impl Drop for Observation<'_> {
    fn drop(&mut self) {
        if !self.is_reported {
            self.report(RequestEnd::ClientDisconnected, None);
        }
        if self.counts_in_flight {
            self.counters.count_no_longer_in_flight();
        }
    }
}

/// The body of a response. The request counts as in flight until this value is dropped.
struct InFlightBody {
    body: BoxBody,
    counters: Arc<WorkerCounters>,
}

impl Drop for InFlightBody {
    fn drop(&mut self) {
        self.counters.count_no_longer_in_flight();
    }
}

impl MessageBody for InFlightBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(task)
    }
}

/// Formats a value, or writes a dash if there is no value.
struct OrDash<T>(Option<T>);

impl<T: Display> Display for OrDash<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_char('-'),
        }
    }
}

/// Formats a text from the client for the log. The text is truncated to [`MAX_LOGGED_CHARS`] characters, and escaped so
/// that it cannot add a line or a column to the log.
struct EscapedForLog<'a>(&'a str);

impl Display for EscapedForLog<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = MAX_LOGGED_CHARS;
        for char in self.0.chars() {
            if left == 0 {
                return f.write_char('…');
            }
            left -= 1;
            if char.is_ascii_graphic() {
                f.write_char(char)?;
            } else {
                write!(f, "{}", char.escape_unicode())?;
            }
        }
        Ok(())
    }
}
