//! Observes every request from its head to its reply: counts it, writes it to the access log, and records the spans of
//! its trace, which are the request itself, and each stage that took time.

use std::borrow::Cow;
use std::fmt::{self, Display, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;
use http::header::HeaderName;
use log::kv::Value;
use rulebook_model::error::ErrorCode;

use super::worker::ServedPlan;
use crate::call::{Head, Identity};
use crate::metrics::{RequestEnd, RequestKind, WorkerCounters};
use crate::pipeline::{GivenParameters, Reply, logged_path};
use crate::plan::Plan;
use crate::trace::{AttributeValue, RequestTrace};

pub(super) static REQUEST_ID_FIELD: HeaderName = HeaderName::from_static("x-request-id");

/// A log filter selects its lines by it.
const ACCESS_LOG_TARGET: &str = "rulebook::access";
/// The maximum length of a method name or path in the log.
const MAX_LOGGED_CHARS: usize = 1 << 10;

/// The observation of a request. If it is dropped before [`Observation::finish`] is called, the client has
/// disconnected.
pub(super) struct Observation<'r> {
    plan: &'r Plan,
    counters: &'r Arc<WorkerCounters>,
    head: &'r Head,
    started: Instant,
    pub(super) kind: RequestKind,
    is_identified: bool,
    caller: Option<Identity>,
    /// Empty until all parameters of the request have been accepted.
    pub(super) given: GivenParameters,
    traced: Option<Box<TracedRequest>>,
    is_reported: bool,
}

impl<'r> Observation<'r> {
    pub(super) fn begin(served: &'r ServedPlan, head: &'r Head) -> Self {
        let ServedPlan { runner, counters, .. } = served;
        counters.count_begin();
        let (plan, started, kind) = (&*runner.plan, Instant::now(), RequestKind::Unrouted);
        let traced = head.trace.as_ref().map(|trace| Box::new(TracedRequest::begin(trace)));
        let (caller, given) = (None, GivenParameters::default());
        Self { plan, counters, head, started, kind, is_identified: false, caller, given, traced, is_reported: false }
    }

    #[inline]
    pub(super) fn enter(&mut self, stage: &'static str) {
        if let Some(traced) = &mut self.traced {
            traced.enter(stage);
        }
    }

    /// `None` if the caller is anonymous.
    #[inline]
    pub(super) fn set_caller(&mut self, caller: Option<&Identity>) {
        self.is_identified = true;
        self.caller = caller.cloned();
    }

    pub(super) fn finish(mut self, reply: &Reply) {
        if self.kind == RequestKind::Static && reply.code.is_some_and(|code| code.code == ErrorCode::UnknownService) {
            self.kind = RequestKind::Unrouted;
        }
        let length = reply.body.len().map(|length| if self.head.method == Method::HEAD { 0 } else { length });
        self.report(RequestEnd::Sent(reply.status, reply.code), length);
    }

    /// `length` is that of the response body; `None` if it is unknown.
    fn report(&mut self, status: RequestEnd, length: Option<u64>) {
        self.is_reported = true;
        let now = Instant::now();
        let duration = now - self.started;
        self.counters.count_end(self.kind, status, duration);
        if let (RequestKind::Method(index), true) = (self.kind, self.is_identified) {
            self.counters.count_caller(self.caller.as_ref(), index, self.given);
        }
        if log::log_enabled!(target: ACCESS_LOG_TARGET, log::Level::Info) {
            self.write_access_log(status, length, duration);
        }
        if let Some(traced) = self.traced.take() {
            traced.finish(self.plan, self.head, self.kind, status, now);
        }
    }

    fn write_access_log(&self, status: RequestEnd, length: Option<u64>, duration: Duration) {
        let Head { method, peer, client, id: request_id, .. } = self.head;
        // A request target without a path (RFC 9112 section 3.2.3) is logged as a dash, so that every log line has the
        // same number of columns.
        let path = logged_path(self.plan, self.head);
        let path = if path.is_empty() { "-" } else { &*path };
        let (method, path) = (EscapedForLog(method.as_str()), EscapedForLog(path));
        let (status, code, error) = match status {
            RequestEnd::ClientDisconnected => (None, Some("-gone"), None),
            RequestEnd::Sent(status, code) => (
                Some(status),
                code.map(|code| code.code.row().name),
                code.and_then(|code| self.kind.declared_error(self.plan, code)),
            ),
        };
        let ms = duration.as_micros() as f64 / 1e3;
        let id = self.kind.method_label(self.plan);
        let caller = self.caller.as_ref().map(|caller| EscapedForLog(caller.name()));
        let colon = if error.is_some() { ":" } else { "" };
        log::info!(
            target: ACCESS_LOG_TARGET,
            client = client.as_ref().map(Value::from_display),
            peer = peer.as_ref().map(Value::from_display),
            caller = self.caller.as_ref().map(Identity::name),
            method:%,
            path:%,
            status,
            bytes = length,
            ms,
            id,
            code,
            error,
            request_id:%;
            "{} {} {method} {path} {} {} {ms:.3}ms {id} {}{}{} {request_id}",
            ClientAndPort(*client, *peer), OrDash(caller), OrDash(status), OrDash(length), OrDash(code), colon,
            error.unwrap_or_default()
        );
    }
}

