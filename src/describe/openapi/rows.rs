//! The refusals of the engine, by their real status.

use crate::error::Code;

/// Refusals of the engine that share a status.
pub(super) struct Row {
    /// What their component is called.
    pub(super) name: &'static str,
    /// Which they are; the first one's status is that of all.
    pub(super) codes: &'static [Code],
    /// Header fields that they have, and what each says.
    pub(super) headers: &'static [(&'static str, &'static str)],
    /// Whether it may be before the module is known, so that they are in the API's envelope.
    pub(super) is_early: bool,
}

const RETRY_AFTER: &str = "Seconds until another try makes sense";
/// What a key has left (draft-ietf-httpapi-ratelimit-headers, version 10).
pub(super) const RATE_LIMIT: (&str, &str) = (
    "RateLimit",
    "Where the requests of a key are counted: how many are left (`r`), and in how many seconds all are again (`t`)",
);
/// What it may do.
pub(super) const RATE_LIMIT_POLICY: (&str, &str) = (
    "RateLimit-Policy",
    "Where the requests of a key are counted: how many it may make (`q`) in how many seconds (`w`)",
);

const fn row(name: &'static str, codes: &'static [Code]) -> Row {
    Row { name, codes, headers: &[], is_early: false }
}

const fn early(name: &'static str, codes: &'static [Code]) -> Row {
    Row { is_early: true, ..row(name, codes) }
}

/// A parameter at fault, or nothing that can be read.
pub(super) const BAD_REQUEST: Row =
    early("BadRequest", &[Code::MissingParameter, Code::InvalidParameter, Code::Unreadable]);
/// Nobody is identified.
pub(super) const UNAUTHENTICATED: Row = Row {
    headers: &[("WWW-Authenticate", "The schemes by which a client can identify itself")],
    ..row("Unauthenticated", &[Code::Unauthenticated])
};
/// A permission is missing.
pub(super) const FORBIDDEN: Row = row("Forbidden", &[Code::Forbidden]);
/// Whoever is identified has made too many requests.
pub(super) const TOO_MANY: Row = Row {
    headers: &[("Retry-After", RETRY_AFTER), RATE_LIMIT, RATE_LIMIT_POLICY],
    ..row("TooManyRequests", &[Code::TooManyRequests])
};
/// The body does not come.
pub(super) const TIMEOUT: Row = row("Timeout", &[Code::Timeout]);
/// The query or the body is over a limit.
pub(super) const TOO_LARGE: Row = row("TooLarge", &[Code::TooLarge]);
/// The target is over a limit.
pub(super) const URI_TOO_LONG: Row = early("UriTooLong", &[Code::UriTooLong]);
/// The body is of a media type that is not read.
pub(super) const UNSUPPORTED: Row = row("UnsupportedMediaType", &[Code::UnsupportedMediaType]);
/// The header fields are over a limit.
pub(super) const HEAD_TOO_LARGE: Row = early("HeadTooLarge", &[Code::HeadTooLarge]);
/// The program failed.
pub(super) const INTERNAL: Row = early("Internal", &[Code::Internal]);
/// The same of a method that takes files.
pub(super) const INTERNAL_OR_UPLOAD: Row = early("InternalOrUpload", &[Code::Internal, Code::Upload]);
/// There is no room for the files that a method takes.
pub(super) const NO_ROOM: Row = row("NoRoom", &[Code::NoRoom]);
/// Nothing is there to answer.
pub(super) const NOT_IMPLEMENTED: Row = row("NotImplemented", &[Code::NotImplemented]);
/// The program cannot answer now.
pub(super) const UNAVAILABLE: Row = Row {
    headers: &[("Retry-After", "Seconds until another try makes sense, where that is known")],
    ..row("Unavailable", &[Code::Unavailable])
};
/// What any request can be refused for, whatever it is for.
pub(super) const OTHER: Row = Row {
    headers: &[("Allow", "With status 405: the methods that there are")],
    ..early(
        "Other",
        &[
            Code::UnknownService,
            Code::UnknownMethod,
            Code::Unauthenticated,
            Code::TooManyRequests,
            Code::ExpectationFailed,
        ],
    )
};

impl Row {
    /// The real status of them.
    pub(super) fn status(&self) -> u16 {
        self.codes.first().map_or(500, |code| code.status().get())
    }
}
