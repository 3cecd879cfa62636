//! Error responses of a server: their status and message. A rulebook server puts the message in a member of a JSON
//! object whose name depends on the server's envelope, the format of its responses.

use std::fmt;
use std::io::Read;
use std::time::{Duration, SystemTime};

use rulebook_model::envelope::{Decoding, EnvelopeName, EnvelopeSettings};
use rulebook_model::invisible::replace_invisible;
use serde_json::Value as Json;
use ureq::Body;
use ureq::http::{HeaderMap, Response, header};

use super::TransferError;

/// Maximum number of bytes that are read from the body of an error response.
const MAX_BODY_BYTES: u64 = 64 << 10;
/// Maximum number of characters of a text from the server that a message shows.
const MAX_SHOWN_CHARS: usize = 1000;
/// The maximum `Retry-After` for which the client waits.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// HTTP statuses of errors that are usually temporary (RFC 9110 section 15.6, RFC 6585 section 4).
const TEMPORARY_STATUSES: [u16; 4] = [429, 502, 503, 504];

#[derive(Debug)]
pub(crate) struct ErrorResponse {
    /// The HTTP status or, in the envelope `phalapi`, the status in the member `ret`.
    status: u64,
    message: Option<String>,
    /// The id under which the server logged the request.
    request_id: Option<String>,
    retry_after: Option<Duration>,
}

impl ErrorResponse {
    /// Returns the minimum pause before a retry; `None` if a retry would probably fail too, or the server requires a
    /// pause of more than a minute.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let is_temporary = TEMPORARY_STATUSES.iter().any(|status| u64::from(*status) == self.status);
        // `Retry-After` is used with any status, because servers of the predecessor `internal-api` send it with 400.
        self.retry_after.or(is_temporary.then_some(Duration::ZERO)).filter(|after| *after <= MAX_RETRY_AFTER)
    }
}

/// Converts a response without a success status to an error.
pub(super) fn to_transfer_error(response: Response<Body>) -> TransferError {
    let (head, body) = response.into_parts();
    let status = head.status.as_u16();
    let field = |name| head.headers.get(name).map(|value| to_printable(&String::from_utf8_lossy(value.as_bytes())));
    if let (300..=399, Some(location)) = (status, field(header::LOCATION)) {
        return TransferError::Redirect { status, location };
    }
    if status < 400 {
        return TransferError::InvalidResponse("its status is neither a success nor an error");
    }
    let is_text = field(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/plain"));
    let body = read_beginning(body);
    let message = match serde_json::from_slice(&body).ok() {
        Some(document) => find_message(&document),
        None => is_text.then(|| String::from_utf8_lossy(&body).trim().to_owned()),
    };
    TransferError::ErrorResponse(new_error_response(status.into(), message.as_deref(), &head.headers))
}

/// Returns the error that a response with a success status contains: servers with the envelope `phalapi` send errors
/// with status 200. Returns `None` if the response does not contain an error.
pub(super) fn find_error_in_success(fields: &HeaderMap, body: Body) -> Option<TransferError> {
    let document: Json = serde_json::from_slice(&read_beginning(body)).ok()?;
    let is_hidden_error =
        |decoding: &Decoding| decoding.hides_errors && decoding.is_error(&document) && !decoding.is_success(&document);
    let status_member = built_in_decodings().find(is_hidden_error)?.error.status?;
    let status = document.get(status_member)?.as_u64()?;
    Some(TransferError::ErrorResponse(new_error_response(status, find_message(&document).as_deref(), fields)))
}

fn new_error_response(status: u64, message: Option<&str>, fields: &HeaderMap) -> ErrorResponse {
    let field = |name: &str| fields.get(name)?.to_str().ok();
    ErrorResponse {
        status,
        message: message.map(to_printable).filter(|message| !message.is_empty()),
        request_id: field("x-request-id").map(to_printable),
        retry_after: field("retry-after").and_then(parse_retry_after),
    }
}

/// Returns the error message in a JSON body. If the body matches no built-in envelope, the message can be in the
/// message member of any built-in envelope.
fn find_message(document: &Json) -> Option<String> {
    let message = |decoding: Decoding| decoding.error.message.iter().find_map(|member| document.get(member)?.as_str());
    let text = match built_in_decodings().find(|decoding| decoding.is_error(document)) {
        Some(decoding) => message(decoding),
        None => built_in_decodings().find_map(message),
    };
    text.map(str::to_owned)
}

/// Returns the descriptions with which clients decode the built-in envelopes. The description of `plain` is also that
/// of problem documents (RFC 9457). The client does not know which envelope a server uses.
fn built_in_decodings() -> impl Iterator<Item = Decoding> {
    EnvelopeName::ALL.into_iter().map(|name| name.envelope(EnvelopeSettings::default()).decoding())
}

/// Reads the beginning of a body. If reading fails, returns the bytes before the error.
fn read_beginning(mut body: Body) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = body.as_reader().take(MAX_BODY_BYTES).read_to_end(&mut bytes);
    bytes
}

/// Makes a text from a server safe for a terminal: replaces invisible characters, and cuts a long text.
fn to_printable(text: &str) -> String {
    let end = text.char_indices().nth(MAX_SHOWN_CHARS).map_or(text.len(), |(end, _)| end);
    replace_invisible(&text[..end])
}

/// Parses the header field `Retry-After`: a number of seconds, or a date (RFC 9110 section 10.2.3).
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
