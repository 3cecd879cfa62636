//! Parses the responses of HTTP/1.

use httparse::Status::Complete;

use crate::{Error, Result};

/// The maximum number of header fields of a response.
const MAX_FIELDS: usize = 64;

/// A response of HTTP/1.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The names of the header fields, in lower case, and their values.
    pub fields: Vec<(String, String)>,
    /// The body, without its chunked coding.
    pub body: Vec<u8>,
}

impl Response {
    /// Returns the value of the first header field with this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Returns `true` if this is the response to a head that cannot be parsed: it is empty, has no request id, and is
    /// the last one of its connection.
    pub fn rejects_head(&self) -> bool {
        matches!(self.status, 400 | 431) && self.field("x-request-id").is_none() && self.body.is_empty()
    }

    /// Returns `true` if the server closes the connection after this response.
    pub fn closes(&self) -> bool {
        self.rejects_head() || self.field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    /// Returns the beginning of the response as text, for messages.
    pub fn summary(&self) -> String {
        let body = String::from_utf8_lossy(&self.body[..self.body.len().min(200)]).into_owned();
        format!("status {}, {:?}, body {body:?}", self.status, self.field("content-type").unwrap_or("no media type"))
    }
}

/// Parses the response at the beginning of `bytes`. Returns the response and its length; `None` if it is incomplete.
/// `is_head` is `true` if the request has the method HEAD. `has_ended` is `true` if no further bytes follow.
fn parse_response(bytes: &[u8], is_head: bool, has_ended: bool) -> Result<Option<(Response, usize)>> {
    let mut space = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut parsed = httparse::Response::new(&mut space);
    let invalid = |error: httparse::Error| -> Error {
        format!("not a response: {error}: {:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(100)])).into()
    };
    let Complete(head_len) = parsed.parse(bytes).map_err(invalid)? else { return Ok(None) };
    let status = parsed.code.unwrap_or_default();
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let fields = parsed.headers.iter().map(|field| (field.name.to_ascii_lowercase(), text(field.value))).collect();
    let mut response = Response { status, fields, body: Vec::new() };
    let rest = &bytes[head_len..];
    if is_head || matches!(status, 100..=199 | 204 | 304) {
        return Ok(Some((response, head_len)));
    }
    if response.field("transfer-encoding").is_some() {
        let Some((body, length)) = decode_chunks(rest)? else { return Ok(None) };
        response.body = body;
        return Ok(Some((response, head_len + length)));
    }
    let length = match response.field("content-length") {
        Some(length) => length.parse()?,
        None if has_ended => rest.len(),
        None => return Ok(None),
    };
    let Some(body) = rest.get(..length) else { return Ok(None) };
    response.body = body.to_vec();
    Ok(Some((response, head_len + length)))
}

/// Decodes a body with the chunked coding. Returns the body, and the number of bytes up to its end; `None` if it is
/// incomplete.
fn decode_chunks(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>> {
    let invalid = "the chunked coding of a response is invalid";
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let parsed = httparse::parse_chunk_size(&bytes[at..]).map_err(|_| invalid)?;
        let Complete((line_len, size)) = parsed else { return Ok(None) };
        at += line_len;
        let size = usize::try_from(size)?;
        let Some(chunk) = bytes.get(at..at + size + 2) else { return Ok(None) };
        body.extend_from_slice(chunk.strip_suffix(b"\r\n").ok_or(invalid)?);
        at += size + 2;
        if size == 0 {
            return Ok(Some((body, at)));
        }
    }
}

/// Removes the first response from `received`, and the interim responses before it. Returns `None` if it is incomplete.
/// `is_head` is `true` if the request has the method HEAD. `has_ended` is `true` if no further bytes follow.
pub fn take_response(received: &mut Vec<u8>, is_head: bool, has_ended: bool) -> Result<Option<Response>> {
    while let Some((response, length)) = parse_response(received, is_head, has_ended)? {
        received.drain(..length);
        if response.status >= 200 {
            return Ok(Some(response));
        }
    }
    Ok(None)
}

/// Returns all responses of a connection that has ended, without interim responses. `is_head` is `true` if the first
/// request has the method HEAD. Fails if the last response is incomplete, unless `may_be_cut` is `true`.
pub fn take_all_responses(received: &mut Vec<u8>, mut is_head: bool, may_be_cut: bool) -> Result<Vec<Response>> {
    let mut responses = Vec::new();
    while let Some(response) = take_response(received, is_head, true)? {
        responses.push(response);
        is_head = false;
    }
    if received.is_empty() || may_be_cut { Ok(responses) } else { Err("the last response is incomplete".into()) }
}

/// Removes complete responses from the beginning of `received`, and returns their number. The requests must not have
/// the method HEAD.
pub fn count_responses(received: &mut Vec<u8>) -> Result<u64> {
    let (mut at, mut count) = (0, 0);
    while let Some((_, length)) = parse_response(&received[at..], false, false)? {
        at += length;
        count += 1;
    }
    received.drain(..at);
    Ok(count)
}
