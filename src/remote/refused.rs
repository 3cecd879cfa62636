//! The server's own words for a refusal, from whichever envelope they come in.

use std::fmt;
use std::io::Read;
use std::time::{Duration, SystemTime};

use serde_json::Value as Json;
use ureq::Body;
use ureq::http::{HeaderMap, Response, header};

use super::Failure;

/// The most of a body that is read for its words, in bytes.
const MOST: u64 = 64 << 10;
/// The most characters that are told of any words of a server's.
const LONGEST: usize = 1000;
/// For how long a server's `Retry-After` is waited.
const PATIENCE: Duration = Duration::from_secs(60);

/// Statuses of what may go better later (RFC 9110 section 15.6, RFC 6585 section 4).
const PASSING: [u16; 4] = [429, 502, 503, 504];

/// A refusal.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The status that it stands for: HTTP's, or `ret` of the `phalapi` envelope.
    status: u64,
    words: Option<String>,
    /// The name of the request in the server's log.
    request: Option<String>,
    after: Option<Duration>,
}

impl Refused {
    /// For how long to wait before it may go better, at least; none where it will not, or not soon.
    pub(super) fn passes(&self) -> Option<Duration> {
        let passing = PASSING.iter().any(|status| u64::from(*status) == self.status);
        // A server that says when has another status for it: 400, as internal-api's documents have it.
        self.after.or(passing.then_some(Duration::ZERO)).filter(|after| *after <= PATIENCE)
    }
}

/// What an answer that is no success says.
pub(super) fn refused(answer: Response<Body>) -> Failure {
    let (head, body) = answer.into_parts();
    let status = head.status.as_u16();
    let field = |name| head.headers.get(name).map(|value| shown(&String::from_utf8_lossy(value.as_bytes())));
    if let (300..=399, Some(to)) = (status, field(header::LOCATION)) {
        return Failure::Moved { status, to };
    }
    if status < 400 {
        return Failure::Senseless("neither what was asked for nor a refusal");
    }
    let is_text = field(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/plain"));
    let body = start(body);
    let document = serde_json::from_slice(&body).ok();
    let words = match document {
        Some(document) => words(&document),
        None => is_text.then(|| String::from_utf8_lossy(&body).trim().to_owned()),
    };
    Failure::Refused(of(status.into(), words.as_deref(), &head.headers))
}

/// The refusal in an answer that HTTP calls a success, as the `phalapi` envelope has them.
pub(super) fn refused_in_success(fields: &HeaderMap, body: Body) -> Option<Failure> {
    let document: Json = serde_json::from_slice(&start(body)).ok()?;
    let status = document.get("ret")?.as_u64().filter(|ret| *ret >= 300)?;
    document.get("data")?;
    Some(Failure::Refused(of(status, words(&document).as_deref(), fields)))
}

fn of(status: u64, words: Option<&str>, fields: &HeaderMap) -> Refused {
    let field = |name: &str| fields.get(name)?.to_str().ok();
    Refused {
        status,
        words: words.map(shown).filter(|words| !words.is_empty()),
        request: field("x-request-id").map(shown),
        after: field("retry-after").and_then(after),
    }
}

/// The words of a refusal in any envelope of rulebook's, and in a problem document (RFC 9457).
fn words(document: &Json) -> Option<String> {
    let members = ["detail", "ErrorDescription", "message", "msg", "title"];
    members.iter().find_map(|member| document.get(member)?.as_str()).map(str::to_owned)
}

/// The beginning of a body; what cannot be read says nothing.
fn start(mut body: Body) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = body.as_reader().take(MOST).read_to_end(&mut bytes);
    bytes
}

/// A server's words as they may be shown on a terminal: what would move the cursor does not come through.
fn shown(words: &str) -> String {
    words.chars().take(LONGEST).map(|own| if own.is_control() { '\u{fffd}' } else { own }).collect()
}

/// How long `Retry-After` says to wait (RFC 9110 section 10.2.3).
fn after(value: &str) -> Option<Duration> {
    match value.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some(httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).unwrap_or_default()),
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server refuses ({})", self.status)?;
        if let Some(words) = &self.words {
            write!(f, ": {words}")?;
        }
        if let Some(request) = &self.request {
            write!(f, " [request {request}]")?;
        }
        match self.after {
            Some(after) if self.passes().is_none() => write!(f, "; not before {} seconds", after.as_secs()),
            _ => Ok(()),
        }
    }
}
