//! A sample of each error that the server can respond with. The samples are the examples of error responses in
//! documents.

use std::borrow::Cow;

use serde_json::Value as Json;
use utoipa::openapi::example::{Example, ExampleBuilder};

use crate::call::{
    AllowedMethods, ApiError, ErrorKind, HttpMethod, Limit, MalformedRequest, ParameterError, ParameterErrorKind,
    Source,
};
use crate::envelope::{Envelope, JsonMemberWriter};
use crate::error::ErrorCode;
use crate::limits;
use crate::model::DeclaredError;

pub(in crate::describe) fn sample_error(code: ErrorCode) -> ApiError {
    ApiError::new(match code {
        ErrorCode::UnknownService => ErrorKind::UnknownService { similar: Vec::new() },
        ErrorCode::UnknownMethod => {
            ErrorKind::UnknownMethod { allowed: AllowedMethods(vec![HttpMethod::Get, HttpMethod::Post]) }
        }
        ErrorCode::MethodGone => ErrorKind::MethodGone {
            sunset: "2027-06-01".to_owned(),
            successor: Some("GET /v2/article/{id}".to_owned()),
        },
        ErrorCode::Forbidden => ErrorKind::Forbidden { missing: vec![vec!["admin".to_owned()]] },
        ErrorCode::Unauthenticated => ErrorKind::Unauthenticated { invalid: false, challenge: "Bearer".to_owned() },
        ErrorCode::MissingParameter => parameter_error(ParameterErrorKind::Missing, None),
        ErrorCode::InvalidParameter => parameter_error(ParameterErrorKind::Invalid, Some("\"x\"".to_owned())),
        ErrorCode::MalformedRequest => ErrorKind::MalformedRequest(MalformedRequest::JsonSyntax { line: 1, column: 1 }),
        ErrorCode::TooLarge => limit_error(limits::BODY_SIZE.with_value(1 << 20)),
        ErrorCode::UriTooLong => limit_error(limits::TARGET_LENGTH.with_value(8 << 10)),
        ErrorCode::HeadTooLarge => limit_error(limits::HEADERS_SIZE.with_value(32 << 10)),
        ErrorCode::UnsupportedMediaType => ErrorKind::UnsupportedMediaType {
            got: "text/csv".to_owned(),
            accepted: vec!["application/json".to_owned()],
        },
        ErrorCode::TooManyRequests => ErrorKind::TooManyRequests { retry_after: 60 },
        ErrorCode::NotImplemented => ErrorKind::NotImplemented { id: "article.get".to_owned() },
        ErrorCode::Failed => {
            ErrorKind::Declared { name: Cow::Borrowed("failed"), message: String::new(), data: Vec::new() }
        }
        ErrorCode::Internal => ErrorKind::Internal { request_id: "0193e5a0".to_owned() },
        plain => ErrorKind::Plain(plain),
    })
}

fn limit_error(limit: Limit) -> ErrorKind {
    ErrorKind::TooLarge { limit, parameter: None }
}

fn parameter_error(kind: ParameterErrorKind, got: Option<String>) -> ErrorKind {
    let error = ParameterError::new(kind, "page", Source::Query, "a whole number").with_got(got);
    ErrorKind::Parameters { errors: vec![error], truncated: false }
}

pub(in crate::describe) fn sample_declared_error(error: &DeclaredError) -> ApiError {
    ApiError::declared(error.name.clone()).with_declaration(error)
}

/// Returns examples of error responses, each with the name of the error. `codes` are errors of the server, and
/// `declared` are errors that the definition of a method declares.
pub(super) fn error_examples(
    envelope: &dyn Envelope,
    codes: &[ErrorCode],
    declared: &[&DeclaredError],
) -> Vec<(String, Example)> {
    let mut examples = Vec::new();
    let mut add = |name: &str, summary: &str, error: &ApiError| {
        let body = error_body(envelope, error);
        let example = body.map(|body| ExampleBuilder::new().summary(summary).value(Some(body)).build());
        examples.extend(example.map(|example| (name.to_owned(), example)));
    };
    for code in codes {
        add(code.row().name, code.title(), &sample_error(*code));
    }
    for error in declared {
        add(&error.name, &error.info, &sample_declared_error(error));
    }
    examples
}

/// Returns the JSON body of an error response, or `None` if the envelope cannot write this error.
pub(in crate::describe) fn error_body(envelope: &dyn Envelope, error: &ApiError) -> Option<Json> {
    let mut members = JsonMemberWriter::new();
    envelope.error(error, &mut members).ok()?;
    serde_json::from_slice(&members.finish()).ok()
}
