//! The kinds of errors that can end a request, with the data of each kind.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderName, HeaderValue, header};
use serde::Serialize;
use serde_json::Value as Json;

use super::{HttpMethod, Limit, ParameterError, ParameterErrorKind};
use crate::error::ErrorCode;

/// The kind of an [`ApiError`](super::ApiError).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No service has the path of the request.
    UnknownService {
        /// The URIs of services with a similar path, including the base path and in the notation of definitions
        /// (`/article/{id}`). The most similar URI is first.
        similar: Vec<String>,
    },
    /// The query or the body of the request selects a service by name, and no service has this name.
    InvalidServiceName {
        /// The name that the client sent, shortened to 100 characters, and the parts that PhalApi adds to it, such as
        /// `App.`.
        name: String,
        /// What is wrong with the name.
        error: ServiceNameError,
    },
    /// The service exists, but does not support the HTTP method of the request.
    UnknownMethod {
        /// The HTTP methods that the service supports.
        allowed: AllowedMethods,
    },
    /// The deprecated method has reached its `sunset`.
    MethodGone {
        /// The date of the end, as in definitions.
        sunset: String,
        /// The HTTP method and the URI of the method that replaces it, such as `GET /v2/article/{id}`.
        successor: Option<String>,
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
        /// The groups of permissions that the method accepts, each without the permissions that the identity has. The
        /// identity lacks at least one permission of every group, and needs all permissions of any one group.
        missing: Vec<Vec<String>>,
    },
    /// An error that has a code but no further data.
    Plain(ErrorCode),
    /// At least one parameter is missing or invalid.
    Parameters {
        /// The errors in the order of the definition, at most 50.
        errors: Vec<ParameterError>,
        /// `true` if the request has more errors than `errors` lists.
        truncated: bool,
    },
    /// The path or the body cannot be decoded.
    MalformedRequest(MalformedRequest),
    /// The request exceeds a limit.
    TooLarge {
        /// The exceeded limit.
        limit: Limit,
        /// The name of the multipart part or parameter that exceeds the limit; `None` if the whole request exceeds it.
        parameter: Option<String>,
    },
    /// The method does not read bodies of this media type.
    UnsupportedMediaType {
        /// The media type of the body.
        got: String,
        /// The media types of bodies that the method reads.
        accepted: Vec<String>,
    },
    /// The identity has exceeded its rate limit.
    TooManyRequests {
        /// The number of seconds until the next request can succeed.
        retry_after: u64,
    },
    /// An error that the definition declares for the method.
    Declared {
        /// The name of the error in the definition.
        name: Cow<'static, str>,
        /// The message, which comes from the definition unless the handler sets another one.
        message: String,
        /// The members that the handler adds to the error response, as names and values.
        data: Vec<(Cow<'static, str>, Json)>,
    },
    /// The method is defined but has no handler.
    NotImplemented {
        /// The id of the method.
        id: String,
    },
    /// A failure of the program, such as a panic.
    Internal {
        /// The id of the request. The log entry with this id contains the reason of the failure.
        request_id: String,
    },
}

/// The reason why a service name in a query or a body is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceNameError {
    /// The name lacks the part that names the class or the method, or is not a single text.
    Illegal,
    /// No service has the name.
    Unknown,
}

/// The HTTP methods of a service. `Display` writes them as the value of the `Allow` field (RFC 9110 section 10.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedMethods(pub Vec<HttpMethod>);

impl AllowedMethods {
    /// Returns the HTTP methods without duplicates, in the order of [`HttpMethod::ALL`].
    #[must_use]
    pub fn sorted(methods: impl IntoIterator<Item = HttpMethod>) -> Self {
        let methods: Vec<_> = methods.into_iter().collect();
        Self(HttpMethod::ALL.into_iter().filter(|http| methods.contains(http)).collect())
    }

    /// Returns the names of the HTTP methods that the definition contains, without those that the server adds.
    pub(crate) fn defined(&self) -> String {
        self.0.iter().map(|http| http.as_str()).collect::<Vec<_>>().join(", ")
    }
}

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
    /// Returns the code of the error, by which clients recognize it.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidServiceName { error: ServiceNameError::Illegal, .. } => ErrorCode::InvalidParameter,
            Self::UnknownService { .. } | Self::InvalidServiceName { .. } => ErrorCode::UnknownService,
            Self::UnknownMethod { .. } => ErrorCode::UnknownMethod,
            Self::MethodGone { .. } => ErrorCode::MethodGone,
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

    /// Returns the header field that a response with this error must have.
    pub(super) fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        let (name, value) = match self {
            Self::UnknownMethod { allowed } => (header::ALLOW, allowed.to_string()),
            Self::Unauthenticated { challenge, .. } => (header::WWW_AUTHENTICATE, challenge.clone()),
            Self::TooManyRequests { retry_after } => (header::RETRY_AFTER, retry_after.to_string()),
            _ => (header::RETRY_AFTER, self.code().row().retry_after?.to_string()),
        };
        Some((name, HeaderValue::try_from(value).ok()?))
    }
}

/// The reason why a request cannot be decoded, and the position of the error where it is known. It never contains
/// content of the request. The serialized names are those of its message in the catalogues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MalformedRequest {
    /// A `%` in the path is not followed by two hexadecimal digits.
    PathEscape,
    /// A segment of the path is not UTF-8.
    PathEncoding,
    /// The header field `Idempotency-Key` is not a string, or occurs more than once.
    IdempotencyKey,
    /// The body ends too early, or its transfer coding is malformed.
    BodyBroken,
    /// A JSON body is not UTF-8.
    JsonEncoding {
        /// The index of the first invalid byte, from 0.
        byte: usize,
    },
    /// A JSON body is valid JSON but not an object.
    JsonKind,
    /// A JSON body has a syntax error.
    JsonSyntax {
        /// The line of the error, from 1.
        line: usize,
        /// The column of the error in bytes, from 1.
        column: usize,
    },
    /// A JSON body ends too early.
    JsonEnd {
        /// The line of the error, from 1.
        line: usize,
        /// The column of the error in bytes, from 1.
        column: usize,
    },
    /// The Content-Type of a multipart body has no boundary.
    MultipartBoundary,
    /// The first bytes of a multipart body contain no part.
    MultipartStart {
        /// The number of bytes that were searched for the first part.
        searched: usize,
    },
    /// A part of a multipart body does not begin with a valid boundary.
    MultipartPart {
        /// The number of the multipart part, from 1.
        part: u64,
    },
    /// The header fields of a part of a multipart body are malformed.
    MultipartHead {
        /// The number of the multipart part, from 1.
        part: u64,
    },
    /// A part of a multipart body has no name.
    MultipartName {
        /// The number of the multipart part, from 1.
        part: u64,
    },
    /// The name of a part of a multipart body is too long.
    MultipartLongName {
        /// The number of the multipart part, from 1.
        part: u64,
        /// The maximum length of a name in bytes.
        max: usize,
    },
    /// A multipart body ends inside of a part.
    MultipartEnd {
        /// The number of the multipart part, from 1.
        part: u64,
    },
}

impl MalformedRequest {
    /// Converts an error of serde_json. Only its position is kept, because its message may quote the body.
    #[must_use]
    pub fn from_json_error(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        if error.is_eof() { Self::JsonEnd { line, column } } else { Self::JsonSyntax { line, column } }
    }
}
