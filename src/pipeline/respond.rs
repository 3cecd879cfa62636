//! Last stage: an outcome in its envelope and format.
//!
//! Every answer is written here, also those of requests that no service has.

use http::{HeaderName, HeaderValue, header};
use serde_json::Value as Json;

use crate::call::{Encode, Head, Outcome, Reason, Refusal};
use crate::envelope::{Envelope, Members, Problem, WriteError};
use crate::plan::{Method, Plan};

/// An answer, ready to be sent.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body's media type; none where there is no body.
    pub content_type: Option<&'static str>,
    /// Other header fields.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Writes what a method's call ended in.
pub(super) fn respond(plan: &Plan, head: &Head, method: &Method, outcome: Outcome) -> Reply {
    let envelope = &*plan.modules[method.module].envelope;
    let success = match outcome {
        Ok(success) => success,
        Err(refusal) => return write_refusal(envelope, head, Some(method), refusal),
    };
    // RFC 9110 section 15.3.5 and 15.3.6: no content.
    if matches!(success.status, 204 | 205) {
        return Reply { status: success.status, content_type: None, headers: success.headers, body: Vec::new() };
    }
    let mut members = JsonMembers::new();
    match envelope.success(&*success.outputs, success.whole, &mut members) {
        Ok(()) => Reply {
            status: success.status,
            content_type: Some("application/json"),
            headers: success.headers,
            body: members.finish(),
        },
        Err(error) => write_refusal(envelope, head, Some(method), Refusal::internal(error)),
    }
}

/// Writes the refusal of a request for which no method is known.
#[must_use]
pub fn refuse(plan: &Plan, head: &Head, refusal: Refusal) -> Reply {
    write_refusal(&*plan.envelope, head, None, refusal)
}

fn write_refusal(envelope: &dyn Envelope, head: &Head, method: Option<&Method>, refusal: Refusal) -> Reply {
    let refusal = noted(method, refusal);
    let envelope: &dyn Envelope = if only_problems(head) { &Problem } else { envelope };
    let mut members = JsonMembers::new();
    // The members of a refusal are JSON values, which cannot fail to be written.
    let body = match envelope.refusal(&refusal, &mut members) {
        Ok(()) => members.finish(),
        Err(_) => Vec::new(),
    };
    Reply {
        status: refusal.status().get(),
        content_type: Some(envelope.refusal_type()),
        headers: refusal.headers().to_vec(),
        body,
    }
}

/// Logs what only the log may know, under an id that the client is told.
fn noted(method: Option<&Method>, refusal: Refusal) -> Refusal {
    let id = method.map_or("-", |method| &method.id);
    match (refusal.reason(), refusal.log()) {
        (Reason::Internal { .. }, why) => {
            let request_id = random_id();
            log::error!("{id}: {request_id}: {}", why.unwrap_or("no reason given"));
            refusal.with_request_id(&request_id)
        }
        (_, Some(why)) => {
            log::warn!("{id}: {}: {why}", refusal.code());
            refusal
        }
        _ => refusal,
    }
}

fn random_id() -> String {
    let mut bytes = [0; 8];
    // Without randomness the id is of no use, but the answer still is.
    let _ = getrandom::fill(&mut bytes);
    hex::encode(bytes)
}

/// Whether problem documents are all that the client accepts (RFC 9110 section 12.5.1).
fn only_problems(head: &Head) -> bool {
    let mut any = false;
    let fields = head.headers.iter().filter(|(name, _)| name == header::ACCEPT);
    for range in fields.filter_map(|(_, value)| value.to_str().ok()).flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let problem = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/problem+json"));
        let refused = parts.any(|part| matches!(part, "q=0" | "q=0." | "q=0.0" | "q=0.00" | "q=0.000"));
        if !problem && !refused {
            return false;
        }
        any |= problem && !refused;
    }
    any
}

/// Writes members as one JSON object; the outputs' own text is spliced in, so that each value is written once.
struct JsonMembers {
    body: Vec<u8>,
    whole: bool,
}

impl JsonMembers {
    fn new() -> Self {
        Self { body: Vec::with_capacity(256), whole: false }
    }

    fn finish(mut self) -> Vec<u8> {
        if !self.whole {
            if self.body.is_empty() {
                self.body.push(b'{');
            }
            self.body.push(b'}');
        }
        self.body
    }

    fn name(&mut self, name: &str) -> Result<(), WriteError> {
        self.body.push(if self.body.is_empty() { b'{' } else { b',' });
        serde_json::to_writer(&mut self.body, name)?;
        self.body.push(b':');
        Ok(())
    }
}

impl Members for JsonMembers {
    fn member(&mut self, name: &str, value: &Json) -> Result<(), WriteError> {
        self.name(name)?;
        serde_json::to_writer(&mut self.body, value)?;
        Ok(())
    }

    fn nested(&mut self, name: &str, outputs: &dyn Encode) -> Result<(), WriteError> {
        self.name(name)?;
        outputs.write_json(&mut self.body)?;
        Ok(())
    }

    fn spread(&mut self, outputs: &dyn Encode) -> Result<(), WriteError> {
        let start = self.body.len();
        outputs.write_json(&mut self.body)?;
        match &self.body[start..] {
            b"{}" | b"null" => self.body.truncate(start),
            [b'{', ..] => {
                if start > 0 {
                    self.body[start] = b',';
                }
                // The object's own end is ours, which `finish` writes.
                self.body.pop();
            }
            _ => return Err(WriteError::NotAnObject),
        }
        Ok(())
    }

    fn whole(&mut self, outputs: &dyn Encode) -> Result<(), WriteError> {
        self.whole = true;
        outputs.write_json(&mut self.body)?;
        Ok(())
    }
}
