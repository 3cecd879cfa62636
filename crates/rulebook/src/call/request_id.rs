//! The id of a request, with which the log lines about the request can be found. The response contains the id.

use std::fmt;

use bytes::BytesMut;
use http::HeaderValue;

/// The id of a request, which its response, its error messages and its log lines contain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestId {
    /// An id that the server generated, formatted as 16 hexadecimal digits.
    Generated(u64),
    /// An id that the client or a proxy sent in `X-Request-Id`: 1 to 64 letters, digits, `-`, `_`, `.` and `:`.
    Received(Box<str>),
}

impl RequestId {
    /// The maximum length in characters of an id that a client or a proxy sends.
    pub const MAX_LEN: usize = 64;

    /// Parses an id that a client or a proxy has sent. Returns `None` if the text is empty, is longer than
    /// [`RequestId::MAX_LEN`], or contains a character that is not allowed in an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
        let is_id = (1..=Self::MAX_LEN).contains(&text.len()) && text.bytes().all(is_allowed);
        is_id.then(|| Self::Received(text.into()))
    }

    /// Creates a random id, which clients cannot guess.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0; 8];
        // If the system has no random bytes, the id is zero, but the request can still be handled.
        let _ = getrandom::fill(&mut bytes);
        Self::Generated(u64::from_ne_bytes(bytes))
    }

    /// Returns the id as the value of the header field `X-Request-Id`. The text is written to the end of `buffer`, so
    /// that the values of many requests need a single allocation.
    pub(crate) fn header_value(&self, buffer: &mut BytesMut) -> HeaderValue {
        let mut digits = [0; 16];
        let text = match self {
            // The id has 8 bytes, which always fit into 16 digits.
            Self::Generated(id) => hex::encode_to_slice(id.to_be_bytes(), &mut digits).map_or(&[][..], |()| &digits),
            Self::Received(text) => text.as_bytes(),
        };
        buffer.extend_from_slice(text);
        // All characters of an id are visible ASCII, so that the id is a valid header value.
        HeaderValue::from_maybe_shared(buffer.split().freeze()).unwrap_or_else(|_| HeaderValue::from_static("-"))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generated(id) => write!(f, "{id:016x}"),
            Self::Received(text) => f.write_str(text),
        }
    }
}
