//! What the header fields of a request say about its connection and its body (RFC 9110 and RFC 9112).

use http::Version;
use http::header::{self, HeaderName, HeaderValue};

use super::framing::{ChunkState, Framing};
use super::head::{HeadError, UNKNOWN_CODING, bad_request};

/// What the header fields of a request say about the connection and the body.
#[derive(Debug, Default)]
pub(super) struct ConnectionFields {
    pub(super) has_host: bool,
    length: Option<u64>,
    is_chunked: bool,
    pub(super) expects_continue: bool,
    pub(super) closes: bool,
    pub(super) keeps_alive: bool,
}

impl ConnectionFields {
    /// Adds a header field.
    ///
    /// # Errors
    /// Fails if the body could be delimited in different ways, which other servers could understand differently (RFC
    /// 9112 section 11.2).
    pub(super) fn add(&mut self, name: &HeaderName, value: &HeaderValue) -> Result<(), HeadError> {
        match *name {
            header::HOST if std::mem::replace(&mut self.has_host, true) => {
                return Err(bad_request("the header field `Host` is repeated"));
            }
            header::CONTENT_LENGTH => {
                let length = parse_length(value.as_bytes());
                let length = length.ok_or(bad_request("the header field `Content-Length` is invalid"))?;
                if self.length.replace(length).is_some() {
                    return Err(bad_request("the header field `Content-Length` is repeated"));
                }
            }
            header::TRANSFER_ENCODING => {
                if self.is_chunked || !value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked") {
                    return Err(UNKNOWN_CODING);
                }
                self.is_chunked = true;
            }
            header::EXPECT => self.expects_continue |= has_element(value, b"100-continue"),
            header::CONNECTION => {
                self.closes |= has_element(value, b"close");
                self.keeps_alive |= has_element(value, b"keep-alive");
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns how the body is delimited (RFC 9112 section 6.3); `None` if the request has no body.
    ///
    /// # Errors
    /// Fails if the body could be delimited in different ways.
    pub(super) fn framing(&self, version: Version) -> Result<Option<Framing>, HeadError> {
        match (self.is_chunked, self.length) {
            (true, Some(_)) => {
                Err(bad_request("the request has both header fields `Content-Length` and `Transfer-Encoding`"))
            }
            (true, None) if version == Version::HTTP_10 => {
                Err(bad_request("HTTP/1.0 has no header field `Transfer-Encoding`"))
            }
            (true, None) => Ok(Some(Framing::Chunked(ChunkState::Size))),
            (false, length) => Ok(length.filter(|length| *length > 0).map(Framing::Length)),
        }
    }
}

/// Returns `true` if the comma-separated list in a header field has this element, whose case is ignored.
fn has_element(value: &HeaderValue, element: &[u8]) -> bool {
    value.as_bytes().split(|byte| *byte == b',').any(|part| part.trim_ascii().eq_ignore_ascii_case(element))
}

/// Parses the value of `Content-Length`, which consists of digits only (RFC 9110 section 8.6).
fn parse_length(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value.trim_ascii()).ok()?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
