//! Creates the plan for the setting `cors`: the response headers for pages of other origins.

use http::HeaderValue;
use rulebook_model::model::{Api, Cors, Location, Method, Origins};

use super::bind::methods;
use crate::plan;

/// Request headers that pages may send to every method.
const REQUEST_HEADERS: [&str; 7] =
    ["Authorization", "Content-Type", "X-Request-Id", "X-Requested-With", "If-None-Match", "If-Match", "Range"];
/// Response headers that pages may read.
const RESPONSE_HEADERS: [&str; 11] = [
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

/// Returns the response headers for requests from other origins; `None` without the setting.
pub(super) fn plan(api: &Api) -> Option<plan::PlannedCors> {
    let Cors { origins, credentials, headers, expose, max_age, .. } = api.cors.as_ref()?;
    let request_headers = || REQUEST_HEADERS.into_iter().chain(headers.iter().map(String::as_str));
    let method_headers = |method: &Method| {
        let parameters = method.parameters.iter().filter(|parameter| parameter.from == Location::Header);
        let names: Vec<_> = parameters.map(|parameter| parameter.key.as_str()).collect();
        (!names.is_empty()).then(|| header_list(request_headers().chain(names)))
    };
    Some(plan::PlannedCors {
        origins: match origins {
            Origins::Any => None,
            Origins::These(origins) => Some(origins.iter().map(|origin| origin.to_ascii_lowercase().into()).collect()),
        },
        credentials: *credentials,
        headers: header_list(request_headers()),
        method_headers: methods(api)
            .enumerate()
            .filter_map(|(index, (_, _, method))| Some((index, method_headers(method)?)))
            .collect(),
        expose: header_list(RESPONSE_HEADERS.into_iter().chain(expose.iter().map(String::as_str))),
        max_age: HeaderValue::from(*max_age),
    })
}

/// Joins names of headers to a list, each name once.
fn header_list<'n>(names: impl Iterator<Item = &'n str>) -> HeaderValue {
    let mut list: Vec<&str> = Vec::new();
    for name in names {
        if !list.iter().any(|other| other.eq_ignore_ascii_case(name)) {
            list.push(name);
        }
    }
    // Header names are valid in header values, so this never fails.
    HeaderValue::try_from(list.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""))
}
