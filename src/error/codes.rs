//! The one table of request errors: code, name, aicra number, HTTP status.
//!
//! Numbers are those of 2018's aicra where it had one (100 upload, 1 failed,
//! 200/201 unknown service and method, 300/301 permission and token, 400/401
//! missing and invalid parameter); ours are added behind them. A number or
//! code that has been published is never given to something else.

use std::fmt;

use super::texts::Catalogue;

/// A class of refusals, stable for clients and logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The handler refused with an error that the definition declares.
    Failed,
    /// An upload could not be stored.
    Upload,
    /// There is no room for an upload.
    NoRoom,
    /// No service has this URI.
    UnknownService,
    /// The service has no such method.
    UnknownMethod,
    /// A link to a file that has expired, or whose file has been removed.
    Gone,
    /// The identity lacks permissions.
    Forbidden,
    /// Nobody was identified where somebody is needed, or the credential is invalid.
    Unauthenticated,
    /// A link to a file that this server has not made so.
    InvalidLink,
    /// At least one required parameter is missing and none is invalid.
    MissingParameter,
    /// At least one parameter is invalid.
    InvalidParameter,
    /// The path or the body cannot be decoded.
    Unreadable,
    /// The body, or a part of it, is over a limit.
    TooLarge,
    /// The media type of the body is not one that is read.
    UnsupportedMediaType,
    /// The request's target is over the limit.
    UriTooLong,
    /// The request's header fields are over the limit.
    HeadTooLarge,
    /// Too many requests in a given time.
    TooManyRequests,
    /// The body did not arrive in time.
    Timeout,
    /// An expectation other than `100-continue`.
    ExpectationFailed,
    /// The method is defined but has no handler in this program.
    NotImplemented,
    /// The service is not ready to answer.
    Unavailable,
    /// The program failed; the reason is in its log only.
    Internal,
}

/// A row of [`TABLE`].
#[derive(Debug)]
pub struct Row {
    /// The class.
    pub code: Code,
    /// Its name in problem documents, logs and catalogues.
    pub name: &'static str,
    /// `error` in the aicra envelope.
    pub number: u32,
    /// HTTP status (RFC 9110 section 15, RFC 6585, RFC 4918 section 11.5).
    pub status: u16,
}

const fn row(code: Code, name: &'static str, number: u32, status: u16) -> Row {
    Row { code, name, number, status }
}

/// Every code once, in the order of [`Code`].
pub const TABLE: &[Row] = &[
    row(Code::Failed, "failed", 1, 400),
    row(Code::Upload, "upload", 100, 500),
    row(Code::NoRoom, "no-room", 101, 507),
    row(Code::UnknownService, "unknown-service", 200, 404),
    row(Code::UnknownMethod, "unknown-method", 201, 405),
    row(Code::Gone, "gone", 202, 410),
    row(Code::Forbidden, "forbidden", 300, 403),
    row(Code::Unauthenticated, "unauthenticated", 301, 401),
    row(Code::InvalidLink, "invalid-link", 302, 403),
    row(Code::MissingParameter, "missing-parameter", 400, 400),
    row(Code::InvalidParameter, "invalid-parameter", 401, 400),
    row(Code::Unreadable, "unreadable", 402, 400),
    row(Code::TooLarge, "too-large", 403, 413),
    row(Code::UnsupportedMediaType, "unsupported-media-type", 404, 415),
    row(Code::UriTooLong, "uri-too-long", 405, 414),
    row(Code::HeadTooLarge, "head-too-large", 406, 431),
    row(Code::TooManyRequests, "too-many-requests", 407, 429),
    row(Code::Timeout, "timeout", 408, 408),
    row(Code::ExpectationFailed, "expectation-failed", 409, 417),
    row(Code::NotImplemented, "not-implemented", 500, 501),
    row(Code::Unavailable, "unavailable", 501, 503),
    row(Code::Internal, "internal", 502, 500),
];

impl Code {
    /// The code's row in [`TABLE`].
    pub fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// A few words in English, the same for every refusal of the class.
    #[must_use]
    pub fn title(self) -> &'static str {
        Catalogue::english().title(self)
    }

    /// Its HTTP status.
    pub fn status(self) -> ErrorStatus {
        ErrorStatus(self.row().status)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().name)
    }
}

/// An HTTP status between 400 and 599: an error can never be answered as a success.
///
/// ```
/// use rulebook::ErrorStatus;
/// assert_eq!(ErrorStatus::new(404).unwrap().get(), 404);
/// assert!(ErrorStatus::new(200).is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorStatus(u16);

impl ErrorStatus {
    /// The numbers that are one.
    pub const RANGE: std::ops::RangeInclusive<u16> = 400..=599;

    /// `status`, if it is that of an error.
    #[must_use]
    pub const fn new(status: u16) -> Option<Self> {
        if status >= *Self::RANGE.start() && status <= *Self::RANGE.end() { Some(Self(status)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}
