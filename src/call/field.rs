//! The header fields of an answer that the program may set, and those that are the engine's.

use std::fmt;

use http::header::{self, HeaderName, HeaderValue};

use super::Refusal;

/// Header fields that are the engine's: they say how the body is written and sent, what the request is called, and who
/// may read the answer (`cors` in `app.json`).
const RESERVED: [HeaderName; 13] = [
    header::ALLOW,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::DATE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::X_CONTENT_TYPE_OPTIONS,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("x-request-id"),
];

/// Names that begin so are the engine's, too.
const RESERVED_BEGINNINGS: [&str; 2] = ["access-control-", "proxy-"];

/// What cannot be said of an answer. As a refusal it is an internal one: it is the program's mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerError {
    /// No header field is called so (RFC 9110 section 5.1).
    BadName {
        /// The name.
        name: String,
    },
    /// No header field has such a value (RFC 9110 section 5.5), one with line ends or other control characters; or not
    /// this field, such as an `ETag` without quotes.
    BadValue {
        /// The field's name.
        name: HeaderName,
    },
    /// The header field is the engine's.
    Reserved {
        /// The field's name.
        name: HeaderName,
    },
    /// No success has this status: they go from 200 to 299.
    BadStatus {
        /// The status.
        status: u16,
    },
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadName { name } => write!(f, "no header field can be called {name:?}"),
            Self::BadValue { name } => write!(f, "the header field {name} cannot have this value"),
            Self::Reserved { name } => write!(f, "the header field {name} is the engine's, no handler sets it"),
            Self::BadStatus { status } => write!(f, "{status} is no status of a success, which are from 200 to 299"),
        }
    }
}

impl std::error::Error for AnswerError {}

impl From<AnswerError> for Refusal {
    fn from(error: AnswerError) -> Self {
        Self::internal(error)
    }
}

/// A header field that a handler may set.
pub(crate) fn field(name: &str, value: impl TryInto<HeaderValue>) -> Result<(HeaderName, HeaderValue), AnswerError> {
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
        return Err(AnswerError::BadName { name: name.to_owned() });
    };
    let begins = |beginning: &&str| name.as_str().starts_with(beginning);
    if RESERVED.contains(&name) || RESERVED_BEGINNINGS.iter().any(begins) {
        return Err(AnswerError::Reserved { name });
    }
    match value.try_into() {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(AnswerError::BadValue { name }),
    }
}
