//! The errors that the server can respond with, grouped by status, with a sample of each. The status here is the actual
//! status of an error: an envelope (the format of responses) can send a different status.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value as Json;
use utoipa::openapi::example::{Example, ExampleBuilder};

use super::operation::placement;
use super::response_headers::has_rate_limits;
use super::responses::ResponseContent;
use super::serialization::Placement;
use crate::call::{
    AllowedMethods, ApiError, AuthScheme, ErrorKind, HttpMethod, Limit, MalformedRequest, ParameterError,
    ParameterErrorKind, Source,
};
use crate::envelope::{self, Envelope, JsonMemberWriter};
use crate::error::ErrorCode;
use crate::error::codes::GENERAL_ERROR_CODES;
use crate::limits;
use crate::model::{Api, DeclaredError, Idempotency, Method, Module, Unbound, UnknownParameters};
use crate::types::Arity;

/// Server errors that have the same actual status. The OpenAPI document describes them together.
#[derive(Clone, Copy)]
pub(super) struct ErrorClass {
    /// The last part of the name of the response component that describes these errors.
    pub(super) component_suffix: &'static str,
    pub(super) codes: &'static [ErrorCode],
    pub(super) headers: &'static [HeaderField],
    /// `true` if these errors can occur before the server knows to which API module a request belongs. Such an error is
    /// sent in the envelope of the API instead of the envelope of the API module.
    pub(super) can_precede_routing: bool,
    /// `true` if any request can cause these errors, so that [`GENERAL_ERRORS`] contains them too. An operation has a
    /// separate response for them only if it has other errors with the same status.
    is_general: bool,
}

/// The name and the description of a header field.
pub(super) type HeaderField = (&'static str, &'static str);

const WWW_AUTHENTICATE: HeaderField = ("WWW-Authenticate", "The authentication schemes that a client can use");
const RETRY_AFTER: HeaderField = ("Retry-After", "The number of seconds after which a client can retry");
const RETRY_AFTER_IF_KNOWN: HeaderField =
    ("Retry-After", "The number of seconds after which a client can retry, if that is known");
const RETRY_AFTER_IF_KEY_IN_USE: HeaderField =
    ("Retry-After", "The number of seconds after which a client can retry, if the key is in use");
/// The header field with the remaining requests of each limit (draft-ietf-httpapi-ratelimit-headers, version 10).
pub(super) const RATE_LIMIT: HeaderField = (
    "RateLimit",
    "If the number of requests is limited: for each limit, how many are left (`r`), and after how many seconds all are \
     available again (`t`)",
);
/// The header field with the limits of the number of requests (draft-ietf-httpapi-ratelimit-headers, version 10).
pub(super) const RATE_LIMIT_POLICY: HeaderField = (
    "RateLimit-Policy",
    "If the number of requests is limited: for each limit, how many are allowed (`q`) within how many seconds (`w`)",
);

/// The header fields of responses of deprecated methods (RFC 9745 and RFC 8594).
pub(super) const DEPRECATION_FIELDS: [HeaderField; 3] = [
    ("Deprecation", "If the date is known: since when the method is deprecated, as `@` and seconds since 1970"),
    ("Sunset", "If the method ends: the date of the end"),
    ("Link", "The documentation of the deprecation, and the resource that replaces this one"),
];

pub(super) const REPLAYED: HeaderField = (
    Idempotency::REPLAYED_HEADER,
    "`true` if the request with this idempotency key had run before, and this is the response to it",
);
const INSUFFICIENT_SCOPE: HeaderField =
    ("WWW-Authenticate", "With a bearer token: the permissions that it lacks, after `insufficient_scope`");

/// A class of errors that only occur after the request is routed, without header fields.
const fn class(component_suffix: &'static str, codes: &'static [ErrorCode]) -> ErrorClass {
    ErrorClass { component_suffix, codes, headers: &[], can_precede_routing: false, is_general: false }
}

pub(super) const GENERAL_ERRORS: ErrorClass = ErrorClass {
    headers: &[
        ("Allow", "With status 405: the HTTP methods that the URI supports"),
        (
            "Retry-After",
            "With status 429 or 503: the number of seconds after which a client can retry, if that is known",
        ),
    ],
    can_precede_routing: true,
    is_general: true,
    ..class("Other", GENERAL_ERROR_CODES)
};

