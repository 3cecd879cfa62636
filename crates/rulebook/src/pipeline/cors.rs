//! Stage `share`: adds the header fields with which a browser lets pages of other origins read the response
//! (cross-origin resource sharing, CORS; Fetch standard, section 3.3).
//!
//! Before some requests, a browser sends a preflight, an OPTIONS request that announces the actual request. The earlier
//! stages reply to OPTIONS with a description of the URI; in the reply to a preflight, this stage keeps only the
//! allowed HTTP methods. If an origin is not allowed, the browser withholds the response from the page, but has sent
//! the request. So the stage `identify` refuses such a request if the browser may have added the credential of the user
//! to it (cross-site request forgery).

use http::header::{self, HeaderValue};
use http::{Method, StatusCode};

use super::route::preflighted_method;
use super::{Reply, ReplyBody};
use crate::call::Head;
use crate::plan::{Plan, PlannedCors};

/// The reply to a preflight keeps only the allowed HTTP methods.
pub fn add_cors_headers(plan: &Plan, head: &Head, reply: &mut Reply) {
    let is_preflight = is_preflight(head);
    let exists = reply.status < StatusCode::BAD_REQUEST.as_u16();
    if exists && is_preflight {
        reply.headers.retain(|(name, _)| *name == header::ALLOW);
        (reply.status, reply.content_type, reply.body) = (StatusCode::NO_CONTENT.as_u16(), None, ReplyBody::empty());
    }
    let Some(cors) = &plan.cors else { return };
    if is_preflight {
        let vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
        reply.headers.push((header::VARY, HeaderValue::from_static(vary)));
    } else if cors.allowed_origins.is_some() {
        // The field is added even if the request has no `Origin`, because a cache must not return this response to a
        // page of another origin.
        reply.headers.push((header::VARY, HeaderValue::from_static("Origin")));
    }
    let Some(origin) = allowed_origin(cors, head) else { return };
    if is_preflight {
        let allow = reply.headers.iter().find(|(name, _)| exists && *name == header::ALLOW);
        // Without `Allow`, the requested URI does not exist, so that no HTTP method is allowed.
        let Some(allow) = allow.map(|(_, value)| value.clone()) else { return };
        let headers = preflighted_method(plan, head)
            .and_then(|method| cors.allowed_headers_of_methods.get(&method))
            .unwrap_or(&cors.allowed_headers);
        reply.headers.push((header::ACCESS_CONTROL_ALLOW_METHODS, allow));
        reply.headers.push((header::ACCESS_CONTROL_ALLOW_HEADERS, headers.clone()));
        reply.headers.push((header::ACCESS_CONTROL_MAX_AGE, cors.max_age.clone()));
    } else {
        reply.headers.push((header::ACCESS_CONTROL_EXPOSE_HEADERS, cors.exposed_headers.clone()));
    }
    reply.headers.push((header::ACCESS_CONTROL_ALLOW_ORIGIN, origin));
    if cors.allows_credentials {
        reply.headers.push((header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true")));
    }
}

/// Returns `true` if a page of another origin may have sent a request that changes something, unless the definition
/// allows this origin to send credentials.
///
/// Browsers say which page sends a request in `Sec-Fetch-Site` (Fetch Metadata, section 2.3), which scripts cannot set.
/// Without TLS, and if they are older than this field, they send `Origin` with each such request. Other clients send
/// neither.
pub(super) fn is_from_another_site(plan: &Plan, head: &Head) -> bool {
    if head.method.is_safe() {
        return false;
    }
    let is_same_origin = match head.header_values("sec-fetch-site").next() {
        Some(site) => site == "same-origin" || site == "none",
        None => head.get_all(&header::ORIGIN).all(|origin| is_origin_of_request(head, origin)),
    };
    let is_allowed = |cors: &PlannedCors| cors.allows_credentials && allowed_origin(cors, head).is_some();
    !is_same_origin && !plan.cors.as_ref().is_some_and(is_allowed)
}

/// Compares host and port: the scheme is unknown behind a proxy.
fn is_origin_of_request(head: &Head, origin: &HeaderValue) -> bool {
    let host = head.uri.authority().map(http::uri::Authority::as_str).or_else(|| head.get(&header::HOST));
    let of_origin = origin.to_str().ok().and_then(|origin| Some(origin.split_once("://")?.1));
    matches!((of_origin, host), (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host))
}

/// An OPTIONS request with `Origin` and `Access-Control-Request-Method`.
pub(super) fn is_preflight(head: &Head) -> bool {
    preflight_method_field(head).is_some()
}

/// `None` without a preflight or the setting `cors`, or if the text is not an HTTP method.
pub(super) fn preflight_method(plan: &Plan, head: &Head) -> Option<Method> {
    plan.cors.as_ref()?;
    Method::from_bytes(preflight_method_field(head)?.as_bytes()).ok()
}

fn preflight_method_field(head: &Head) -> Option<&HeaderValue> {
    if head.method != Method::OPTIONS || head.get_all(&header::ORIGIN).next().is_none() {
        return None;
    }
    head.get_all(&header::ACCESS_CONTROL_REQUEST_METHOD).next()
}

/// Returns the value of the header field `Access-Control-Allow-Origin`; `None` if the request does not name exactly one
/// origin, or its origin is not allowed.
///
/// Schemes and hosts are compared case-insensitively (RFC 6454 section 4). The returned value is the origin as the
/// browser sent it, because browsers compare it exactly.
fn allowed_origin(cors: &PlannedCors, head: &Head) -> Option<HeaderValue> {
    let mut origins = head.get_all(&header::ORIGIN);
    let (Some(origin), None) = (origins.next(), origins.next()) else {
        return None;
    };
    match &cors.allowed_origins {
        None => Some(HeaderValue::from_static("*")),
        Some(known) => known.contains(&*origin.to_str().ok()?.to_ascii_lowercase()).then(|| origin.clone()),
    }
}
