//! Compiles the setting `cors` of the definition to the header values with which a browser lets pages of other origins
//! call the API (cross-origin resource sharing).

use http::HeaderValue;
use rulebook_model::model::{Api, Cors, Idempotency, Location, Method, Origins, Parameter};

use super::plan::uses_idempotency_keys;
use crate::plan;

/// The header fields that pages of other origins may send with every request.
const ALLOWED_REQUEST_HEADERS: [&str; 7] =
    ["Authorization", "Content-Type", "X-Request-Id", "X-Requested-With", "If-None-Match", "If-Match", "Range"];
/// The header fields of responses that pages of other origins may read.
const EXPOSED_RESPONSE_HEADERS: [&str; 11] = [
    "ETag",
    "Location",
    "Link",
    "Retry-After",
    "X-Request-Id",
    "RateLimit",
    "RateLimit-Policy",
    "WWW-Authenticate",
    "Allow",
    "Content-Disposition",
    "Content-Range",
];

/// Returns the compiled setting `cors`; `None` if the definition does not have this setting.
pub(super) fn plan_cors(api: &Api) -> Option<plan::PlannedCors> {
    let Cors { origins, credentials, headers, expose, max_age, .. } = api.cors.as_ref()?;
    let request_headers = || ALLOWED_REQUEST_HEADERS.into_iter().chain(headers.iter().map(String::as_str));
    let method_headers = |method: &Method| {
        let parameters = method.parameters.iter().filter(|parameter| parameter.from == Location::Header);
        let key = method.options.idempotent.map(|_| Idempotency::HEADER);
        let filename = method.parameters.iter().any(Parameter::is_raw_body).then_some("Content-Disposition");
        let names: Vec<_> = parameters.map(|parameter| parameter.key.as_str()).chain(key).chain(filename).collect();
        (!names.is_empty()).then(|| header_list(request_headers().chain(names)))
    };
    let replayed = uses_idempotency_keys(api).then_some(Idempotency::REPLAYED_HEADER);
    let of_outputs = api.methods().flat_map(|(_, _, method)| method.header_outputs());
    let of_outputs = of_outputs.map(|(_, field)| field.name.as_str()).filter(|name| !is_hidden_by_browsers(name));
    let is_deprecated = api.methods().any(|(_, _, method)| method.options.deprecation.is_some());
    let of_deprecated = ["Deprecation", "Sunset"].into_iter().filter(|_| is_deprecated);
    let exposed = EXPOSED_RESPONSE_HEADERS.into_iter().chain(replayed).chain(of_deprecated).chain(of_outputs);
    let exposed = exposed.chain(expose.iter().map(String::as_str));
    Some(plan::PlannedCors {
        allowed_origins: match origins {
            Origins::Any => None,
            Origins::These(origins) => Some(origins.iter().map(|origin| origin.to_ascii_lowercase().into()).collect()),
        },
        allows_credentials: *credentials,
        allowed_headers: header_list(request_headers()),
        allowed_headers_of_methods: api
            .methods()
            .enumerate()
            .filter_map(|(index, (_, _, method))| Some((index, method_headers(method)?)))
            .collect(),
        exposed_headers: header_list(exposed),
        max_age: HeaderValue::from(*max_age),
    })
}

/// Returns `true` for the header field that no page can read (Fetch section 2.2.2, forbidden response-header name).
fn is_hidden_by_browsers(name: &str) -> bool {
    name.eq_ignore_ascii_case("Set-Cookie")
}

/// Joins names of header fields to a comma-separated list, without duplicates.
fn header_list<'n>(names: impl Iterator<Item = &'n str>) -> HeaderValue {
    let mut list: Vec<&str> = Vec::new();
    for name in names {
        if !list.iter().any(|other| other.eq_ignore_ascii_case(name)) {
            list.push(name);
        }
    }
    // A list of header names is always a valid header value.
    HeaderValue::try_from(list.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""))
}
