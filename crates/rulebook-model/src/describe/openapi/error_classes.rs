//! The errors that the server can respond with, grouped by status. The status here is the actual status of an error: an
//! envelope (the format of responses) can send a different status.

use crate::error::ErrorCode;
use crate::error::codes::GENERAL_ERROR_CODES;

/// Server errors that have the same actual status. The OpenAPI document describes them together.
pub(super) struct ErrorClass {
    /// The last part of the name of the response component that describes these errors.
    pub(super) component_suffix: &'static str,
    /// The codes of the errors, which all have the same actual status.
    pub(super) codes: &'static [ErrorCode],
    /// The header fields of responses with these errors: the name and the description of each.
    pub(super) headers: &'static [(&'static str, &'static str)],
    /// `true` if these errors can occur before the server knows to which API module a request belongs. Such an error is
    /// sent in the envelope of the API instead of the envelope of the API module.
    pub(super) can_precede_routing: bool,
    /// `true` if any request can cause these errors, so that [`GENERAL_ERRORS`] contains them too. An operation has a
    /// separate response for them only if it has other errors with the same status.
    pub(super) is_general: bool,
}

const RETRY_AFTER_DESCRIPTION: &str = "The number of seconds after which a client can retry";
/// The header field with the remaining requests of each limit (draft-ietf-httpapi-ratelimit-headers, version 10).
pub(super) const RATE_LIMIT_HEADER: (&str, &str) = (
    "RateLimit",
    "If the number of requests is limited: for each limit, how many are left (`r`), and after how many seconds all are \
     available again (`t`)",
);
/// The header field with the limits of the number of requests (draft-ietf-httpapi-ratelimit-headers, version 10).
pub(super) const RATE_LIMIT_POLICY_HEADER: (&str, &str) = (
    "RateLimit-Policy",
    "If the number of requests is limited: for each limit, how many are allowed (`q`) within how many seconds (`w`)",
);

const fn error_class(component_suffix: &'static str, codes: &'static [ErrorCode]) -> ErrorClass {
    ErrorClass { component_suffix, codes, headers: &[], can_precede_routing: false, is_general: false }
}

const fn error_class_before_routing(component_suffix: &'static str, codes: &'static [ErrorCode]) -> ErrorClass {
    ErrorClass { can_precede_routing: true, ..error_class(component_suffix, codes) }
}

/// The error class of requests that are malformed, or in which a parameter is missing or invalid.
pub(super) const BAD_REQUEST: ErrorClass = error_class_before_routing(
    "BadRequest",
    &[ErrorCode::MissingParameter, ErrorCode::InvalidParameter, ErrorCode::MalformedRequest],
);
/// The error class of callers that are not authenticated.
pub(super) const UNAUTHENTICATED: ErrorClass = ErrorClass {
    headers: &[("WWW-Authenticate", "The authentication schemes that a client can use")],
    ..error_class("Unauthenticated", &[ErrorCode::Unauthenticated])
};
/// The error class of callers that lack a required permission.
pub(super) const FORBIDDEN: ErrorClass = error_class("Forbidden", &[ErrorCode::Forbidden]);
/// The error class of callers that have sent too many requests.
pub(super) const TOO_MANY_REQUESTS: ErrorClass = ErrorClass {
    headers: &[("Retry-After", RETRY_AFTER_DESCRIPTION), RATE_LIMIT_HEADER, RATE_LIMIT_POLICY_HEADER],
    ..error_class("TooManyRequests", &[ErrorCode::TooManyRequests])
};
/// The error class of requests whose body does not arrive in time.
pub(super) const TIMEOUT: ErrorClass = error_class("Timeout", &[ErrorCode::Timeout]);
/// The error class of requests whose query or body exceeds a limit.
pub(super) const TOO_LARGE: ErrorClass = error_class("TooLarge", &[ErrorCode::TooLarge]);
/// The error class of requests whose request target exceeds the limit `uri`.
pub(super) const URI_TOO_LONG: ErrorClass = error_class_before_routing("UriTooLong", &[ErrorCode::UriTooLong]);
/// The error class of requests whose body has an unsupported media type.
pub(super) const UNSUPPORTED_MEDIA_TYPE: ErrorClass =
    error_class("UnsupportedMediaType", &[ErrorCode::UnsupportedMediaType]);
/// The error class of requests whose header fields exceed the limit `head`.
pub(super) const HEAD_TOO_LARGE: ErrorClass = error_class_before_routing("HeadTooLarge", &[ErrorCode::HeadTooLarge]);
/// The error class of failures in the program that implements the API.
pub(super) const INTERNAL_ERROR: ErrorClass =
    ErrorClass { is_general: true, ..error_class_before_routing("Internal", &[ErrorCode::Internal]) };
/// The error class of failures in the program, and of uploaded files that could not be stored.
pub(super) const INTERNAL_OR_UPLOAD_ERROR: ErrorClass =
    error_class_before_routing("InternalOrUpload", &[ErrorCode::Internal, ErrorCode::Upload]);
/// The error class of uploads that fail because the storage is full.
pub(super) const INSUFFICIENT_STORAGE: ErrorClass = error_class("NoRoom", &[ErrorCode::StorageFull]);
/// The error class of requests without a valid idempotency key.
pub(super) const INVALID_IDEMPOTENCY_KEY: ErrorClass =
    error_class("IdempotencyKey", &[ErrorCode::IdempotencyKeyRequired, ErrorCode::MalformedRequest]);
/// The error class of requests whose idempotency key cannot be used yet or any more.
pub(super) const IDEMPOTENCY_KEY_IN_USE: ErrorClass = ErrorClass {
    headers: &[("Retry-After", "The number of seconds after which a client can retry, if the key is in use")],
    ..error_class("IdempotencyKeyInUse", &[ErrorCode::IdempotencyKeyInUse, ErrorCode::ResponseNotKept])
};
/// The error class of requests whose idempotency key was used for other arguments.
pub(super) const IDEMPOTENCY_KEY_REUSED: ErrorClass =
    error_class("IdempotencyKeyReused", &[ErrorCode::IdempotencyKeyReused]);
/// The error class of methods for which the program has no handler.
pub(super) const NOT_IMPLEMENTED: ErrorClass = error_class("NotImplemented", &[ErrorCode::NotImplemented]);
/// The error class of requests that the program temporarily cannot process.
pub(super) const UNAVAILABLE: ErrorClass = ErrorClass {
    headers: &[("Retry-After", "The number of seconds after which a client can retry, if that is known")],
    is_general: true,
    ..error_class("Unavailable", &[ErrorCode::Unavailable])
};
/// The error class of errors that any request can cause, whatever its method.
pub(super) const GENERAL_ERRORS: ErrorClass = ErrorClass {
    headers: &[
        ("Allow", "With status 405: the HTTP methods that the URI supports"),
        (
            "Retry-After",
            "With status 429 or 503: the number of seconds after which a client can retry, if that is known",
        ),
    ],
    is_general: true,
    ..error_class_before_routing("Other", GENERAL_ERROR_CODES)
};

impl ErrorClass {
    /// Returns the actual status of the errors in this class; for [`GENERAL_ERRORS`] the status of the first error.
    pub(super) fn status(&self) -> u16 {
        self.codes.first().map_or(500, |code| code.status().get())
    }
}
