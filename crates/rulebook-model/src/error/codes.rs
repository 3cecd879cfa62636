//! The table of request errors. Each error code has a name, an HTTP status, and a number for the envelope `aicra`.
//!
//! Errors that aicra (2018), a predecessor of rulebook, already had keep their numbers: 1 failed, 100 upload, 200/201
//! unknown service and method, 300/301 permission and token, 400/401 missing and invalid parameter. Later errors have
//! numbers in the same hundreds. A number or name that has been published is never reused for another error.

use std::fmt;

use super::catalogue::Catalogue;

/// The kind of an error response. Its name and number never change, so that clients and logs can rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The handler returned an error that the definition declares.
    Failed,
    /// An upload could not be stored.
    Upload,
    /// The server does not have enough storage for an upload, the file of a download link, or an idempotency key.
    StorageFull,
    /// No service has the path of the request.
    UnknownService,
    /// The service does not support the HTTP method of the request.
    UnknownMethod,
    /// The link to a file has expired, or its file has been removed.
    Gone,
    /// The deprecated method has reached its `sunset`.
    MethodGone,
    /// The caller lacks a permission that the method requires.
    Forbidden,
    /// The method requires a credential and the request has none, or the credential is invalid.
    Unauthenticated,
    /// This server did not issue the link to a file, or the link was changed.
    InvalidLink,
    /// A page of another site has sent the request, with a credential that the browser has added by itself.
    CrossSite,
    /// At least one required parameter is missing, and no parameter is invalid.
    MissingParameter,
    /// At least one parameter is invalid.
    InvalidParameter,
    /// The path or the body of the request cannot be decoded.
    MalformedRequest,
    /// The body, or a part of it, exceeds a limit.
    TooLarge,
    /// The method does not read bodies of the request's media type.
    UnsupportedMediaType,
    /// The request target is longer than its limit.
    UriTooLong,
    /// The header fields of the request are longer than their limit.
    HeadTooLarge,
    /// The caller has exceeded its rate limit.
    TooManyRequests,
    /// The body did not arrive in time.
    Timeout,
    /// The header field `Expect` contains another expectation than `100-continue`.
    ExpectationFailed,
    /// The method requires the header field `Idempotency-Key`, and the request does not have it.
    IdempotencyKeyRequired,
    /// The caller has used the same idempotency key for a request with other arguments.
    IdempotencyKeyReused,
    /// The first request with the same idempotency key is still being handled.
    IdempotencyKeyInUse,
    /// A request with the same idempotency key was handled, but its response was not kept.
    ResponseNotKept,
    /// The resource has another version than the one that the request changes (`If-Match`).
    VersionMismatch,
    /// The method requires the header field `If-Match`, and the request does not have it.
    VersionRequired,
    /// The method is defined but has no handler in this program.
    NotImplemented,
    /// The program cannot handle the request at the moment.
    Unavailable,
    /// What handles the request for the program failed, such as another server or a worker process.
    BadGateway,
    /// What handles the request for the program did not respond in time.
    GatewayTimeout,
    /// The program failed; only its log has the reason.
    Internal,
}

/// A row of [`ERROR_CODES`]: the properties of one error code.
#[derive(Debug)]
pub struct ErrorCodeRow {
    /// The error code that the row describes.
    pub code: ErrorCode,
    /// The name of the code in problem documents, logs and catalogues.
    pub name: &'static str,
    /// The value of the member `error` in the `aicra` envelope.
    pub aicra_number: u32,
    /// The HTTP status (RFC 9110 section 15, RFC 6585, RFC 4918 section 11.5).
    pub status: u16,
    /// The number of seconds in the `Retry-After` field of the response, if it is always the same.
    pub retry_after: Option<u16>,
}

const fn row(code: ErrorCode, name: &'static str, aicra_number: u32, status: u16) -> ErrorCodeRow {
    ErrorCodeRow { code, name, aicra_number, status, retry_after: None }
}

