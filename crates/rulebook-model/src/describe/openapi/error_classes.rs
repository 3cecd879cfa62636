//! The errors of the engine, grouped by their real status.

use crate::error::ErrorCode;
use crate::error::codes::GENERAL;

/// Errors of the engine that share a real status and are described together.
pub(super) struct ErrorClass {
    /// The last part of the name of their response component.
    pub(super) name: &'static str,
    /// The errors. All have the status of the first one.
    pub(super) codes: &'static [ErrorCode],
    /// The header fields of the responses, with their descriptions.
    pub(super) headers: &'static [(&'static str, &'static str)],
    /// `true` if they can occur before the module of a request is known, so that they are in the envelope of the API.
    pub(super) is_early: bool,
}

const RETRY_AFTER: &str = "The number of seconds after which a client can retry";
/// The header field with the remaining quota of a key (draft-ietf-httpapi-ratelimit-headers, version 10).
pub(super) const RATE_LIMIT: (&str, &str) = (
    "RateLimit",
    "If the requests of a key are limited: how many are left (`r`), and after how many seconds all are available again \
     (`t`)",
);
/// The header field with the quota of a key (same draft).
pub(super) const RATE_LIMIT_POLICY: (&str, &str) = (
    "RateLimit-Policy",
    "If the requests of a key are limited: how many it may send (`q`) within how many seconds (`w`)",
);

const fn class(name: &'static str, codes: &'static [ErrorCode]) -> ErrorClass {
    ErrorClass { name, codes, headers: &[], is_early: false }
}

const fn early(name: &'static str, codes: &'static [ErrorCode]) -> ErrorClass {
    ErrorClass { is_early: true, ..class(name, codes) }
}

/// A parameter is missing or invalid, or the request is malformed.
pub(super) const BAD_REQUEST: ErrorClass =
    early("BadRequest", &[ErrorCode::MissingParameter, ErrorCode::InvalidParameter, ErrorCode::MalformedRequest]);
/// The caller is not authenticated.
pub(super) const UNAUTHENTICATED: ErrorClass = ErrorClass {
    headers: &[("WWW-Authenticate", "The authentication schemes that a client can use")],
    ..class("Unauthenticated", &[ErrorCode::Unauthenticated])
};
/// The caller lacks a permission.
pub(super) const FORBIDDEN: ErrorClass = class("Forbidden", &[ErrorCode::Forbidden]);
/// The caller has sent too many requests.
pub(super) const TOO_MANY: ErrorClass = ErrorClass {
    headers: &[("Retry-After", RETRY_AFTER), RATE_LIMIT, RATE_LIMIT_POLICY],
    ..class("TooManyRequests", &[ErrorCode::TooManyRequests])
};
/// The body does not arrive in time.
pub(super) const TIMEOUT: ErrorClass = class("Timeout", &[ErrorCode::Timeout]);
/// The query or the body exceeds a limit.
pub(super) const TOO_LARGE: ErrorClass = class("TooLarge", &[ErrorCode::TooLarge]);
/// The request target exceeds a limit.
pub(super) const URI_TOO_LONG: ErrorClass = early("UriTooLong", &[ErrorCode::UriTooLong]);
/// The body has a media type that the server does not read.
pub(super) const UNSUPPORTED: ErrorClass = class("UnsupportedMediaType", &[ErrorCode::UnsupportedMediaType]);
/// The header fields exceed a limit.
pub(super) const HEAD_TOO_LARGE: ErrorClass = early("HeadTooLarge", &[ErrorCode::HeadTooLarge]);
/// The program failed.
pub(super) const INTERNAL: ErrorClass = early("Internal", &[ErrorCode::Internal]);
/// The program failed, or an uploaded file could not be stored.
pub(super) const INTERNAL_OR_UPLOAD: ErrorClass = early("InternalOrUpload", &[ErrorCode::Internal, ErrorCode::Upload]);
/// The storage for uploaded files is full.
pub(super) const INSUFFICIENT_STORAGE: ErrorClass = class("NoRoom", &[ErrorCode::StorageFull]);
/// The method has no handler.
pub(super) const NOT_IMPLEMENTED: ErrorClass = class("NotImplemented", &[ErrorCode::NotImplemented]);
/// The program cannot process the request now.
pub(super) const UNAVAILABLE: ErrorClass = ErrorClass {
    headers: &[("Retry-After", "The number of seconds after which a client can retry, if that is known")],
    ..class("Unavailable", &[ErrorCode::Unavailable])
};
/// Errors that any request can receive, whatever its method.
pub(super) const OTHER: ErrorClass = ErrorClass {
    headers: &[("Allow", "With status 405: the HTTP methods that the URI supports")],
    ..early("Other", GENERAL)
};

impl ErrorClass {
    /// Returns the real status of these errors.
    pub(super) fn status(&self) -> u16 {
        self.codes.first().map_or(500, |code| code.status().get())
    }
}
