//! First stage after the reply: adds the header fields for cross-origin requests (Fetch standard, section 3.3).
//!
//! A preflight is an OPTIONS request, which the pipeline answers with a description of the target. This stage keeps
//! nothing of that reply but the allowed methods. The server does not refuse any origin: browsers do.

use http::header::{self, HeaderValue};
use http::{Method, StatusCode};

use super::{Reply, ReplyBody};
use crate::call::Head;
use crate::plan::{Plan, PlannedCors};

/// Adds the fields for cross-origin requests to a reply, and reduces the reply to a preflight to the allowed methods.
/// `preflighted` is the index of the method that a preflight asks for.
#[must_use]
pub fn share(plan: &Plan, head: &Head, mut reply: Reply, preflighted: Option<usize>) -> Reply {
    let is_preflight = is_preflight(head);
    let found = reply.status < StatusCode::BAD_REQUEST.as_u16();
    if found && is_preflight {
        reply.headers.retain(|(name, _)| *name == header::ALLOW);
        (reply.status, reply.content_type, reply.body) = (StatusCode::NO_CONTENT.as_u16(), None, ReplyBody::empty());
    }
    let Some(cors) = &plan.cors else { return reply };
    if is_preflight {
        let vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
        reply.headers.push((header::VARY, HeaderValue::from_static(vary)));
    } else if cors.origins.is_some() {
        // Without an `Origin` as well: a cache must not give this response to a page of another origin.
        reply.headers.push((header::VARY, HeaderValue::from_static("Origin")));
    }
    let Some(origin) = allowed_origin(cors, head) else { return reply };
    if is_preflight {
        let allow = reply.headers.iter().find(|(name, _)| found && *name == header::ALLOW);
        // The target does not exist: nothing is allowed.
        let Some(allow) = allow.map(|(_, value)| value.clone()) else { return reply };
        let headers = preflighted.and_then(|method| cors.method_headers.get(&method)).unwrap_or(&cors.headers);
        reply.headers.push((header::ACCESS_CONTROL_ALLOW_METHODS, allow));
        reply.headers.push((header::ACCESS_CONTROL_ALLOW_HEADERS, headers.clone()));
        reply.headers.push((header::ACCESS_CONTROL_MAX_AGE, cors.max_age.clone()));
    } else {
        reply.headers.push((header::ACCESS_CONTROL_EXPOSE_HEADERS, cors.expose.clone()));
    }
    reply.headers.push((header::ACCESS_CONTROL_ALLOW_ORIGIN, origin));
    if cors.credentials {
        reply.headers.push((header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true")));
    }
    reply
}

/// Returns `true` if a request is a CORS preflight.
pub(super) fn is_preflight(head: &Head) -> bool {
    requested(head).is_some()
}

/// Returns the method that a preflight asks for; `None` if the request is not a preflight, the value is not a method,
/// or the definition does not have the setting `cors`.
pub(super) fn requested_method(plan: &Plan, head: &Head) -> Option<Method> {
    plan.cors.as_ref()?;
    Method::from_bytes(requested(head)?.as_bytes()).ok()
}

/// Returns `Access-Control-Request-Method` of a preflight.
fn requested(head: &Head) -> Option<&HeaderValue> {
    if head.method != Method::OPTIONS || head.get_all(&header::ORIGIN).next().is_none() {
        return None;
    }
    head.get_all(&header::ACCESS_CONTROL_REQUEST_METHOD).next()
}

/// Returns the value of `Access-Control-Allow-Origin`; `None` if the request does not name exactly one origin, or that
/// origin is not allowed.
///
/// Schemes and hosts are compared without regard to case (RFC 6454 section 4). Browsers compare the value with the
/// origin as they sent it.
fn allowed_origin(cors: &PlannedCors, head: &Head) -> Option<HeaderValue> {
    let mut origins = head.get_all(&header::ORIGIN);
    let (Some(origin), None) = (origins.next(), origins.next()) else {
        return None;
    };
    match &cors.origins {
        None => Some(HeaderValue::from_static("*")),
        Some(known) => known.contains(&*origin.to_str().ok()?.to_ascii_lowercase()).then(|| origin.clone()),
    }
}
