//! The errors that requests can cause, and the responses for them.

use std::fmt;

use actix_web::error::{JsonPayloadError, PathError, QueryPayloadError, UrlencodedError};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

/// An error that a request caused.
#[derive(Debug)]
pub enum RequestError {
    UnknownService,
    /// The path does not support the HTTP method of the request. `allow` is the value of the header field `Allow`.
    UnknownMethod {
        allow: &'static str,
    },
    /// The request has no bearer key, or an unknown one.
    Unauthenticated,
    /// The caller does not have the permission that the endpoint requires.
    Forbidden,
    /// A parameter is outside its allowed range. The checks stop at the first such parameter.
    InvalidParameter(ParameterError),
    /// A parameter or the body cannot be parsed. The text is the reason.
    Unreadable(String),
    TooLarge,
    UnsupportedMediaType,
    UnknownArticle,
    UnknownFile,
    UnknownNote,
    UnknownQuote,
    /// The database cannot be used.
    Unavailable,
    /// The other server cannot be reached, or its response is invalid.
    BadGateway,
    /// The other server does not respond in time.
    GatewayTimeout,
}

/// A parameter that is outside its allowed range.
#[derive(Debug, Serialize)]
pub struct ParameterError {
    parameter: &'static str,
    r#in: &'static str,
    expected: &'static str,
    got: String,
}

/// Maximum number of characters of a rejected parameter value that a response quotes.
const MAX_QUOTED_CHARS: usize = 100;

impl ParameterError {
    /// Creates the error for a parameter, with its rejected value.
    pub fn new(parameter: &'static str, r#in: &'static str, expected: &'static str, got: &dyn fmt::Display) -> Self {
        Self { parameter, r#in, expected, got: got.to_string().chars().take(MAX_QUOTED_CHARS).collect() }
    }
}

impl From<ParameterError> for RequestError {
    fn from(error: ParameterError) -> Self {
        Self::InvalidParameter(error)
    }
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: u32,
    #[serde(rename = "ErrorDescription")]
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    invalid: Option<&'a ParameterError>,
}

impl RequestError {
    fn error_number(&self) -> u32 {
        match self {
            Self::UnknownService => 200,
            Self::UnknownMethod { .. } => 201,
            Self::Forbidden => 300,
            Self::Unauthenticated => 301,
            Self::InvalidParameter(_) => 401,
            Self::Unreadable(_) => 402,
            Self::TooLarge => 403,
            Self::UnsupportedMediaType => 404,
            Self::UnknownArticle | Self::UnknownFile | Self::UnknownNote | Self::UnknownQuote => 1,
            Self::Unavailable => 501,
            Self::BadGateway => 502,
            Self::GatewayTimeout => 504,
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownService => "unknown service",
            Self::UnknownMethod { .. } => "unknown method",
            Self::Unauthenticated => "invalid or missing credential",
            Self::Forbidden => "permission error",
            Self::InvalidParameter(_) => "invalid parameter",
            Self::Unreadable(why) => return write!(f, "unreadable request: {why}"),
            Self::TooLarge => "request too large",
            Self::UnsupportedMediaType => "unsupported media type",
            Self::UnknownArticle => "there is no such article",
            Self::UnknownFile => "there is no such file",
            Self::UnknownNote => "there is no such note",
            Self::UnknownQuote => "there is no such quote",
            Self::Unavailable => "service unavailable",
            Self::BadGateway => "bad gateway",
            Self::GatewayTimeout => "gateway timeout",
        })
    }
}

impl ResponseError for RequestError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::UnknownService
            | Self::UnknownArticle
            | Self::UnknownFile
            | Self::UnknownNote
            | Self::UnknownQuote => StatusCode::NOT_FOUND,
            Self::UnknownMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::InvalidParameter(_) | Self::Unreadable(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::BadGateway => StatusCode::BAD_GATEWAY,
            Self::GatewayTimeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::Unauthenticated => response.insert_header((header::WWW_AUTHENTICATE, "Bearer")),
            Self::UnknownMethod { allow } => response.insert_header((header::ALLOW, *allow)),
            _ => &mut response,
        };
        response.json(ErrorBody {
            error: self.error_number(),
            description: self.to_string(),
            invalid: match self {
                Self::InvalidParameter(error) => Some(error),
                _ => None,
            },
        })
    }
}

impl From<PathError> for RequestError {
    fn from(error: PathError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<QueryPayloadError> for RequestError {
    fn from(error: QueryPayloadError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<JsonPayloadError> for RequestError {
    fn from(error: JsonPayloadError) -> Self {
        match error {
            JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. } => Self::TooLarge,
            JsonPayloadError::ContentType => Self::UnsupportedMediaType,
            other => Self::Unreadable(other.to_string()),
        }
    }
}

impl From<UrlencodedError> for RequestError {
    fn from(error: UrlencodedError) -> Self {
        match error {
            UrlencodedError::Overflow { .. } => Self::TooLarge,
            UrlencodedError::ContentType => Self::UnsupportedMediaType,
            other => Self::Unreadable(other.to_string()),
        }
    }
}
