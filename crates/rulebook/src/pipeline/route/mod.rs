//! First stage: finds the target of a request: a method, a document, a page or a static file.
//!
//! The raw path is split at `/`, a single empty segment at its end is removed, and each segment is decoded separately.
//! The service with the longest matching path is chosen; the remaining segments are positional parameters. If that
//! service has no method for the request, services with shorter paths are not tried.
//!
//! With the setting `service`, a request at the base path can select a method by a name in its query (`?service=` of
//! PhalApi). With the setting `dispatch`, the fields `module` and `method` of a body select it. Since the body must be
//! read before the method is known, [`route`] returns [`Route::NeedsBody`], and [`route_by_body`] continues with the
//! first bytes of the body.

mod by_body;
mod by_name;
mod fields;
mod options;
mod path;

use std::borrow::Cow;

pub use by_body::{BodyPrefix, NeedsBody, route_by_body};
pub(super) use options::parent_path;
pub use options::{OptionsTarget, preflighted_method};
pub(super) use path::similar;

use super::respond::ErrorContext;
use crate::call::{AllowedMethods, ApiError, ErrorKind, Head, HttpMethod};
use crate::plan::{MatchedMethod, Naming, Plan};
use by_body::{body_with_fields, body_with_names};
use by_name::NamedMethod;
use options::options_target;
use rulebook_model::error::ErrorCode;
use rulebook_model::limits;
use rulebook_model::model::ServerPath;

/// The target of a request.
#[derive(Debug)]
pub enum Route<'h> {
    /// A method of the API.
    Method(MatchedMethod<'h>),
    /// The first bytes of the body determine the method.
    NeedsBody(NeedsBody),
    /// OPTIONS on a URI of the API.
    Options(OptionsTarget),
    /// A path at which the server itself responds, such as that of a document.
    Server(ServerPath),
    /// No service has the path: it may be the path of a page or a static file.
    Fallback,
    /// The request has no valid target and is refused.
    Error(RoutingError),
}

/// The reason why a request cannot be routed.
#[derive(Debug)]
pub struct RoutingError {
    /// The part of the API that was found before the error occurred.
    pub context: ErrorContext,
    /// The error.
    pub error: ApiError,
}

impl From<ApiError> for RoutingError {
    fn from(error: ApiError) -> Self {
        Self { context: ErrorContext::Nothing, error }
    }
}

/// Finds the target of a request.
pub fn route<'h>(plan: &Plan, head: &'h Head) -> Route<'h> {
    if let Err(error) = check_limits(plan, head) {
        return Route::Error(error.into());
    }
    if let Some(path) = ServerPath::find(head.uri.path()) {
        return Route::Server(path);
    }
    let context = match route_to_api(plan, head) {
        Ok(Route::Method(matched)) if has_unknown_expectation(head) => ErrorContext::Method(matched.method),
        Ok(Route::NeedsBody(pending)) if has_unknown_expectation(head) => pending.context(),
        Ok(route) => return route,
        Err(unrouted) if unrouted.error.is_unknown_service() => return Route::Fallback,
        Err(unrouted) => return Route::Error(unrouted),
    };
    Route::Error(RoutingError { context, error: ApiError::plain(ErrorCode::ExpectationFailed) })
}

/// Checks the length of the request target and the size of the header fields.
///
/// # Errors
/// Fails if one of them is over its limit.
pub(super) fn check_limits(plan: &Plan, head: &Head) -> Result<(), ApiError> {
    let length = head.uri.path().len() + head.uri.query().map_or(0, |query| query.len() + 1);
    if length as u64 > plan.limits.uri {
        return Err(ApiError::too_large(limits::URI.at(plan.limits.uri), None));
    }
    let fields: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if fields as u64 > plan.limits.head {
        return Err(ApiError::too_large(limits::HEAD.at(plan.limits.head), None));
    }
    Ok(())
}

/// Returns `true` if a field `Expect` has a value other than `100-continue` (RFC 9110 section 10.1.1).
fn has_unknown_expectation(head: &Head) -> bool {
    head.get_all(&http::header::EXPECT).any(|value| {
        let mut expectations = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        !expectations.all(|expectation| expectation.is_empty() || expectation.eq_ignore_ascii_case(b"100-continue"))
    })
}

