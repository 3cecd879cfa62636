//! The table of request errors: code, name, aicra number and HTTP status.
//!
//! Errors that aicra (2018) had keep its numbers: 1 failed, 100 upload, 200/201 unknown service and method, 300/301
//! permission and token, 400/401 missing and invalid parameter. Further errors follow in the same hundreds. A published
//! number or name is never given to another error.

use std::fmt;

use super::texts::Catalogue;

/// The kind of an error response, stable for clients and logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The handler returned an error that the definition declares.
    Failed,
    /// An upload could not be stored.
    Upload,
    /// There is not enough storage for an upload.
    StorageFull,
    /// No service has this URI.
    UnknownService,
    /// The service does not support this method.
    UnknownMethod,
    /// The link to a file has expired, or its file has been removed.
    Gone,
    /// The caller lacks permissions.
    Forbidden,
    /// The method requires a credential and the request has none, or the credential is invalid.
    Unauthenticated,
    /// The link to a file was not issued by this server, or it was changed.
    InvalidLink,
    /// At least one required parameter is missing and none is invalid.
    MissingParameter,
    /// At least one parameter is invalid.
    InvalidParameter,
    /// The path or the body cannot be decoded.
    MalformedRequest,
    /// The body, or a part of it, exceeds a limit.
    TooLarge,
    /// The media type of the body is not supported.
    UnsupportedMediaType,
    /// The request target exceeds its limit.
    UriTooLong,
    /// The header fields of the request exceed their limit.
    HeadTooLarge,
    /// The caller sent too many requests in a given time.
    TooManyRequests,
    /// The body did not arrive in time.
    Timeout,
    /// The `Expect` field holds another expectation than `100-continue`.
    ExpectationFailed,
    /// The method is defined but has no handler in this program.
    NotImplemented,
    /// The service is temporarily unavailable.
    Unavailable,
    /// The program failed; only its log has the reason.
    Internal,
}

/// A row of [`TABLE`].
#[derive(Debug)]
pub struct ErrorCodeRow {
    /// The code.
    pub code: ErrorCode,
    /// The name of the code in problem documents, logs and catalogues.
    pub name: &'static str,
    /// The value of `error` in the aicra envelope.
    pub number: u32,
    /// The HTTP status (RFC 9110 section 15, RFC 6585, RFC 4918 section 11.5).
    pub status: u16,
    /// `true` if errors with this code have no data. The catalogues have their message under the name of the code.
    pub is_plain: bool,
}

const fn row(code: ErrorCode, name: &'static str, number: u32, status: u16) -> ErrorCodeRow {
    ErrorCodeRow { code, name, number, status, is_plain: false }
}

const fn plain(code: ErrorCode, name: &'static str, number: u32, status: u16) -> ErrorCodeRow {
    ErrorCodeRow { is_plain: true, ..row(code, name, number, status) }
}

/// Every code once, in the order of [`ErrorCode`].
pub const TABLE: &[ErrorCodeRow] = &[
    row(ErrorCode::Failed, "failed", 1, 400),
    plain(ErrorCode::Upload, "upload", 100, 500),
    plain(ErrorCode::StorageFull, "no-room", 101, 507),
    row(ErrorCode::UnknownService, "unknown-service", 200, 404),
    row(ErrorCode::UnknownMethod, "unknown-method", 201, 405),
    plain(ErrorCode::Gone, "gone", 202, 410),
    row(ErrorCode::Forbidden, "forbidden", 300, 403),
    row(ErrorCode::Unauthenticated, "unauthenticated", 301, 401),
    plain(ErrorCode::InvalidLink, "invalid-link", 302, 403),
    row(ErrorCode::MissingParameter, "missing-parameter", 400, 400),
    row(ErrorCode::InvalidParameter, "invalid-parameter", 401, 400),
    row(ErrorCode::MalformedRequest, "unreadable", 402, 400),
    row(ErrorCode::TooLarge, "too-large", 403, 413),
    row(ErrorCode::UnsupportedMediaType, "unsupported-media-type", 404, 415),
    row(ErrorCode::UriTooLong, "uri-too-long", 405, 414),
    row(ErrorCode::HeadTooLarge, "head-too-large", 406, 431),
    row(ErrorCode::TooManyRequests, "too-many-requests", 407, 429),
    plain(ErrorCode::Timeout, "timeout", 408, 408),
    plain(ErrorCode::ExpectationFailed, "expectation-failed", 409, 417),
    row(ErrorCode::NotImplemented, "not-implemented", 500, 501),
    plain(ErrorCode::Unavailable, "unavailable", 501, 503),
    row(ErrorCode::Internal, "internal", 502, 500),
];

/// The errors that any request can receive, whatever its method.
pub const GENERAL: &[ErrorCode] = &[
    ErrorCode::UnknownService,
    ErrorCode::UnknownMethod,
    ErrorCode::Unauthenticated,
    ErrorCode::TooManyRequests,
    ErrorCode::ExpectationFailed,
];

impl ErrorCode {
    /// Returns the row of the code in [`TABLE`].
    #[doc(hidden)]
    pub fn row(self) -> &'static ErrorCodeRow {
        &TABLE[self as usize]
    }

    /// Returns a short English title, the same for every error with this code.
    #[must_use]
    pub fn title(self) -> &'static str {
        Catalogue::english().title(self)
    }

    /// Returns the HTTP status of the code.
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
    /// The statuses of errors.
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
