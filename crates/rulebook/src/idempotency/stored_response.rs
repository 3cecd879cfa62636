//! The form in which responses are stored: a line of JSON with the status and the header fields, and then the bytes of
//! the body. A response that was not kept is stored as no bytes.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use rulebook_model::error::codes::ERROR_CODES;
use rulebook_model::model::Idempotency;
use serde::{Deserialize, Serialize};

use crate::pipeline::{Reply, ReplyBody, ReplyCode};
use crate::plan::PlannedMethod;

/// A response, without its body.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredResponse {
    status: u16,
    /// The bytes of this and other header fields in hexadecimal digits, because they need not be UTF-8.
    content_type: Option<String>,
    headers: Vec<(String, String)>,
    /// `true` if the body may be compressed for a request.
    is_written_for_request: bool,
    /// The name of the error code; `None` if the response is a success.
    code: Option<String>,
    /// The name of the error in the definition, if it declares the error.
    declared_error: Option<String>,
}

/// Reads the value of a header field; `None` if the text is not valid.
fn parse_value(hex: &str) -> Option<HeaderValue> {
    HeaderValue::from_bytes(&hex::decode(hex).ok()?).ok()
}

impl StoredResponse {
    pub(crate) const NOT_KEPT: Vec<u8> = Vec::new();

    /// Returns the stored form of a reply to a call of this method; `None` if its body is not in memory, or the stored
    /// form has more than `max` bytes.
    pub(crate) fn encode(method: &PlannedMethod, reply: &Reply, max: u64) -> Option<Vec<u8>> {
        let body = reply.body.bytes()?;
        if body.len() as u64 > max {
            return None;
        }
        let declared = reply.code.and_then(|code| method.declared_errors.get(code.declared_error?));
        let head = Self {
            status: reply.status,
            content_type: reply.content_type.as_ref().map(hex::encode),
            headers: reply.headers.iter().map(|(name, value)| (name.to_string(), hex::encode(value))).collect(),
            is_written_for_request: reply.is_written_for_request,
            code: reply.code.map(|code| code.code.to_string()),
            declared_error: declared.map(|error| error.name.to_string()),
        };
        let mut bytes = serde_json::to_vec(&head).ok()?;
        bytes.push(b'\n');
        bytes.extend_from_slice(body);
        (bytes.len() as u64 <= max).then_some(bytes)
    }

    /// Returns the reply in its stored form, with the header field that marks it; `None` if the bytes are not valid.
    pub(crate) fn decode(method: &PlannedMethod, bytes: Vec<u8>) -> Option<Reply> {
        let end = memchr::memchr(b'\n', &bytes)?;
        let head: Self = serde_json::from_slice(&bytes[..end]).ok()?;
        let mut headers = head
            .headers
            .iter()
            .map(|(name, value)| Some((HeaderName::try_from(name.as_str()).ok()?, parse_value(value)?)))
            .collect::<Option<Vec<_>>>()?;
        headers.push((replayed_header(), HeaderValue::from_static("true")));
        let content_type = match &head.content_type {
            Some(value) => Some(parse_value(value)?),
            None => None,
        };
        let code = head.code.and_then(|name| ERROR_CODES.iter().find(|row| row.name == name)).map(|row| {
            let declared = head.declared_error.as_deref();
            let position = |name: &str| method.declared_errors.iter().position(|error| *error.name == *name);
            ReplyCode { code: row.code, declared_error: declared.and_then(position) }
        });
        let body = ReplyBody::Whole(Bytes::from(bytes).slice(end + 1..));
        let is_written_for_request = head.is_written_for_request;
        Some(Reply { status: head.status, content_type, headers, body, is_written_for_request, code })
    }
}

fn replayed_header() -> HeaderName {
    HeaderName::from_bytes(Idempotency::REPLAYED_HEADER.as_bytes()).unwrap_or(http::header::WARNING)
}
