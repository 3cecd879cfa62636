//! What is told of every request, whatever answers it: a line in the access log, and the counters.

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

use super::head::REQUEST_ID;
use super::metrics::{Answer, For, Shard};
use super::worker::Current;
use crate::call::Head;
use crate::error::Code;
use crate::plan::Plan;

/// What the access log is filtered by.
const TARGET: &str = "rulebook::access";
/// The most bytes of a path that are logged.
const LONGEST: usize = 1 << 10;

/// A request, from when its head is there; dropped before it is answered, its client has gone.
pub(super) struct Observed<'r> {
    plan: &'r Plan,
    shard: &'r Arc<Shard>,
    head: &'r Head,
    started: Instant,
    of: For,
    told: bool,
    /// Whether it is in flight no longer than this lives.
    leaves: bool,
}

impl<'r> Observed<'r> {
    pub(super) fn begin(current: &'r Current, head: &'r Head) -> Self {
        let Current { runner, shard, .. } = current;
        shard.begin();
        let (plan, started) = (&*runner.plan, Instant::now());
        Self { plan, shard, head, started, of: For::Nothing, told: false, leaves: true }
    }

    /// What the request turned out to be for.
    pub(super) fn is_for(&mut self, of: For) {
        self.of = of;
    }

    /// What it is for, as far as that is known.
    pub(super) fn of(&self) -> For {
        self.of
    }

    /// It goes on to somebody else, who tells of it.
    pub(super) fn pass(&mut self) {
        self.told = true;
    }

    /// The answer is ready, and is given the request's name.
    pub(super) fn answered(mut self, mut response: Response<BoxBody>) -> Response<BoxBody> {
        response.headers_mut().insert(REQUEST_ID.clone(), self.head.id.header_value());
        let code = response.extensions().get::<Code>().copied();
        if self.of == For::Static && code == Some(Code::UnknownService) {
            self.of = For::Nothing;
        }
        let length = match response.body().size() {
            BodySize::None => Some(0),
            BodySize::Sized(_) if self.head.method == Method::HEAD => Some(0),
            BodySize::Sized(length) => Some(length),
            BodySize::Stream => None,
        };
        self.tell(Answer::Status(response.status().as_u16(), code), length);
        // Of HTTP/2 nobody else knows when an answer has been sent: many are on one connection.
        if !self.head.streams {
            return response;
        }
        self.leaves = false;
        response.map_body(|_, body| BoxBody::new(Sending { body, shard: Arc::clone(self.shard) }))
    }

    fn tell(&mut self, answer: Answer, length: Option<u64>) {
        self.told = true;
        let duration = self.started.elapsed();
        self.shard.end(self.of, answer, duration);
        if log::log_enabled!(target: TARGET, log::Level::Info) {
            self.log(answer, length, duration);
        }
    }

    fn log(&self, answer: Answer, length: Option<u64>, duration: Duration) {
        let Head { method, uri, peer, id: request_id, .. } = self.head;
        // A target without a path (RFC 9112 section 3.2.3) still has its column.
        let path = Some(uri.path()).filter(|path| !path.is_empty()).unwrap_or("-");
        let (method, path) = (Shown(method.as_str()), Shown(path));
        let (status, code) = match answer {
            Answer::Gone => (None, Some("-gone")),
            Answer::Status(status, code) => (Some(status), code.map(|code| code.row().name)),
        };
        let ms = duration.as_micros() as f64 / 1e3;
        let id = self.of.id(self.plan);
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
            Or(*peer), Or(status), Or(length), Or(code)
        );
    }
}

impl Drop for Observed<'_> {
    fn drop(&mut self) {
        if !self.told {
            self.tell(Answer::Gone, None);
        }
        if self.leaves {
            self.shard.leave();
        }
    }
}

/// The body of an answer, whose request is in flight until it has been sent.
struct Sending {
    body: BoxBody,
    shard: Arc<Shard>,
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.shard.leave();
    }
}

impl MessageBody for Sending {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(task)
    }
}

/// A value, or a dash.
struct Or<T>(Option<T>);

impl<T: Display> Display for Or<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_char('-'),
        }
    }
}

/// A client's text in a line of the log: not too long, and with nothing in it that would begin another line or
/// another column.
struct Shown<'a>(&'a str);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = LONGEST;
        for char in self.0.chars() {
            if rest == 0 {
                return f.write_char('…');
            }
            rest -= 1;
            if char.is_ascii_graphic() {
                f.write_char(char)?;
            } else {
                write!(f, "{}", char.escape_unicode())?;
            }
        }
        Ok(())
    }
}
