//! The header fields of a response that a program may set, and those that only the engine sets.

use http::header::{self, HeaderName, HeaderValue};
use thiserror::Error;

use super::ApiError;

/// Header fields that only the engine sets: they describe how the body is encoded and sent, and carry the id of the
/// request.
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

/// The prefixes of other names that only the engine sets, such as those of CORS (`cors` in `app.json`).
const RESERVED_PREFIXES: [&str; 2] = ["access-control-", "proxy-"];

/// A header field or status that a handler tried to set, but must not. It converts to an internal [`ApiError`], because
/// the error is in the program.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// The name is not valid for a header field (RFC 9110 section 5.1).
    #[error("{name:?} is not a valid name for a header field")]
    InvalidName {
        /// The name.
        name: String,
    },
    /// The value is not valid for a header field (RFC 9110 section 5.5), because it has line breaks or other control
    /// characters; or it is not valid for this field, such as an `ETag` without quotes.
    #[error("the value for the header field {name} is not valid")]
    InvalidValue {
        /// The name of the field.
        name: HeaderName,
    },
    /// Only the engine sets this header field.
    #[error("the header field {name} is set by the engine, not by handlers")]
    Reserved {
        /// The name of the field.
        name: HeaderName,
    },
    /// The status is not that of a success (200 to 299).
    #[error("{status} is not the status of a success (200 to 299)")]
    InvalidStatus {
        /// The status.
        status: u16,
    },
}

impl From<ResponseError> for ApiError {
    fn from(error: ResponseError) -> Self {
        Self::internal(error)
    }
}

/// Checks a header field that a handler sets.
pub(crate) fn response_header(
    name: &str,
    value: impl TryInto<HeaderValue>,
) -> Result<(HeaderName, HeaderValue), ResponseError> {
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
        return Err(ResponseError::InvalidName { name: name.to_owned() });
    };
    let has_prefix = |prefix: &&str| name.as_str().starts_with(prefix);
    if RESERVED.contains(&name) || RESERVED_PREFIXES.iter().any(has_prefix) {
        return Err(ResponseError::Reserved { name });
    }
    match value.try_into() {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(ResponseError::InvalidValue { name }),
    }
}
