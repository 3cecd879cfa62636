//! Writes the head of a response: status line and header fields (RFC 9112 sections 4 and 6).

use bytes::BytesMut;
use http::{HeaderName, StatusCode, Version, header};

use crate::call::RequestId;
use crate::pipeline::Reply;
use crate::server::observe::REQUEST_ID_FIELD;

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
pub(super) fn write_head(
    output: &mut BytesMut,
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
        ResponseFraming::Length(length) => {
            write_field(output, &header::CONTENT_LENGTH, itoa::Buffer::new().format(length).as_bytes());
        }
        ResponseFraming::Chunked => write_field(output, &header::TRANSFER_ENCODING, b"chunked"),
    }
    write_connection(output, version, keeps_open);
    if let Some(media_type) = &reply.content_type {
        write_field(output, &header::CONTENT_TYPE, media_type.as_bytes());
        write_field(output, &header::X_CONTENT_TYPE_OPTIONS, b"nosniff");
    }
    for (name, value) in &reply.headers {
        write_field(output, name, value.as_bytes());
    }
    id.with_text(|text| write_field(output, &REQUEST_ID_FIELD, text));
    write_field(output, &header::DATE, date);
    output.extend_from_slice(b"\r\n");
}

/// Appends the whole response to a request whose head cannot be used. The connection is closed after it.
pub(super) fn write_error_response(output: &mut BytesMut, status: StatusCode, why: &str, date: &[u8]) {
    write_status_line(output, status.as_u16(), Version::HTTP_11);
    write_field(output, &header::CONTENT_LENGTH, (why.len() + 1).to_string().as_bytes());
    write_connection(output, Version::HTTP_11, false);
    write_field(output, &header::CONTENT_TYPE, b"text/plain; charset=utf-8");
    write_field(output, &header::DATE, date);
    output.extend_from_slice(b"\r\n");
    output.extend_from_slice(why.as_bytes());
    output.extend_from_slice(b"\n");
}

fn write_status_line(output: &mut BytesMut, status: u16, version: Version) {
    output.extend_from_slice(if version < Version::HTTP_11 { b"HTTP/1.0 " } else { b"HTTP/1.1 " });
    output.extend_from_slice(itoa::Buffer::new().format(status).as_bytes());
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    output.extend_from_slice(b" ");
    output.extend_from_slice(reason.unwrap_or_default().as_bytes());
    output.extend_from_slice(b"\r\n");
}

/// Writes the field `Connection` if the connection does not do what is usual in this version of HTTP.
fn write_connection(output: &mut BytesMut, version: Version, keeps_open: bool) {
    match (keeps_open, version >= Version::HTTP_11) {
        (true, true) | (false, false) => {}
        (true, false) => write_field(output, &header::CONNECTION, b"keep-alive"),
        (false, true) => write_field(output, &header::CONNECTION, b"close"),
    }
}

fn write_field(output: &mut BytesMut, name: &HeaderName, value: &[u8]) {
    output.extend_from_slice(name.as_str().as_bytes());
    output.extend_from_slice(b": ");
    output.extend_from_slice(value);
    output.extend_from_slice(b"\r\n");
}
