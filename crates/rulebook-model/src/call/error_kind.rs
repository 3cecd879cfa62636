//! The kinds of errors that requests end with, each with its data.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderName, HeaderValue, header};
use serde_json::Value as Json;

use super::{HttpMethod, Limit, MalformedRequest, ParameterError, ParameterErrorKind};
use crate::error::ErrorCode;

/// The value of `Retry-After` for an unavailable service, in seconds.
const RETRY_AFTER: u64 = 5;

/// The kind of an [`ApiError`](super::ApiError).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No service has the path of the request.
    UnknownService {
        /// The URIs of services with a similar path, as definitions write them, with the base path; the nearest first.
        similar: Vec<String>,
    },
    /// No service has the name in the query or the body.
    InvalidServiceName {
        /// The name as it was sent, shortened.
        name: String,
        /// The number of parts of the name, which dots separate; 0 if it is not written that way.
        parts: usize,
        /// The error of the name.
        error: ServiceNameError,
    },
    /// The service exists, but not this method.
    UnknownMethod {
        /// The methods of the service.
        allowed: AllowedMethods,
    },
    /// The method requires a permission and the request carries no credential, or the credential is not valid.
    Unauthenticated {
        /// `true` if the request carries a credential that is not valid.
        invalid: bool,
        /// The value of `WWW-Authenticate`.
        challenge: String,
    },
    /// The identity lacks a permission that the method requires.
    Forbidden {
        /// The scope of the method, an OR of ANDs as in the definition; each group without the permissions that the
        /// identity has.
        missing: Vec<Vec<String>>,
    },
    /// An error without data: its code says everything.
    Plain(ErrorCode),
    /// At least one parameter is missing or invalid.
    Parameters {
        /// The errors in the order of the definition, at most 50.
        errors: Vec<ParameterError>,
        /// `true` if there are more errors.
        truncated: bool,
    },
    /// The path or the body cannot be decoded.
    MalformedRequest(MalformedRequest),
    /// The request exceeds a limit.
    TooLarge {
        /// The limit.
        limit: Limit,
        /// The name of the part or parameter that exceeds it, if it is a single one.
        parameter: Option<String>,
    },
    /// The method does not read bodies of this media type.
    UnsupportedMediaType {
        /// The media type of the body.
        got: String,
        /// The media types that are read.
        accepted: &'static [&'static str],
    },
    /// The identity has exceeded its limit of requests.
    TooManyRequests {
        /// The number of seconds until the next request can succeed.
        retry_after: u64,
    },
    /// An error that the definition declares for the method.
    Declared {
        /// The name of the error in the definition.
        name: Cow<'static, str>,
        /// The message: the definition's, or one that the handler sets.
        message: String,
        /// Further members that the handler adds.
        data: Vec<(Cow<'static, str>, Json)>,
    },
    /// The method is defined but has no handler.
    NotImplemented {
        /// The id of the method.
        id: String,
    },
    /// The program failed.
    Internal {
        /// The id of the request, under which the log has the reason.
        request_id: String,
    },
}

/// An error of the name of a service in a query or a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceNameError {
    /// The name has characters that no service can have.
    Illegal,
    /// The name lacks a method.
    Incomplete,
    /// No service has the name.
    Unknown,
}

/// The methods of a service, displayed as the value of `Allow` (RFC 9110 section 10.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedMethods(pub Vec<HttpMethod>);

impl fmt::Display for AllowedMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for http in &self.0 {
            f.write_str(http.as_str())?;
            f.write_str(", ")?;
            if *http == HttpMethod::Get {
                f.write_str("HEAD, ")?;
            }
        }
        f.write_str("OPTIONS")
    }
}

impl ErrorKind {
    /// The code of the error.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidServiceName { error: ServiceNameError::Illegal, .. } => ErrorCode::InvalidParameter,
            Self::UnknownService { .. } | Self::InvalidServiceName { .. } => ErrorCode::UnknownService,
            Self::UnknownMethod { .. } => ErrorCode::UnknownMethod,
            Self::Unauthenticated { .. } => ErrorCode::Unauthenticated,
            Self::Forbidden { .. } => ErrorCode::Forbidden,
            Self::Plain(code) => *code,
            Self::Parameters { errors, .. } => {
                if errors.iter().all(|error| error.kind == ParameterErrorKind::Missing) {
                    ErrorCode::MissingParameter
                } else {
                    ErrorCode::InvalidParameter
                }
            }
            Self::MalformedRequest(_) => ErrorCode::MalformedRequest,
            Self::TooLarge { limit, .. } => limit.code,
            Self::UnsupportedMediaType { .. } => ErrorCode::UnsupportedMediaType,
            Self::TooManyRequests { .. } => ErrorCode::TooManyRequests,
            Self::Declared { .. } => ErrorCode::Failed,
            Self::NotImplemented { .. } => ErrorCode::NotImplemented,
            Self::Internal { .. } => ErrorCode::Internal,
        }
    }

    /// The header fields of a response with this error.
    pub(super) fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let field = match self {
            Self::UnknownMethod { allowed } => (header::ALLOW, allowed.to_string()),
            Self::Unauthenticated { challenge, .. } => (header::WWW_AUTHENTICATE, challenge.clone()),
            Self::TooManyRequests { retry_after } => (header::RETRY_AFTER, retry_after.to_string()),
            Self::Plain(ErrorCode::Unavailable) => (header::RETRY_AFTER, RETRY_AFTER.to_string()),
            _ => return Vec::new(),
        };
        HeaderValue::try_from(field.1).map(|value| vec![(field.0, value)]).unwrap_or_default()
    }
}
