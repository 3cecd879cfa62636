//! Stage `route`: finds out what a request is for: an API method, a document, a page or a static file.
//!
//! The raw request path is split at `/`, a single empty segment at the end of the path is removed, and each segment is
//! percent-decoded separately. Of the services whose paths match, the service with the longest path is chosen; the
//! segments after its path are the values of positional parameters. If the chosen service does not accept the HTTP
//! method of the request, the request is refused, even if a service with a shorter path accepts this HTTP method.
//!
//! If the definition has the setting `service`, a request at the base path can select an API method by a name in its
//! query (`?service=` of PhalApi); so can a request at the path of a service with such a name. If the definition has
//! the setting `dispatch`, the fields `module` and `method` in the body of a request can select an API method. For a
//! request whose body may select the method, [`route`] returns [`Route::NeedsBody`]; when the first bytes of the body
//! have arrived, [`route_by_body`] finishes the routing.

mod fields;
mod logged_path;
mod options;
mod path;
mod route_by_body;
mod select_by_name;

pub use logged_path::{logged_path, secret_path};
pub use options::OptionsTarget;
pub(super) use options::{allowed_methods_of_page, find_parent_path_index, preflighted_method};
pub(super) use path::similar_service_uris;
pub use route_by_body::{BodyPrefix, NeedsBody, route_by_body};

use super::respond::ErrorContext;
use crate::call::{AllowedMethods, ApiError, ErrorKind, Head, HttpMethod};
use crate::plan::{MatchedMethod, Plan, Segments, ServiceNaming};
use options::{allow_methods_in_body, find_options_target};
use route_by_body::{body_kind_with_fields, body_kind_with_names};
use rulebook_model::error::ErrorCode;
use rulebook_model::limits;
use rulebook_model::model::ServerPath;
use select_by_name::NamedMethod;

/// The result of routing: what a request is for.
#[derive(Debug)]
pub enum Route {
    /// The request calls this API method.
    Method(MatchedMethod),
    /// The API method is known only after the first bytes of the body have been parsed.
    NeedsBody(Box<NeedsBody>),
    /// The request is an OPTIONS request for a URI of the API.
    Options(OptionsTarget),
    /// The server itself responds at the request path, which is a path such as `/openapi.json`.
    Server(ServerPath),
    /// The API has no service at the request path, which may be the path of a documentation page or a static file.
    Fallback,
    /// The request cannot be routed, and the response is this error.
    Error(RoutingError),
}

/// The reason why a request cannot be routed.
#[derive(Debug)]
pub struct RoutingError {
    /// The part of the API that routing had found when the error occurred.
    pub context: ErrorContext,
    /// The error that the response reports.
    pub error: ApiError,
}

impl RoutingError {
    /// Returns `true` if no service has the path of the request.
    pub(super) fn is_unknown_service(&self) -> bool {
        matches!(self.error.kind(), ErrorKind::UnknownService { .. })
    }
}

impl From<ApiError> for RoutingError {
    fn from(error: ApiError) -> Self {
        Self { context: ErrorContext::Nothing, error }
    }
}

/// Finds out what a request is for, from its head alone.
pub fn route(plan: &Plan, head: &Head) -> Route {
    if let Err(error) = check_head_limits(plan, head) {
        return Route::Error(error.into());
    }
    if let Some(path) = ServerPath::from_request_path(head.uri.path()) {
        return Route::Server(path);
    }
    let context = match route_to_api(plan, head) {
        Ok(Route::Method(matched)) if has_unknown_expectation(head) => ErrorContext::Method(matched.method_index),
        Ok(Route::NeedsBody(pending)) if has_unknown_expectation(head) => pending.error_context(),
        Ok(route) => return route,
        Err(unrouted) if unrouted.is_unknown_service() => return Route::Fallback,
        Err(unrouted) => return Route::Error(unrouted),
    };
    Route::Error(RoutingError { context, error: ApiError::plain(ErrorCode::ExpectationFailed) })
}

/// Checks the length of the request target and the total size of the header fields. Fails if the request target exceeds
/// the limit `uri`, or the header fields exceed the limit `head`.
pub(super) fn check_head_limits(plan: &Plan, head: &Head) -> Result<(), ApiError> {
    let length = head.uri.path().len() + head.uri.query().map_or(0, |query| query.len() + 1);
    if length as u64 > plan.limits.uri {
        return Err(ApiError::too_large(limits::TARGET_LENGTH.with_value(plan.limits.uri), None));
    }
    let fields: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if fields as u64 > plan.limits.head {
        return Err(ApiError::too_large(limits::HEADERS_SIZE.with_value(plan.limits.head), None));
    }
    Ok(())
}

/// Returns `true` if the header field `Expect` contains an expectation other than `100-continue` (RFC 9110 section
/// 10.1.1).
fn has_unknown_expectation(head: &Head) -> bool {
    head.get_all(&http::header::EXPECT).any(|value| {
        let mut expectations = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        !expectations.all(|expectation| expectation.is_empty() || expectation.eq_ignore_ascii_case(b"100-continue"))
    })
}