impl Drop for Observation<'_> {
    fn drop(&mut self) {
        if !self.is_reported {
            self.report(RequestEnd::ClientDisconnected, None);
        }
        self.counters.count_no_longer_in_flight();
    }
}

/// The port is written only if the client itself has opened the connection.
struct ClientAndPort(Option<IpAddr>, Option<SocketAddr>);

impl Display for ClientAndPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (Some(client), Some(peer)) if client == peer.ip().to_canonical() => peer.fmt(f),
            (client, _) => OrDash(client).fmt(f),
        }
    }
}

struct OrDash<T>(Option<T>);

impl<T: Display> Display for OrDash<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_char('-'),
        }
    }
}

/// A text that is truncated to [`MAX_LOGGED_CHARS`], and escaped so that it cannot add a line or a column to the log.
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

const MIN_STAGE: Duration = Duration::from_micros(100);
/// The maximum length of the request's path in its span, in bytes.
const MAX_PATH_LEN: usize = 1 << 10;
/// The stage that always has a span, to which the spans of the handler belong.
pub(super) const HANDLE: &str = "handle";

pub(super) struct TracedRequest {
    trace: Arc<RequestTrace>,
    stage: &'static str,
    /// 0 if no other span belongs to the stage.
    stage_id: u64,
    stage_start: Instant,
}

impl TracedRequest {
    pub(super) fn begin(trace: &Arc<RequestTrace>) -> Self {
        Self { trace: Arc::clone(trace), stage: "route", stage_id: 0, stage_start: trace.start() }
    }

    pub(super) fn enter(&mut self, stage: &'static str) {
        let now = Instant::now();
        self.end_stage(now);
        let stage_id = if stage == HANDLE { self.trace.enter() } else { 0 };
        (self.stage, self.stage_id, self.stage_start) = (stage, stage_id, now);
    }

    fn end_stage(&self, now: Instant) {
        if self.stage_id != 0 || now - self.stage_start >= MIN_STAGE {
            self.trace.record_stage(self.stage, self.stage_id, self.stage_start, now);
        }
    }

    pub(super) fn finish(self, plan: &Plan, head: &Head, kind: RequestKind, end: RequestEnd, now: Instant) {
        if !self.trace.context().is_sampled {
            return;
        }
        self.end_stage(now);
        let method = known_method(&head.method);
        let path = logged_path(plan, head);
        let path_end = (0..=path.len().min(MAX_PATH_LEN)).rev().find(|end| path.is_char_boundary(*end));
        let path = &path[..path_end.unwrap_or(0)];
        let mut attributes: Vec<(&'static str, AttributeValue)> = vec![
            ("http.request.method", method.into()),
            ("url.path", path.to_owned().into()),
            ("rulebook.request_id", head.id.to_string().into()),
        ];
        attributes.extend(head.client.map(|client| ("client.address", client.to_string().into())));
        let name = match kind {
            RequestKind::Method(index) => {
                let planned = &plan.methods[index];
                attributes.push(("http.route", planned.route.to_string().into()));
                attributes.push(("rulebook.method", planned.id.to_string().into()));
                format!("{method} {}", planned.route)
            }
            _ => method.to_owned(),
        };
        let error: Option<Cow<'static, str>> = match end {
            RequestEnd::ClientDisconnected => Some("the client has disconnected".into()),
            RequestEnd::Sent(status, code) => {
                attributes.push(("http.response.status_code", status.into()));
                let code = code.map(|code| {
                    let declared = kind.declared_error(plan, code);
                    declared.map_or_else(|| code.code.row().name.to_owned(), str::to_owned)
                });
                if let Some(code) = &code {
                    attributes.push(("error.type", code.clone().into()));
                }
                // An error of the client is no error of the server.
                (status >= 500).then(|| code.map_or(Cow::Borrowed("an error"), Cow::Owned))
            }
        };
        self.trace.record_request(name, now, attributes, error);
    }
}

fn known_method(method: &Method) -> &'static str {
    let known = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT"];
    known.into_iter().find(|known| *method == **known).unwrap_or("_OTHER")
}
