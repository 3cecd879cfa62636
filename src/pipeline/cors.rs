//! Behind the last stage: what browsers are told about requests that pages of other origins make.
//!
//! Which header fields an answer gets (Fetch standard, section 3.3), and what
//! becomes of a preflight: it is OPTIONS, answered with what the target allows,
//! but without its description. Nothing is refused here: it is browsers that do.

use http::header::{self, HeaderName, HeaderValue};
use http::{Method, StatusCode};

use super::route::{Routed, route};
use super::{Reply, ReplyBody};
use crate::call::Head;
use crate::plan::{Cors, Plan};

/// Gives a reply the fields for pages of other origins; a preflight's loses all but what is allowed.
#[must_use]
pub fn share(plan: &Plan, head: &Head, mut reply: Reply) -> Reply {
    let found = reply.status < StatusCode::BAD_REQUEST.as_u16();
    if found && asked(head).is_some() {
        reply.headers.retain(|(name, _)| *name == header::ALLOW);
        (reply.status, reply.content_type, reply.body) = (StatusCode::NO_CONTENT.as_u16(), None, ReplyBody::empty());
    }
    let allow = reply.headers.iter().find(|(name, _)| found && *name == header::ALLOW);
    let fields = shared(plan, head, allow.map(|(_, value)| value));
    reply.headers.extend(fields);
    reply
}

/// The fields for pages of other origins. `allow`: the methods that a preflight's target has, where there is one.
#[must_use]
pub fn shared(plan: &Plan, head: &Head, allow: Option<&HeaderValue>) -> Vec<(HeaderName, HeaderValue)> {
    let Some(cors) = &plan.cors else {
        return Vec::new();
    };
    let mut fields = Vec::new();
    let asked = asked(head);
    if asked.is_some() {
        let vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
        fields.push((header::VARY, HeaderValue::from_static(vary)));
    } else if cors.origins.is_some() {
        // Also where no origin is named: caches must not give that answer to a page.
        fields.push((header::VARY, HeaderValue::from_static("Origin")));
    }
    let Some(origin) = origin(cors, head) else {
        return fields;
    };
    match (asked, allow) {
        (None, _) => fields.push((header::ACCESS_CONTROL_EXPOSE_HEADERS, cors.expose.clone())),
        (Some(asked), Some(allow)) => {
            let headers = method(plan, head, asked).and_then(|index| cors.own_headers.get(&index));
            fields.push((header::ACCESS_CONTROL_ALLOW_METHODS, allow.clone()));
            fields.push((header::ACCESS_CONTROL_ALLOW_HEADERS, headers.unwrap_or(&cors.headers).clone()));
            fields.push((header::ACCESS_CONTROL_MAX_AGE, cors.max_age.clone()));
        }
        // What is not there is nobody's.
        (Some(_), None) => return fields,
    }
    fields.push((header::ACCESS_CONTROL_ALLOW_ORIGIN, origin));
    if cors.credentials {
        fields.push((header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true")));
    }
    fields
}

/// Whether a request is a preflight.
pub(super) fn is_preflight(head: &Head) -> bool {
    asked(head).is_some()
}

/// The method that a preflight asks for; none where the request is no preflight.
fn asked(head: &Head) -> Option<&HeaderValue> {
    let wanted = head.method == Method::OPTIONS && head.header_values(&header::ORIGIN).next().is_some();
    wanted.then(|| head.header_values(&header::ACCESS_CONTROL_REQUEST_METHOD).next()).flatten()
}

/// What `Access-Control-Allow-Origin` says; none where the request names no origin that may call.
///
/// Schemes and hosts have no case (RFC 6454 section 4), and what browsers compare with is the origin as they sent it.
fn origin(cors: &Cors, head: &Head) -> Option<HeaderValue> {
    let mut origins = head.header_values(&header::ORIGIN);
    let (Some(origin), None) = (origins.next(), origins.next()) else {
        return None;
    };
    match &cors.origins {
        None => Some(HeaderValue::from_static("*")),
        Some(known) => known.contains(&*origin.to_str().ok()?.to_ascii_lowercase()).then(|| origin.clone()),
    }
}

/// The method of the API that a preflight asks for.
fn method(plan: &Plan, head: &Head, asked: &HeaderValue) -> Option<usize> {
    match route(plan, &announced(head, asked, false)?) {
        Ok(Routed::Method(found)) => Some(found.method),
        Ok(Routed::Undecided(undecided)) => undecided.method,
        _ => None,
    }
}

/// Whether a request is a preflight for one whose body is to say what is asked for.
#[must_use]
pub fn announces_names(plan: &Plan, head: &Head) -> bool {
    let announced = || announced(head, asked(head)?, true);
    plan.cors.is_some() && announced().is_some_and(|head| matches!(route(plan, &head), Ok(Routed::Undecided(_))))
}

/// The request that a preflight is for; `with_body`: one that may have a body, which a preflight cannot tell.
fn announced(head: &Head, asked: &HeaderValue, with_body: bool) -> Option<Head> {
    let method = Method::from_bytes(asked.as_bytes()).ok()?;
    // A stream's length need not be announced.
    Some(Head { method, streams: with_body, ..head.clone() })
}
