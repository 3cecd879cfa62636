//! Checks the header fields that a handler sets. Some header fields of responses are reserved: only the engine sets
//! them.

use http::header::{self, HeaderName, HeaderValue};
use thiserror::Error;

use super::ApiError;

/// The reserved header fields: they describe how the body is encoded and sent, or contain the id of the request.
const RESERVED_HEADERS: [HeaderName; 13] = [
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

/// The prefixes of further reserved header fields, such as the header fields of CORS (`cors` in `app.json`).
const RESERVED_PREFIXES: [&str; 2] = ["access-control-", "proxy-"];

/// The reason why a handler must not set a header field or a status. This error converts to an internal [`ApiError`],
/// because the program is wrong, not the client.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// The name is not a valid name of a header field (RFC 9110 section 5.1).
    #[error("{name:?} is not a valid name for a header field")]
    InvalidName {
        /// The invalid name.
        name: String,
    },
    /// The value is not a valid value of a header field (RFC 9110 section 5.5), because it contains line breaks or
    /// other control characters; or it is not valid for this header field, such as an `ETag` without quotes.
    #[error("the value for the header field {name} is not valid")]
    InvalidValue {
        /// The name of the field.
        name: HeaderName,
    },
    /// The header field is reserved: only the engine sets it.
    #[error("the header field {name} is set by the engine, not by handlers")]
    Reserved {
        /// The name of the field.
        name: HeaderName,
    },
    /// The HTTP status does not mean success (200 to 299).
    #[error("{status} is not the status of a success (200 to 299)")]
    InvalidStatus {
        /// The rejected HTTP status.
        status: u16,
    },
}

impl From<ResponseError> for ApiError {
    fn from(error: ResponseError) -> Self {
        Self::internal(error)
    }
}

/// Returns `true` if the header field with this name is never copied from the response of another server: it describes
/// how the body is sent, or the engine sends it itself. `Allow` and `Content-Encoding` are copied, unlike those that a
/// handler sets.
pub(crate) fn is_sent_by_engine(name: &HeaderName) -> bool {
    let has_prefix = |prefix: &&str| name.as_str().starts_with(prefix);
    let is_copied = [header::ALLOW, header::CONTENT_ENCODING].contains(name);
    !is_copied && (RESERVED_HEADERS.contains(name) || RESERVED_PREFIXES.iter().any(has_prefix))
}

/// Checks a header field that a handler sets, and converts its name and value.
pub(crate) fn check_response_header(
    name: &str,
    value: impl TryInto<HeaderValue>,
) -> Result<(HeaderName, HeaderValue), ResponseError> {
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
        return Err(ResponseError::InvalidName { name: name.to_owned() });
    };
    let has_prefix = |prefix: &&str| name.as_str().starts_with(prefix);
    if RESERVED_HEADERS.contains(&name) || RESERVED_PREFIXES.iter().any(has_prefix) {
        return Err(ResponseError::Reserved { name });
    }
    match value.try_into() {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(ResponseError::InvalidValue { name }),
    }
}
