//! The id of a request, with which the log lines about the request can be found. The response contains the id.

use std::fmt;

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

    /// Calls a function with the text of the id.
    pub(crate) fn with_text<T>(&self, use_text: impl FnOnce(&[u8]) -> T) -> T {
        let mut digits = [0; 16];
        match self {
            // The id has 8 bytes, which always fit into 16 digits.
            Self::Generated(id) => {
                use_text(hex::encode_to_slice(id.to_be_bytes(), &mut digits).map_or(&[][..], |()| &digits))
            }
            Self::Received(text) => use_text(text.as_bytes()),
        }
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
