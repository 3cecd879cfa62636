//! Checks the header fields that a handler sets.

use http::header::{self, HeaderName, HeaderValue};
use rulebook_model::call::is_reserved_header;
use thiserror::Error;

use super::ApiError;

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
    let is_copied = [header::ALLOW, header::CONTENT_ENCODING].contains(name);
    !is_copied && is_reserved_header(name)
}

/// Checks a header field that a handler sets, and converts its name and value.
pub(crate) fn check_response_header(
    name: &str,
    value: impl TryInto<HeaderValue>,
) -> Result<(HeaderName, HeaderValue), ResponseError> {
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
        return Err(ResponseError::InvalidName { name: name.to_owned() });
    };
    if is_reserved_header(&name) {
        return Err(ResponseError::Reserved { name });
    }
    match value.try_into() {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(ResponseError::InvalidValue { name }),
    }
}