/// Routes a request whose path is below the base path of the API. Fails if the path cannot be decoded, the API has no
/// service at the path, or the service does not accept the HTTP method.
pub(super) fn route_to_api(plan: &Plan, head: &Head) -> Result<Route, RoutingError> {
    if head.method == http::Method::OPTIONS {
        return find_options_target(plan, head).map(Route::Options);
    }
    let path = path::path_of_request(plan, head).ok_or_else(ApiError::unknown_service)?;
    let (segments, service) = path::find_service(plan, &head.uri, path)?;
    if segments.is_empty()
        && let Some(route) = route_at_base(plan, head, service)?
    {
        return Ok(route);
    }
    if let Some(named) = service.map_or(Ok(None), |service| select_by_name::service_instead(plan, head, service))? {
        return route_to_named_service(plan, head, named);
    }
    match method_by_path(plan, head, segments, service) {
        Ok(matched) => Ok(Route::Method(matched)),
        Err(unrouted) if plan.services_by_module.is_some() && unrouted.is_unknown_service() => {
            let kind = body_kind_with_names(plan, head).ok_or(unrouted)?;
            Ok(Route::NeedsBody(Box::new(NeedsBody { kind, method: None, module: None })))
        }
        Err(unrouted) => Err(unrouted),
    }
}

/// Routes a request at the base path by the service name in its query or body. Returns `None` if neither the query nor
/// the body can name a service; the caller then routes to the service `root`, whose path is the base path. Fails if the
/// query names a service that does not exist, or the service does not accept the HTTP method.
fn route_at_base(plan: &Plan, head: &Head, root: Option<usize>) -> Result<Option<Route>, RoutingError> {
    if plan.named_services.is_none() && plan.services_by_module.is_none() {
        return Ok(None);
    }
    let default_service = plan.named_services.as_ref().and_then(|named| named.default_service);
    if let Some(named) = &plan.named_services
        && let Some(given) = select_by_name::service_name(fields::query_fields(head, &ServiceNaming::Service.fields()))
    {
        let service = select_by_name::find_by_service_name(named, &given)?;
        return route_to_named_service(plan, head, service).map(Some);
    }
    if let Some(kind) = body_kind_with_names(plan, head) {
        let module = default_service.or(root).map(|service| plan.services[service].module_index);
        return Ok(Some(Route::NeedsBody(Box::new(NeedsBody { kind, method: None, module }))));
    }
    let by_default = default_service.map(|service| route_to_named_service(plan, head, service));
    by_default.transpose().map_err(|unrouted| allow_methods_in_body(plan, unrouted))
}

/// Routes a request to the service that its query names, or to the default service. Fails if the service does not
/// accept the HTTP method.
fn route_to_named_service(plan: &Plan, head: &Head, service: usize) -> Result<Route, RoutingError> {
    let named = NamedMethod { method: select_method(plan, head, service, 0)?, naming: ServiceNaming::Service };
    let (matched, complete) = named.with_named_positions(plan, head, &[]);
    let kind = if complete { None } else { body_kind_with_fields(plan, head) };
    Ok(match kind {
        Some(kind) => Route::NeedsBody(Box::new(NeedsBody { kind, method: Some(named.method), module: None })),
        None => Route::Method(matched),
    })
}

/// Selects an API method of the service that was found for a request path. The segments after the path of the service
/// are the values of positional parameters. Fails if `service` is `None`, or the service does not accept the HTTP
/// method.
fn method_by_path(
    plan: &Plan,
    head: &Head,
    segments: Segments,
    service: Option<usize>,
) -> Result<MatchedMethod, RoutingError> {
    let service = service.ok_or_else(ApiError::unknown_service)?;
    let positions = segments.len() - plan.services[service].path_length;
    let is_at_base = segments.is_empty();
    let method = select_method(plan, head, service, positions)
        .map_err(|unrouted| if is_at_base { allow_methods_in_body(plan, unrouted) } else { unrouted })?;
    Ok(MatchedMethod { method_index: method, segments, by_name: None })
}

/// Selects an API method of a service by the request's HTTP method and the number of positional parameters in its path.
/// Fails with 404 if no method of the service has this number of positional parameters; fails with 405 if such methods
/// exist, but not for this HTTP method.
fn select_method(plan: &Plan, head: &Head, service: usize, positions: usize) -> Result<usize, RoutingError> {
    find_method(plan, service, positions, &head.method).ok_or_else(|| {
        let allowed = allowed_methods(plan, service, positions);
        if allowed.0.is_empty() {
            return ApiError::unknown_service().into();
        }
        let context = ErrorContext::Module(plan.services[service].module_index);
        RoutingError { context, error: ApiError::new(ErrorKind::UnknownMethod { allowed }) }
    })
}

/// Returns those methods of a service that accept this number of positional parameters, each with its HTTP method.
fn methods_with_positions(plan: &Plan, service: usize, positions: usize) -> impl Iterator<Item = (HttpMethod, usize)> {
    let methods = plan.services[service].methods.iter().copied();
    methods.filter(move |(_, method)| plan.methods[*method].max_positions >= positions)
}

/// Returns the index of the API method for an HTTP method and a number of positional parameters. HEAD selects the API
/// method for GET.
fn find_method(plan: &Plan, service: usize, positions: usize, http: &http::Method) -> Option<usize> {
    let name = if http == http::Method::HEAD { "GET" } else { http.as_str() };
    let http = HttpMethod::from_name(name)?;
    methods_with_positions(plan, service, positions).find(|(accepted, _)| *accepted == http).map(|(_, method)| method)
}

/// Returns the HTTP methods that a service accepts if the path contains this number of positional parameters.
fn allowed_methods(plan: &Plan, service: usize, positions: usize) -> AllowedMethods {
    AllowedMethods(methods_with_positions(plan, service, positions).map(|(http, _)| http).collect())
}