/// Returns the classes of server errors that a call of the method can cause, except [`GENERAL_ERRORS`].
pub(super) fn possible_error_classes(
    api: &Api,
    (module, method): (&Module, &Method),
    has_body: bool,
) -> Vec<ErrorClass> {
    use ErrorCode::*;
    let has_parameter_in = |expected: &[Placement]| {
        let mut placements = method.parameters.iter().filter_map(|parameter| placement(method.http, parameter));
        placements.any(|placement| expected.contains(&placement))
    };
    let has_files =
        method.parameters.iter().any(|parameter| matches!(parameter.r#type.check.arity(), Arity::File | Arity::Files));
    let refuses_unknown = api.unknown == UnknownParameters::Refuse;
    let has_parameters = !method.parameters.is_empty() || refuses_unknown || method.allows_jsonp(api.jsonp);
    // A body is read to find unknown parameters, too.
    let has_body = has_body || api.unknown != UnknownParameters::Ignore;
    let is_idempotent = method.options.idempotent.is_some();
    let requires_version = method.parameters.iter().any(|parameter| parameter.is_entity_tag && !parameter.optional);
    let has_sunset = method.options.deprecation.as_ref().is_some_and(|deprecation| deprecation.sunset.is_some());
    let is_public = method.scope.is_public();
    let has_tokens = api.auth_schemes.iter().any(|scheme| matches!(scheme, AuthScheme::Jwt { .. }));
    let refuses_other_sites =
        method.http != HttpMethod::Get && api.auth_schemes.iter().any(AuthScheme::is_sent_by_browsers);
    let before_routing = |suffix, codes| ErrorClass { can_precede_routing: true, ..class(suffix, codes) };
    let with_headers = |suffix, codes, headers| ErrorClass { headers, ..class(suffix, codes) };
    let classes = [
        (has_parameters, before_routing("BadRequest", &[MissingParameter, InvalidParameter, MalformedRequest])),
        (has_sunset, with_headers("MethodGone", &[MethodGone], &DEPRECATION_FIELDS)),
        (is_idempotent, class("IdempotencyKey", &[IdempotencyKeyRequired, MalformedRequest])),
        (
            is_idempotent,
            with_headers("IdempotencyKeyInUse", &[IdempotencyKeyInUse, ResponseNotKept], &[RETRY_AFTER_IF_KEY_IN_USE]),
        ),
        (is_idempotent, class("IdempotencyKeyReused", &[IdempotencyKeyReused])),
        (method.reads_version(), class("VersionMismatch", &[VersionMismatch])),
        (requires_version, class("VersionRequired", &[VersionRequired])),
        (!is_public, with_headers("Unauthenticated", &[Unauthenticated], &[WWW_AUTHENTICATE])),
        (!is_public, with_headers("Forbidden", &[Forbidden], if has_tokens { &[INSUFFICIENT_SCOPE] } else { &[] })),
        (refuses_other_sites, class("CrossSite", &[CrossSite])),
        (
            has_rate_limits(api, module, method),
            with_headers("TooManyRequests", &[TooManyRequests], &[RETRY_AFTER, RATE_LIMIT, RATE_LIMIT_POLICY]),
        ),
        (has_body, class("Timeout", &[Timeout])),
        (has_body || has_parameter_in(&[Placement::Query]), class("TooLarge", &[TooLarge])),
        (has_parameter_in(&[Placement::Path, Placement::Query]), before_routing("UriTooLong", &[UriTooLong])),
        (has_body, class("UnsupportedMediaType", &[UnsupportedMediaType])),
        (
            is_idempotent || has_parameter_in(&[Placement::Header, Placement::Cookie]),
            before_routing("HeadTooLarge", &[HeadTooLarge]),
        ),
        (has_files, before_routing("InternalOrUpload", &[Internal, Upload])),
        (!has_files, ErrorClass { is_general: true, ..before_routing("Internal", &[Internal]) }),
        (api.unbound == Unbound::NotImplemented, class("NotImplemented", &[NotImplemented])),
        (true, ErrorClass { is_general: true, ..with_headers("Unavailable", &[Unavailable], &[RETRY_AFTER_IF_KNOWN]) }),
        (has_files || is_idempotent || method.options.download, class("StorageFull", &[StorageFull])),
    ];
    classes.into_iter().filter_map(|(is_possible, class)| is_possible.then_some(class)).collect()
}

impl ErrorClass {
    /// Returns the actual status of the errors in this class; for [`GENERAL_ERRORS`] the status of the first error.
    pub(super) fn status(&self) -> u16 {
        self.codes.first().map_or(500, |code| code.status().get())
    }
}

// The errors that an operation describes in one response, and the envelopes in which they are sent.

/// The errors that a method can respond with for one status. If the status is `None`, the group contains the errors
/// that any request can cause and for which the document has no other response.
pub(super) struct ErrorGroup<'m> {
    pub(super) status: Option<u16>,
    pub(super) classes: Vec<ErrorClass>,
    pub(super) declared: Vec<&'m DeclaredError>,
}

/// An envelope, and the schema of server errors in this envelope.
pub(super) struct ErrorEnvelope {
    pub(super) envelope: Arc<dyn Envelope>,
    pub(super) error_schema: Json,
}

impl ErrorEnvelope {
    /// `real` is the actual status of the error, which must be sent unchanged if `status` is `None`.
    pub(super) fn sends_error_with_status(&self, real: u16, status: Option<u16>) -> bool {
        envelope::response_status(&*self.envelope, real) == status.unwrap_or(real)
    }
}

/// If `false`, the success response describes the errors.
pub(super) fn is_separate_from_success(status: u16, used: &ErrorEnvelope, method: &Method) -> bool {
    status >= 400 && method.statuses().all(|success| status != envelope::response_status(&*used.envelope, success))
}

impl ErrorGroup<'_> {
    /// `true` if any request can cause these errors, and all of them have this actual status.
    pub(super) fn contains_only_general_errors(&self) -> bool {
        let is_general = |class: &ErrorClass| class.is_general && self.status == Some(class.status());
        self.declared.is_empty() && self.classes.iter().all(is_general)
    }

    /// Returns the codes without duplicates: several classes can contain the same code.
    fn codes(&self, is_included: impl Fn(&ErrorClass, ErrorCode) -> bool) -> Vec<ErrorCode> {
        let mut codes = Vec::new();
        for class in &self.classes {
            for code in class.codes {
                if is_included(class, *code) && !codes.contains(code) {
                    codes.push(*code);
                }
            }
        }
        codes
    }

    /// `None` if the envelope sends no error of this group with the group's status. `of_method` is `true` for the
    /// envelope of the method's API module, which alone is used for errors that the method declares.
    pub(super) fn error_content(&self, used: &ErrorEnvelope, of_method: bool) -> Option<ResponseContent> {
        let is_sent = |real: u16| used.sends_error_with_status(real, self.status);
        let codes = self.codes(|class, code| (of_method || class.can_precede_routing) && is_sent(code.status().get()));
        let declared = self.declared.iter().copied().filter(|error| of_method && is_sent(error.status.get()));
        let declared: Vec<_> = declared.collect();
        let of_method = declared.iter().map(|error| used.envelope.declared_error_schema(error));
        let of_engine = (!codes.is_empty()).then(|| used.error_schema.clone());
        let alternatives: Vec<_> = of_method.chain(of_engine).collect();
        (!alternatives.is_empty()).then(|| ResponseContent {
            status: self.status.unwrap_or_default(),
            media_type: used.envelope.error_content_type().to_owned(),
            alternatives,
            examples: error_examples(&*used.envelope, &codes, &declared),
        })
    }

    /// The titles of the errors, followed by their statuses if these are different.
    pub(super) fn describe_errors(&self, envelopes: &[&ErrorEnvelope]) -> String {
        let is_sent = |code: ErrorCode| {
            envelopes.iter().any(|used| used.sends_error_with_status(code.status().get(), self.status))
        };
        let codes = self.codes(|_, code| is_sent(code));
        let titles = codes.iter().map(|code| match self.status {
            Some(_) => code.title().to_owned(),
            None => format!("{} ({})", code.title(), code.status().get()),
        });
        self.declared.iter().map(|error| error.info.clone()).chain(titles).collect::<Vec<_>>().join("; ")
    }
}

// Samples: the examples of error responses in documents.

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

/// Returns examples, each with the name of its error. `codes` are errors of the server, `declared` those of a method's
/// definition.
fn error_examples(envelope: &dyn Envelope, codes: &[ErrorCode], declared: &[&DeclaredError]) -> Vec<(String, Example)> {
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
