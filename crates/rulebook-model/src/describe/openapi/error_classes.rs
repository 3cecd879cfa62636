//! The errors that the server can respond with, grouped by status. The status here is the actual status of an error: an
//! envelope (the format of responses) can send a different status.

use super::headers::has_rate_limits;
use super::parameters::placement;
use super::serialization::Placement;
use crate::call::{AuthScheme, HttpMethod};
use crate::error::ErrorCode;
use crate::error::codes::GENERAL_ERROR_CODES;
use crate::model::{Api, Idempotency, Method, Module, Unbound, UnknownParameters};
use crate::types::Arity;

/// Server errors that have the same actual status. The OpenAPI document describes them together.
#[derive(Clone, Copy)]
pub(super) struct ErrorClass {
    /// The last part of the name of the response component that describes these errors.
    pub(super) component_suffix: &'static str,
    /// The codes of the errors, which all have the same actual status.
    pub(super) codes: &'static [ErrorCode],
    pub(super) headers: &'static [HeaderField],
    /// `true` if these errors can occur before the server knows to which API module a request belongs. Such an error is
    /// sent in the envelope of the API instead of the envelope of the API module.
    pub(super) can_precede_routing: bool,
    /// `true` if any request can cause these errors, so that [`GENERAL_ERRORS`] contains them too. An operation has a
    /// separate response for them only if it has other errors with the same status.
    pub(super) is_general: bool,
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

/// The header field of the response to a repeated request with an idempotency key.
pub(super) const REPLAYED: HeaderField = (
    Idempotency::REPLAYED_HEADER,
    "`true` if the request with this idempotency key had run before, and this is the response to it",
);
/// The header field of a response that refuses a token.
const INSUFFICIENT_SCOPE: HeaderField =
    ("WWW-Authenticate", "With a bearer token: the permissions that it lacks, after `insufficient_scope`");

/// A class of errors that only occur after the request is routed, without header fields.
const fn class(component_suffix: &'static str, codes: &'static [ErrorCode]) -> ErrorClass {
    ErrorClass { component_suffix, codes, headers: &[], can_precede_routing: false, is_general: false }
}

/// The errors that any request can cause, whatever its method.
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
