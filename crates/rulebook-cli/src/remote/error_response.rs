//! Error responses of the server: status and message, in any of rulebook's envelopes.

use std::fmt;
use std::io::Read;
use std::time::{Duration, SystemTime};

use serde_json::Value as Json;
use ureq::Body;
use ureq::http::{HeaderMap, Response, header};

use super::TransferError;

/// Maximum number of bytes of an error response's body that are read.
const MAX_BODY: u64 = 64 << 10;
/// Maximum number of characters that are shown of a text from the server.
const MAX_SHOWN: usize = 1000;
/// The maximum `Retry-After` for which the client waits.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// Statuses of temporary conditions (RFC 9110 section 15.6, RFC 6585 section 4).
const TEMPORARY: [u16; 4] = [429, 502, 503, 504];

/// An error response.
#[derive(Debug)]
pub(crate) struct ErrorResponse {
    /// The HTTP status, or the member `ret` of the `phalapi` envelope.
    status: u64,
    message: Option<String>,
    /// The id of the request in the server's log.
    request_id: Option<String>,
    retry_after: Option<Duration>,
}

impl ErrorResponse {
    /// Returns the minimum pause before a retry; `None` if a retry cannot succeed, or the pause would be longer than a
    /// minute.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let is_temporary = TEMPORARY.iter().any(|status| u64::from(*status) == self.status);
        // `Retry-After` is used with any status, because servers of internal-api send it with 400.
        self.retry_after.or(is_temporary.then_some(Duration::ZERO)).filter(|after| *after <= MAX_RETRY_AFTER)
    }
}

/// Converts a response without a success status to an error.
pub(super) fn read(response: Response<Body>) -> TransferError {
    let (head, body) = response.into_parts();
    let status = head.status.as_u16();
    let field = |name| head.headers.get(name).map(|value| printable(&String::from_utf8_lossy(value.as_bytes())));
    if let (300..=399, Some(location)) = (status, field(header::LOCATION)) {
        return TransferError::Redirect { status, location };
    }
    if status < 400 {
        return TransferError::InvalidResponse("its status is neither a success nor an error");
    }
    let is_text = field(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/plain"));
    let body = read_start(body);
    let message = match serde_json::from_slice(&body).ok() {
        Some(document) => message(&document),
        None => is_text.then(|| String::from_utf8_lossy(&body).trim().to_owned()),
    };
    TransferError::Refused(parse(status.into(), message.as_deref(), &head.headers))
}

/// Returns the error in a response with a success status, if there is one: the `phalapi` envelope sends errors with
/// status 200.
pub(super) fn read_in_success(fields: &HeaderMap, body: Body) -> Option<TransferError> {
    let document: Json = serde_json::from_slice(&read_start(body)).ok()?;
    let status = document.get("ret")?.as_u64().filter(|ret| *ret >= 300)?;
    document.get("data")?;
    Some(TransferError::Refused(parse(status, message(&document).as_deref(), fields)))
}

fn parse(status: u64, message: Option<&str>, fields: &HeaderMap) -> ErrorResponse {
    let field = |name: &str| fields.get(name)?.to_str().ok();
    ErrorResponse {
        status,
        message: message.map(printable).filter(|message| !message.is_empty()),
        request_id: field("x-request-id").map(printable),
        retry_after: field("retry-after").and_then(parse_retry_after),
    }
}

/// Returns the message of an error, in any of rulebook's envelopes or a problem document (RFC 9457).
fn message(document: &Json) -> Option<String> {
    let members = ["detail", "ErrorDescription", "message", "msg", "title"];
    members.iter().find_map(|member| document.get(member)?.as_str()).map(str::to_owned)
}

/// Reads the beginning of a body, and stops at the first error.
fn read_start(mut body: Body) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = body.as_reader().take(MAX_BODY).read_to_end(&mut bytes);
    bytes
}

/// Makes text from a server safe for a terminal: replaces control characters, and cuts long text.
fn printable(text: &str) -> String {
    text.chars().take(MAX_SHOWN).map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

/// Parses `Retry-After`: seconds or a date (RFC 9110 section 10.2.3).
fn parse_retry_after(value: &str) -> Option<Duration> {
    match value.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some(httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).unwrap_or_default()),
    }
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server responded with {}", self.status)?;
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        if let Some(request_id) = &self.request_id {
            write!(f, " [request {request_id}]")?;
        }
        match self.retry_after {
            Some(after) if self.retry_after().is_none() => write!(f, "; retry after {} seconds", after.as_secs()),
            _ => Ok(()),
        }
    }
}