/// The properties of all error codes, in the order of [`ErrorCode`].
pub const ERROR_CODES: &[ErrorCodeRow] = &[
    row(ErrorCode::Failed, "failed", 1, 400),
    row(ErrorCode::Upload, "upload", 100, 500),
    row(ErrorCode::StorageFull, "no-room", 101, 507),
    row(ErrorCode::UnknownService, "unknown-service", 200, 404),
    row(ErrorCode::UnknownMethod, "unknown-method", 201, 405),
    row(ErrorCode::Gone, "gone", 202, 410),
    row(ErrorCode::MethodGone, "method-gone", 203, 410),
    row(ErrorCode::Forbidden, "forbidden", 300, 403),
    row(ErrorCode::Unauthenticated, "unauthenticated", 301, 401),
    row(ErrorCode::InvalidLink, "invalid-link", 302, 403),
    row(ErrorCode::CrossSite, "cross-site", 303, 403),
    row(ErrorCode::MissingParameter, "missing-parameter", 400, 400),
    row(ErrorCode::InvalidParameter, "invalid-parameter", 401, 400),
    row(ErrorCode::MalformedRequest, "unreadable", 402, 400),
    row(ErrorCode::TooLarge, "too-large", 403, 413),
    row(ErrorCode::UnsupportedMediaType, "unsupported-media-type", 404, 415),
    row(ErrorCode::UriTooLong, "uri-too-long", 405, 414),
    row(ErrorCode::HeadTooLarge, "head-too-large", 406, 431),
    row(ErrorCode::TooManyRequests, "too-many-requests", 407, 429),
    row(ErrorCode::Timeout, "timeout", 408, 408),
    row(ErrorCode::ExpectationFailed, "expectation-failed", 409, 417),
    row(ErrorCode::IdempotencyKeyRequired, "idempotency-key-required", 410, 400),
    row(ErrorCode::IdempotencyKeyReused, "idempotency-key-reused", 411, 422),
    ErrorCodeRow { retry_after: Some(1), ..row(ErrorCode::IdempotencyKeyInUse, "idempotency-key-in-use", 412, 409) },
    row(ErrorCode::ResponseNotKept, "response-not-kept", 413, 409),
    row(ErrorCode::VersionMismatch, "version-mismatch", 414, 412),
    row(ErrorCode::VersionRequired, "version-required", 415, 428),
    row(ErrorCode::NotImplemented, "not-implemented", 500, 501),
    ErrorCodeRow { retry_after: Some(5), ..row(ErrorCode::Unavailable, "unavailable", 501, 503) },
    row(ErrorCode::BadGateway, "bad-gateway", 503, 502),
    row(ErrorCode::GatewayTimeout, "gateway-timeout", 504, 504),
    row(ErrorCode::Internal, "internal", 502, 500),
];

/// The codes of errors that a request to any method can receive.
pub const GENERAL_ERROR_CODES: &[ErrorCode] = &[
    ErrorCode::UnknownService,
    ErrorCode::UnknownMethod,
    ErrorCode::Unauthenticated,
    ErrorCode::TooManyRequests,
    ErrorCode::ExpectationFailed,
    ErrorCode::Unavailable,
    ErrorCode::BadGateway,
    ErrorCode::GatewayTimeout,
    ErrorCode::Internal,
];

impl ErrorCode {
    /// Returns the properties of the code, from [`ERROR_CODES`].
    #[doc(hidden)] // Programs use the functions below.
    pub fn row(self) -> &'static ErrorCodeRow {
        &ERROR_CODES[self as usize]
    }

    /// Returns a short English title, which is the same for all errors with this code.
    #[must_use]
    pub fn title(self) -> &'static str {
        Catalogue::ENGLISH.title(self)
    }

    /// Returns the HTTP status of errors with this code.
    pub fn status(self) -> ErrorStatus {
        ErrorStatus(self.row().status)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().name)
    }
}

/// An HTTP status from 400 to 599, so that an error response can never have the status of a success.
///
/// ```
/// # use rulebook_model as rulebook;
/// use rulebook::error::ErrorStatus;
/// assert_eq!(ErrorStatus::new(404).unwrap().get(), 404);
/// assert!(ErrorStatus::new(200).is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorStatus(u16);

impl ErrorStatus {
    /// The HTTP statuses of error responses.
    pub const RANGE: std::ops::RangeInclusive<u16> = 400..=599;

    /// Returns `status` as an `ErrorStatus`, or `None` if `status` is not from 400 to 599.
    #[must_use]
    pub const fn new(status: u16) -> Option<Self> {
        if status >= *Self::RANGE.start() && status <= *Self::RANGE.end() { Some(Self(status)) } else { None }
    }

    /// Returns the status as a number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}
