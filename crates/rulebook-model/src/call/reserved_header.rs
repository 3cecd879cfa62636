//! The header fields of responses that only the engine sets.

use http::header::{self, HeaderName};

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

/// Returns `true` if only the engine sets the header field with this name, and neither handlers nor outputs do.
#[must_use]
pub fn is_reserved_header(name: &HeaderName) -> bool {
    RESERVED_HEADERS.contains(name) || RESERVED_PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix))
}