/// Finds the target of a request below the base path.
///
/// # Errors
/// Fails if the path cannot be decoded, no service has it, or the service has no such method.
pub(super) fn route_to_api<'h>(plan: &Plan, head: &'h Head) -> Result<Route<'h>, RoutingError> {
    if head.method == http::Method::OPTIONS {
        return options_target(plan, head).map(Route::Options);
    }
    let path = path::path_below_base(&plan.base, head.uri.path()).ok_or_else(ApiError::unknown_service)?;
    let (segments, service) = path::find(plan, path)?;
    if segments.is_empty()
        && let Some(route) = route_at_base(plan, head, service)?
    {
        return Ok(route);
    }
    match method_by_path(plan, head, segments, service) {
        Ok(matched) => Ok(Route::Method(matched)),
        Err(unrouted) if plan.dispatch.is_some() && unrouted.error.is_unknown_service() => {
            let kind = body_with_names(plan, head).ok_or(unrouted)?;
            Ok(Route::NeedsBody(NeedsBody { kind, method: None, module: None }))
        }
        Err(unrouted) => Err(unrouted),
    }
}

/// Routes a request at the base path by the names in its query. Returns `None` if the query has no such names: the path
/// then leads to the service `root`, if there is one.
///
/// # Errors
/// Fails if the query names a service that does not exist, or the service has no such method.
fn route_at_base<'h>(plan: &Plan, head: &'h Head, root: Option<usize>) -> Result<Option<Route<'h>>, RoutingError> {
    if plan.named.is_none() && plan.dispatch.is_none() {
        return Ok(None);
    }
    let mut named_service = None;
    if let Some(named) = &plan.named {
        if let Some(given) = by_name::service_name(fields::query_fields(head, &Naming::Service.fields())) {
            named_service = Some(by_name::find(named, &given)?);
        } else if body_with_names(plan, head).is_none() {
            named_service = named.default;
        }
    }
    let Some(service) = named_service else {
        let service_without_names = plan.named.as_ref().and_then(|named| named.default).or(root);
        let module = service_without_names.map(|service| plan.services[service].module);
        let pending = |kind| Route::NeedsBody(NeedsBody { kind, method: None, module });
        return Ok(body_with_names(plan, head).map(pending));
    };
    let named = NamedMethod { method: select_method(plan, head, service, 0)?, naming: Naming::Service };
    let (matched, complete) = named.with_named_positions(plan, head, &[]);
    let kind = if complete { None } else { body_with_fields(plan, head) };
    Ok(Some(match kind {
        Some(kind) => Route::NeedsBody(NeedsBody { kind, method: Some(named.method), module: None }),
        None => Route::Method(matched),
    }))
}

/// Selects the method of the service that was found for a path. The segments after the path of the service are
/// positional parameters.
///
/// # Errors
/// Fails if no service was found, or the service has no such method.
fn method_by_path<'h>(
    plan: &Plan,
    head: &Head,
    segments: Vec<Cow<'h, str>>,
    service: Option<usize>,
) -> Result<MatchedMethod<'h>, RoutingError> {
    let service = service.ok_or_else(ApiError::unknown_service)?;
    let positions = segments.len() - plan.services[service].length;
    let method = select_method(plan, head, service, positions)?;
    Ok(MatchedMethod { method, segments, by_name: None })
}

/// Selects the method of a service by the HTTP method of the request and the number of positional parameters.
///
/// # Errors
/// Fails if the service has no method with this number of positional parameters, or none for this HTTP method.
fn select_method(plan: &Plan, head: &Head, service: usize, positions: usize) -> Result<usize, RoutingError> {
    find_method(plan, service, positions, &head.method).ok_or_else(|| {
        let allowed = allowed_methods(plan, service, positions);
        if allowed.0.is_empty() {
            return ApiError::unknown_service().into();
        }
        let context = ErrorContext::Module(plan.services[service].module);
        RoutingError { context, error: ApiError::new(ErrorKind::UnknownMethod { allowed }) }
    })
}

/// Returns the methods of a service that accept this number of positional parameters.
fn methods_with_positions(plan: &Plan, service: usize, positions: usize) -> impl Iterator<Item = (HttpMethod, usize)> {
    let methods = plan.services[service].methods.iter().copied();
    methods.filter(move |(_, method)| plan.methods[*method].positions >= positions)
}

/// Returns the method of a service for an HTTP method and this number of positional parameters. HEAD selects the method
/// for GET.
fn find_method(plan: &Plan, service: usize, positions: usize, http: &http::Method) -> Option<usize> {
    let name = if http == http::Method::HEAD { "GET" } else { http.as_str() };
    let http = HttpMethod::from_name(name)?;
    methods_with_positions(plan, service, positions).find(|(accepted, _)| *accepted == http).map(|(_, method)| method)
}

/// Returns the HTTP methods that a service accepts with this number of positional parameters.
fn allowed_methods(plan: &Plan, service: usize, positions: usize) -> AllowedMethods {
    AllowedMethods(methods_with_positions(plan, service, positions).map(|(http, _)| http).collect())
}
