//! The name of one request, under which the log tells about it.

use std::fmt;

use http::HeaderValue;

/// Names one request in answers, refusals and the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestId {
    /// Given by the server: 16 hexadecimal digits.
    Own(u64),
    /// Given by the client or a proxy in `X-Request-Id`: 1 to 64 letters, digits, `-`, `_`, `.` and `:`.
    Given(Box<str>),
}

impl RequestId {
    /// The most characters of a name that comes with a request.
    pub const LONGEST: usize = 64;

    /// The name that came with a request; none where it is not one that goes into a log as it is.
    #[must_use]
    pub fn given(text: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
        let is_name = (1..=Self::LONGEST).contains(&text.len()) && text.bytes().all(fits);
        is_name.then(|| Self::Given(text.into()))
    }

    /// A name that nobody can guess.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0; 8];
        // Without randomness the name is of no use, but the request can still be answered.
        let _ = getrandom::fill(&mut bytes);
        Self::Own(u64::from_ne_bytes(bytes))
    }

    /// The name as the value of a header field.
    pub(crate) fn header_value(&self) -> HeaderValue {
        let mut digits = [0; 16];
        let text = match self {
            // 16 digits for 8 bytes always fit.
            Self::Own(number) => hex::encode_to_slice(number.to_be_bytes(), &mut digits).map_or(&[][..], |()| &digits),
            Self::Given(text) => text.as_bytes(),
        };
        // All characters of a name are visible.
        HeaderValue::from_bytes(text).unwrap_or_else(|_| HeaderValue::from_static("-"))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(number) => write!(f, "{number:016x}"),
            Self::Given(text) => f.write_str(text),
        }
    }
}
