//! The spans of a request in its trace: the request itself, and each stage that took time.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;

use crate::call::Head;
use crate::metrics::{RequestEnd, RequestKind};
use crate::plan::Plan;
use crate::trace::{AttributeValue, RequestTrace};

/// The shortest time for which a stage gets a span.
const MIN_STAGE: Duration = Duration::from_micros(100);
/// The maximum number of bytes of the request's path in its span.
const MAX_PATH_LEN: usize = 1 << 10;
/// The stage in which a handler runs. It always has a span, to which those of the handler belong.
pub(super) const HANDLE: &str = "handle";

pub(super) struct TracedRequest {
    trace: Arc<RequestTrace>,
    stage: &'static str,
    /// The id of the stage's span; 0 if no other span belongs to it.
    stage_id: u64,
    stage_start: Instant,
}

impl TracedRequest {
    pub(super) fn begin(trace: &Arc<RequestTrace>) -> Self {
        Self { trace: Arc::clone(trace), stage: "route", stage_id: 0, stage_start: trace.start() }
    }

    /// Ends the current stage, and begins another one.
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
        let path = head.uri.path();
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

/// Returns the name of an HTTP method in spans.
fn known_method(method: &Method) -> &'static str {
    let known = [
        (Method::GET, "GET"),
        (Method::POST, "POST"),
        (Method::PUT, "PUT"),
        (Method::DELETE, "DELETE"),
        (Method::PATCH, "PATCH"),
        (Method::HEAD, "HEAD"),
        (Method::OPTIONS, "OPTIONS"),
        (Method::TRACE, "TRACE"),
        (Method::CONNECT, "CONNECT"),
    ];
    known.iter().find(|(known, _)| known == method).map_or("_OTHER", |(_, name)| name)
}
