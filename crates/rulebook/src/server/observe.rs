//! Observes every request from its head to its response: counts it, writes the access log, and adds the header field
//! with its id.

use std::fmt::{self, Display, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_http::Response;
use actix_http::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;
use http::Method;
use log::kv::Value;
use rulebook_model::error::ErrorCode;

use super::head::REQUEST_ID;
use super::metrics::{RequestKind, Shard, Status};
use super::worker::Current;
use crate::call::Head;
use crate::plan::Plan;

/// The log target of the access log, by which filters select it.
const TARGET: &str = "rulebook::access";
/// The maximum number of characters of a path that are logged.
const MAX_PATH: usize = 1 << 10;

/// The observation of a request. If it is dropped before [`Observation::end`], the client has disconnected.
pub(super) struct Observation<'r> {
    plan: &'r Plan,
    shard: &'r Arc<Shard>,
    head: &'r Head,
    started: Instant,
    kind: RequestKind,
    /// `true` once the request has been counted and logged.
    reported: bool,
    /// `true` if the request counts as in flight until this value is dropped.
    counts_in_flight: bool,
}

impl<'r> Observation<'r> {
    /// Begins to observe a request.
    pub(super) fn begin(current: &'r Current, head: &'r Head) -> Self {
        let Current { runner, shard } = current;
        shard.begin();
        let (plan, started, kind) = (&*runner.plan, Instant::now(), RequestKind::Nothing);
        Self { plan, shard, head, started, kind, reported: false, counts_in_flight: true }
    }

    /// Sets the kind of the request.
    pub(super) fn set_kind(&mut self, kind: RequestKind) {
        self.kind = kind;
    }

    /// Returns the kind of the request that is known so far.
    pub(super) fn kind(&self) -> RequestKind {
        self.kind
    }

    /// Counts and logs the request, and adds its id to the response.
    pub(super) fn end(mut self, mut response: Response<BoxBody>) -> Response<BoxBody> {
        response.headers_mut().insert(REQUEST_ID.clone(), self.head.id.header_value());
        let code = response.extensions().get::<ErrorCode>().copied();
        if self.kind == RequestKind::Static && code == Some(ErrorCode::UnknownService) {
            self.kind = RequestKind::Nothing;
        }
        let length = match response.body().size() {
            BodySize::None => Some(0),
            BodySize::Sized(_) if self.head.method == Method::HEAD => Some(0),
            BodySize::Sized(length) => Some(length),
            BodySize::Stream => None,
        };
        self.report(Status::Sent(response.status().as_u16(), code), length);
        // In HTTP/2, many requests share a connection, so that only the response body knows when the response has been
        // sent.
        if !self.head.streams {
            return response;
        }
        self.counts_in_flight = false;
        response.map_body(|_, body| BoxBody::new(InFlight { body, shard: Arc::clone(self.shard) }))
    }

    /// Counts and logs the request. `length` is the number of bytes of the response body.
    fn report(&mut self, status: Status, length: Option<u64>) {
        self.reported = true;
        let duration = self.started.elapsed();
        self.shard.end(self.kind, status, duration);
        if log::log_enabled!(target: TARGET, log::Level::Info) {
            self.log(status, length, duration);
        }
    }

    fn log(&self, status: Status, length: Option<u64>, duration: Duration) {
        let Head { method, uri, peer, id: request_id, .. } = self.head;
        // A request target without a path (RFC 9112 section 3.2.3) is logged as a dash, so that every line has all
        // columns.
        let path = Some(uri.path()).filter(|path| !path.is_empty()).unwrap_or("-");
        let (method, path) = (Escaped(method.as_str()), Escaped(path));
        let (status, code) = match status {
            Status::ClientGone => (None, Some("-gone")),
            Status::Sent(status, code) => (Some(status), code.map(|code| code.row().name)),
        };
        let ms = duration.as_micros() as f64 / 1e3;
        let id = self.kind.id(self.plan);
        log::info!(
            target: TARGET,
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
        if !self.reported {
            self.report(Status::ClientGone, None);
        }
        if self.counts_in_flight {
            self.shard.leave();
        }
    }
}

/// A response body. Its request counts as in flight until the body has been sent.
struct InFlight {
    body: BoxBody,
    shard: Arc<Shard>,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.shard.leave();
    }
}

impl MessageBody for InFlight {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(task)
    }
}

/// Formats a value, or a dash if the value is `None`.
struct OrDash<T>(Option<T>);

impl<T: Display> Display for OrDash<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_char('-'),
        }
    }
}

/// Formats a text of the client for the log: cut to [`MAX_PATH`], and escaped so that it cannot begin another line or
/// column.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = MAX_PATH;
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
