//! Writes the head of a response: status line and header fields (RFC 9112 sections 4 and 6).

use http::{StatusCode, Version};

use crate::call::RequestId;
use crate::pipeline::Reply;

/// How the body of a response is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResponseFraming {
    /// The status allows no body, so that the head has no length (RFC 9110 sections 15.3.5 and 15.4.5).
    NoBody,
    /// The body has this number of bytes.
    Length(u64),
    /// The body has the chunked coding.
    Chunked,
    /// The body ends with the connection. It is used for HTTP/1.0, which has no chunked coding.
    UntilClose,
}

impl ResponseFraming {
    /// Returns the framing for a body of this length, or of unknown length.
    pub(super) fn new(status: u16, length: Option<u64>, version: Version) -> Self {
        match length {
            _ if matches!(status, 204 | 304) => Self::NoBody,
            Some(length) => Self::Length(length),
            None if version >= Version::HTTP_11 => Self::Chunked,
            None => Self::UntilClose,
        }
    }
}

/// Appends the head of a response to the output.
///
/// The names of the fields that most responses have are written as constants, which the compiler copies without a call.
pub(super) fn write_head(
    output: &mut Vec<u8>,
    reply: &Reply,
    framing: ResponseFraming,
    version: Version,
    keeps_open: bool,
    id: &RequestId,
    date: &[u8],
) {
    write_status_line(output, reply.status, version);
    match framing {
        ResponseFraming::NoBody | ResponseFraming::UntilClose => {}
        ResponseFraming::Length(length) => write_length(output, length),
        ResponseFraming::Chunked => output.extend_from_slice(b"transfer-encoding: chunked\r\n"),
    }
    write_connection(output, version, keeps_open);
    if let Some(media_type) = &reply.content_type {
        output.extend_from_slice(b"content-type: ");
        output.extend_from_slice(media_type.as_bytes());
        output.extend_from_slice(b"\r\nx-content-type-options: nosniff\r\n");
    }
    for (name, value) in &reply.headers {
        output.extend_from_slice(name.as_str().as_bytes());
        output.extend_from_slice(b": ");
        output.extend_from_slice(value.as_bytes());
        output.extend_from_slice(b"\r\n");
    }
    output.extend_from_slice(b"x-request-id: ");
    id.with_text(|text| output.extend_from_slice(text));
    output.extend_from_slice(b"\r\ndate: ");
    output.extend_from_slice(date);
    output.extend_from_slice(b"\r\n\r\n");
}

/// Appends the whole response to a request whose head cannot be used. The connection is closed after it. A response to
/// HEAD has no body (RFC 9110 section 9.3.2).
pub(super) fn write_error_response(output: &mut Vec<u8>, status: StatusCode, why: &str, is_head: bool, date: &[u8]) {
    write_status_line(output, status.as_u16(), Version::HTTP_11);
    write_length(output, why.len() as u64 + 1);
    write_connection(output, Version::HTTP_11, false);
    output.extend_from_slice(b"content-type: text/plain; charset=utf-8\r\ndate: ");
    output.extend_from_slice(date);
    output.extend_from_slice(b"\r\n\r\n");
    if !is_head {
        output.extend_from_slice(why.as_bytes());
        output.extend_from_slice(b"\n");
    }
}

fn write_status_line(output: &mut Vec<u8>, status: u16, version: Version) {
    if status == 200 && version == Version::HTTP_11 {
        return output.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
    }
    output.extend_from_slice(if version < Version::HTTP_11 { b"HTTP/1.0 " } else { b"HTTP/1.1 " });
    output.extend_from_slice(itoa::Buffer::new().format(status).as_bytes());
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    output.extend_from_slice(b" ");
    output.extend_from_slice(reason.unwrap_or_default().as_bytes());
    output.extend_from_slice(b"\r\n");
}

fn write_length(output: &mut Vec<u8>, length: u64) {
    output.extend_from_slice(b"content-length: ");
    output.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
    output.extend_from_slice(b"\r\n");
}

/// Writes the field `Connection` if the connection does not do what is usual in this version of HTTP.
fn write_connection(output: &mut Vec<u8>, version: Version, keeps_open: bool) {
    match (keeps_open, version >= Version::HTTP_11) {
        (true, true) | (false, false) => {}
        (true, false) => output.extend_from_slice(b"connection: keep-alive\r\n"),
        (false, true) => output.extend_from_slice(b"connection: close\r\n"),
    }
}
