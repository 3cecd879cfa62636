//! Every way in which a request can be refused, and what it is answered with.

use std::fmt;

use actix_web::error::{JsonPayloadError, PathError, QueryPayloadError, UrlencodedError};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

/// A request that is refused.
#[derive(Debug)]
pub enum Failure {
    UnknownService,
    /// A method that the resource does not have, and the one that it has.
    UnknownMethod {
        allow: &'static str,
    },
    /// No credential, or one that is not known.
    Unauthenticated,
    /// A caller who may not do this.
    Forbidden,
    /// Parameters out of their bounds.
    Invalid(Vec<Fault>),
    /// Something that does not have the shape of its type; why.
    Unreadable(String),
    TooLarge,
    UnsupportedMediaType,
    UnknownArticle,
    UnknownFile,
    /// The database does not answer.
    Unavailable,
}

/// A parameter out of its bounds.
#[derive(Debug, Serialize)]
pub struct Fault {
    parameter: &'static str,
    r#in: &'static str,
    expected: &'static str,
    got: String,
}

/// Characters of a refused value that are told.
const GOT_LIMIT: usize = 100;

impl Fault {
    /// The parameter is not what was expected.
    pub fn new(parameter: &'static str, r#in: &'static str, expected: &'static str, got: &dyn fmt::Display) -> Self {
        Self { parameter, r#in, expected, got: got.to_string().chars().take(GOT_LIMIT).collect() }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: u32,
    #[serde(rename = "ErrorDescription")]
    description: String,
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    errors: &'a [Fault],
}

impl Failure {
    fn number(&self) -> u32 {
        match self {
            Self::UnknownService => 200,
            Self::UnknownMethod { .. } => 201,
            Self::Forbidden => 300,
            Self::Unauthenticated => 301,
            Self::Invalid(_) => 401,
            Self::Unreadable(_) => 402,
            Self::TooLarge => 403,
            Self::UnsupportedMediaType => 404,
            Self::UnknownArticle | Self::UnknownFile => 1,
            Self::Unavailable => 501,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownService => "unknown service",
            Self::UnknownMethod { .. } => "unknown method",
            Self::Unauthenticated => "invalid or missing credential",
            Self::Forbidden => "permission error",
            Self::Invalid(_) => "invalid parameter",
            Self::Unreadable(why) => return write!(f, "unreadable request: {why}"),
            Self::TooLarge => "request too large",
            Self::UnsupportedMediaType => "unsupported media type",
            Self::UnknownArticle => "there is no such article",
            Self::UnknownFile => "there is no such file",
            Self::Unavailable => "service unavailable",
        })
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::UnknownService | Self::UnknownArticle | Self::UnknownFile => StatusCode::NOT_FOUND,
            Self::UnknownMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Invalid(_) | Self::Unreadable(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::Unauthenticated => response.insert_header((header::WWW_AUTHENTICATE, "Bearer")),
            Self::UnknownMethod { allow } => response.insert_header((header::ALLOW, *allow)),
            _ => &mut response,
        };
        response.json(Body {
            error: self.number(),
            description: self.to_string(),
            errors: match self {
                Self::Invalid(faults) => faults,
                _ => &[],
            },
        })
    }
}

impl From<PathError> for Failure {
    fn from(error: PathError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<QueryPayloadError> for Failure {
    fn from(error: QueryPayloadError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<JsonPayloadError> for Failure {
    fn from(error: JsonPayloadError) -> Self {
        match error {
            JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. } => Self::TooLarge,
            JsonPayloadError::ContentType => Self::UnsupportedMediaType,
            other => Self::Unreadable(other.to_string()),
        }
    }
}

impl From<UrlencodedError> for Failure {
    fn from(error: UrlencodedError) -> Self {
        match error {
            UrlencodedError::Overflow { .. } => Self::TooLarge,
            UrlencodedError::ContentType => Self::UnsupportedMediaType,
            other => Self::Unreadable(other.to_string()),
        }
    }
}
