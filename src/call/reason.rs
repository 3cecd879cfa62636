//! Why a request is refused: each kind with the data of it.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderName, HeaderValue, header};
use serde_json::Value as Json;

use super::{Fault, FaultKind, Http, Limit, Unreadable};
use crate::error::Code;

/// Seconds until another try makes sense where the service is not ready to answer.
const RETRY_AFTER: u64 = 5;

/// Why a request is refused.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Reason {
    /// No service has this URI.
    UnknownService {
        /// The URIs of services of a similar one, as definitions write them with base in front; the nearest first.
        similar: Vec<String>,
    },
    /// A name in the query or the body is that of no service.
    Misnamed {
        /// The name as it came, shortened.
        name: String,
        /// How many parts it has between its dots; 0 where it is not written so.
        parts: usize,
        /// What is wrong with it.
        flaw: NameFlaw,
    },
    /// The service is there, the method is not.
    UnknownMethod {
        /// What the service has.
        allowed: Allowed,
    },
    /// No identity where one is needed, or an invalid credential.
    Unauthenticated {
        /// Whether a credential came and is not valid.
        invalid: bool,
        /// The schemes by which the client may identify itself.
        challenge: String,
    },
    /// The identity does not hold what the method asks for.
    Forbidden {
        /// The method's scope, an OR of ANDs as it is written, each group less what is held.
        missing: Vec<Vec<String>>,
    },
    /// A link to a file that has expired, or whose file has been removed.
    Gone,
    /// A link to a file that this server has not made so.
    InvalidLink,
    /// At least one parameter is at fault.
    Parameters {
        /// In the definition's order, at most 50.
        faults: Vec<Fault>,
        /// Whether there are more.
        truncated: bool,
    },
    /// The path or the body cannot be decoded.
    Unreadable(Unreadable),
    /// Something is over a limit.
    TooLarge {
        /// Which.
        limit: Limit,
        /// Of which part or parameter, where it is of one.
        parameter: Option<String>,
    },
    /// A body of a media type that is not read here.
    UnsupportedMediaType {
        /// The one that came.
        got: String,
        /// What is read.
        accepted: &'static [&'static str],
    },
    /// An upload could not be stored; the log knows why.
    Upload,
    /// There is no room to store an upload.
    NoRoom,
    /// Too many requests.
    TooManyRequests {
        /// Seconds until another try makes sense.
        retry_after: u64,
    },
    /// The body did not arrive in time.
    Timeout,
    /// An expectation other than `100-continue`.
    ExpectationFailed,
    /// One of the method's own errors.
    Declared {
        /// Its name in the definition.
        name: Cow<'static, str>,
        /// What it means: the definition's words or the handler's.
        message: String,
        /// What the handler has to say about it.
        data: Vec<(Cow<'static, str>, Json)>,
    },
    /// A defined method without a handler.
    NotImplemented {
        /// The method's id.
        id: String,
    },
    /// Not ready to answer.
    Unavailable,
    /// The program failed.
    Internal {
        /// Under which the reason stands in the log.
        request_id: String,
    },
}

/// What is wrong with the name of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameFlaw {
    /// No service can have it.
    Illegal,
    /// It names no method.
    Incomplete,
    /// No service has it.
    Unknown,
}

/// The methods that a service has, as `Allow` lists them (RFC 9110 section 10.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed(pub Vec<Http>);

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for http in &self.0 {
            f.write_str(http.as_str())?;
            f.write_str(", ")?;
            if *http == Http::Get {
                f.write_str("HEAD, ")?;
            }
        }
        f.write_str("OPTIONS")
    }
}

impl Reason {
    /// The class of refusals that this is one of.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Misnamed { flaw: NameFlaw::Illegal, .. } => Code::InvalidParameter,
            Self::UnknownService { .. } | Self::Misnamed { .. } => Code::UnknownService,
            Self::UnknownMethod { .. } => Code::UnknownMethod,
            Self::Unauthenticated { .. } => Code::Unauthenticated,
            Self::Forbidden { .. } => Code::Forbidden,
            Self::Gone => Code::Gone,
            Self::InvalidLink => Code::InvalidLink,
            Self::Parameters { faults, .. } => {
                if faults.iter().all(|fault| fault.kind == FaultKind::Missing) {
                    Code::MissingParameter
                } else {
                    Code::InvalidParameter
                }
            }
            Self::Unreadable(_) => Code::Unreadable,
            Self::TooLarge { limit, .. } => match limit.name {
                "uri" => Code::UriTooLong,
                "head" => Code::HeadTooLarge,
                _ => Code::TooLarge,
            },
            Self::UnsupportedMediaType { .. } => Code::UnsupportedMediaType,
            Self::Upload => Code::Upload,
            Self::NoRoom => Code::NoRoom,
            Self::TooManyRequests { .. } => Code::TooManyRequests,
            Self::Timeout => Code::Timeout,
            Self::ExpectationFailed => Code::ExpectationFailed,
            Self::Declared { .. } => Code::Failed,
            Self::NotImplemented { .. } => Code::NotImplemented,
            Self::Unavailable => Code::Unavailable,
            Self::Internal { .. } => Code::Internal,
        }
    }

    pub(super) fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let field = match self {
            Self::UnknownMethod { allowed } => (header::ALLOW, allowed.to_string()),
            Self::Unauthenticated { challenge, .. } => (header::WWW_AUTHENTICATE, challenge.clone()),
            Self::TooManyRequests { retry_after } => (header::RETRY_AFTER, retry_after.to_string()),
            Self::Unavailable => (header::RETRY_AFTER, RETRY_AFTER.to_string()),
            _ => return Vec::new(),
        };
        HeaderValue::try_from(field.1).map(|value| vec![(field.0, value)]).unwrap_or_default()
    }
}
