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
//! have arrived, [`route_by_body`](super::route_by_body()) finishes the routing (`route_by_name`).
//!
//! Finds also the part of the API that an OPTIONS request is for, and the path as the log and traces may contain it.

use std::borrow::Cow;
use std::fmt::Write;

use http::Uri;
use memchr::memchr;
use rulebook_model::error::ErrorCode;
use rulebook_model::limits;
use rulebook_model::model::{Segment, ServerPath};
use rulebook_model::routing::NAMESPACE;
use rulebook_model::uri::percent_decode;

use super::cors;
use super::respond::ErrorContext;
use super::route_by_name::{self, NamedMethod, NeedsBody, body_kind_with_fields, body_kind_with_names};
use crate::call::{AllowedMethods, ApiError, ErrorKind, Head, HttpMethod};
use crate::plan::{
    Documents, MatchedMethod, ParentPaths, Plan, PlannedMethod, SecretPath, Segments, ServiceNaming, encode_segment,
    static_text,
};

#[derive(Debug)]
pub enum Route {
    Method(MatchedMethod),
    NeedsBody(Box<NeedsBody>),
    Options(OptionsTarget),
    /// At a path such as `/openapi.json`.
    Server(ServerPath),
    /// Perhaps the path of a documentation page or a static file.
    Fallback,
    Error(RoutingError),
}

#[derive(Debug)]
pub struct RoutingError {
    /// What routing had found when the error occurred.
    pub context: ErrorContext,
    pub error: ApiError,
}

impl RoutingError {
    fn is_unknown_service(&self) -> bool {
        matches!(self.error.kind(), ErrorKind::UnknownService { .. })
    }
}

impl From<ApiError> for RoutingError {
    fn from(error: ApiError) -> Self {
        Self { context: ErrorContext::Nothing, error }
    }
}

/// Selects what handles a request, from its head alone.
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

/// Returns `true` if the request has another expectation than `100-continue` (RFC 9110 section 10.1.1).
fn has_unknown_expectation(head: &Head) -> bool {
    head.get_all(&http::header::EXPECT).any(|value| {
        let mut expectations = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        !expectations.all(|expectation| expectation.is_empty() || expectation.eq_ignore_ascii_case(b"100-continue"))
    })
}

/// Routes a request to a path below the base path.
pub(super) fn route_to_api(plan: &Plan, head: &Head) -> Result<Route, RoutingError> {
    if head.method == http::Method::OPTIONS {
        return find_options_target(plan, head).map(Route::Options);
    }
    let path = path_of_request(plan, head).ok_or_else(ApiError::unknown_service)?;
    let (segments, service) = find_service(plan, &head.uri, path)?;
    if segments.is_empty()
        && let Some(route) = route_at_base(plan, head, service)?
    {
        return Ok(route);
    }
    if let Some(named) = service.map_or(Ok(None), |service| route_by_name::service_instead(plan, head, service))? {
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

/// `None` if neither the query nor the body can name a service; the caller then routes to the service `root`, whose
/// path is the base path.
fn route_at_base(plan: &Plan, head: &Head, root: Option<usize>) -> Result<Option<Route>, RoutingError> {
    if plan.named_services.is_none() && plan.services_by_module.is_none() {
        return Ok(None);
    }
    let default_service = plan.named_services.as_ref().and_then(|named| named.default_service);
    if let Some(named) = &plan.named_services
        && let Some(given) =
            route_by_name::service_name(route_by_name::query_fields(head, &ServiceNaming::Service.fields()))
    {
        let service = route_by_name::find_by_service_name(named, &given)?;
        return route_to_named_service(plan, head, service).map(Some);
    }
    if let Some(kind) = body_kind_with_names(plan, head) {
        let module = default_service.or(root).map(|service| plan.services[service].module_index);
        return Ok(Some(Route::NeedsBody(Box::new(NeedsBody { kind, method: None, module }))));
    }
    let by_default = default_service.map(|service| route_to_named_service(plan, head, service));
    by_default.transpose().map_err(|unrouted| allow_methods_in_body(plan, unrouted))
}

/// Routes a request to the service that it names, or to the default service.
fn route_to_named_service(plan: &Plan, head: &Head, service: usize) -> Result<Route, RoutingError> {
    let named = NamedMethod { method: select_method(plan, head, service, 0)?, naming: ServiceNaming::Service };
    let (matched, complete) = named.with_named_positions(plan, head, &[]);
    let kind = if complete { None } else { body_kind_with_fields(plan, head) };
    Ok(match kind {
        Some(kind) => Route::NeedsBody(Box::new(NeedsBody { kind, method: Some(named.method), module: None })),
        None => Route::Method(matched),
    })
}

/// The segments after the path of the service are positional parameters. Fails if `service` is `None`.
pub(super) fn method_by_path(
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

/// Fails with 404 if no method has this number of positional parameters, and with 405 if none of those has the HTTP
/// method.
pub(super) fn select_method(plan: &Plan, head: &Head, service: usize, positions: usize) -> Result<usize, RoutingError> {
    find_method(plan, service, positions, &head.method).ok_or_else(|| {
        let allowed = allowed_methods(plan, service, positions);
        if allowed.0.is_empty() {
            return ApiError::unknown_service().into();
        }
        let context = ErrorContext::Module(plan.services[service].module_index);
        RoutingError { context, error: ApiError::new(ErrorKind::UnknownMethod { allowed }) }
    })
}

fn methods_with_positions(plan: &Plan, service: usize, positions: usize) -> impl Iterator<Item = (HttpMethod, usize)> {
    let methods = plan.services[service].methods.iter().copied();
    methods.filter(move |(_, method)| plan.methods[*method].max_positions >= positions)
}

/// HEAD selects the API method for GET.
fn find_method(plan: &Plan, service: usize, positions: usize, http: &http::Method) -> Option<usize> {
    let name = if http == http::Method::HEAD { "GET" } else { http.as_str() };
    let http = HttpMethod::from_name(name)?;
    methods_with_positions(plan, service, positions).find(|(accepted, _)| *accepted == http).map(|(_, method)| method)
}

fn allowed_methods(plan: &Plan, service: usize, positions: usize) -> AllowedMethods {
    AllowedMethods(methods_with_positions(plan, service, positions).map(|(http, _)| http).collect())
}

/// If none is similar, searches again with the base path in front of the request path.
pub(super) fn similar_service_uris(plan: &Plan, head: &Head) -> Vec<String> {
    let path = head.uri.path();
    let segments = path.strip_suffix('/').unwrap_or(path).split('/').skip(1);
    if !plan.similar_paths.can_be_similar(segments.clone().count()) {
        return Vec::new();
    }
    let Ok(segments) = segments.map(percent_decode).collect::<Result<Vec<_>, _>>() else {
        return Vec::new();
    };
    let request_segments: Vec<_> = segments.iter().map(AsRef::as_ref).collect();
    let uris = plan.similar_paths.find_similar(&request_segments);
    if !uris.is_empty() || plan.base_path.is_empty() {
        return uris;
    }
    let below_base: Vec<_> = plan.base_path.split('/').skip(1).chain(request_segments).collect();
    plan.similar_paths.find_similar(&below_base)
}

/// Returns the part of a path after the base path, from `/` on; `None` if the path is not below the base path.
///
/// `base` contains no percent-encoding. In `path`, any character may be percent-encoded.
fn path_below_base<'p>(base: &str, path: &'p str) -> Option<&'p str> {
    let rest = if is_percent_encoded(path) {
        base.split('/').skip(1).try_fold(path, |path, expected| {
            let inner = path.strip_prefix('/')?;
            let (segment, _) = inner.split_once('/').unwrap_or((inner, ""));
            percent_decode(segment).is_ok_and(|decoded| decoded == expected).then(|| &inner[segment.len()..])
        })
    } else {
        path.strip_prefix(base)
    };
    match rest? {
        "" => Some("/"),
        rest if rest.starts_with('/') => Some(rest),
        _ => None,
    }
}

/// After the base path, from `/` on. Omits the script through which clients of PhalApi call the API, such as
/// `/index.php`, and PhalApi's namespace, as in `/App/User/Login`.
pub(super) fn path_of_request<'h>(plan: &Plan, head: &'h Head) -> Option<&'h str> {
    let below = path_below_base(&plan.base_path, head.uri.path())?;
    let Some(named) = &plan.named_services else { return Some(below) };
    let below_script = |entry: &str| match below.strip_prefix('/')?.strip_prefix(entry)? {
        "" => Some("/"),
        rest => rest.starts_with('/').then_some(rest),
    };
    let entry = Some(&*named.entry).filter(|entry| !entry.is_empty());
    let below = entry.and_then(below_script).unwrap_or(below);
    Some(below_namespace(plan, head, below).unwrap_or(below))
}

/// The part after PhalApi's namespace, if it leads to a service with a name. A service whose own path begins with the
/// namespace has priority.
fn below_namespace<'h>(plan: &Plan, head: &'h Head, below: &'h str) -> Option<&'h str> {
    let rest = below.strip_prefix('/')?.strip_prefix(NAMESPACE).filter(|rest| rest.starts_with('/'))?;
    let path_length = |path| {
        let (_, service) = find_service(plan, &head.uri, path).ok()?;
        service.map(|service| plan.services[service].path_length)
    };
    // The service at the base path, whose length is 0, takes any path.
    (path_length(below).unwrap_or_default() == 0 && path_length(rest) == Some(2)).then_some(rest)
}

/// `true` if `path` consists of the first segments of the base path.
fn is_parent_of_base(base: &str, path: &str) -> bool {
    let Some(inner) = path.strip_suffix('/').unwrap_or(path).strip_prefix('/') else {
        return path == "/";
    };
    let mut base = base.split('/').skip(1);
    inner.split('/').all(|segment| {
        base.next().is_some_and(|expected| percent_decode(segment).is_ok_and(|decoded| decoded == expected))
    })
}

/// Finds the service whose path is the longest prefix. `below` is the end of the path of `target`, after the base path,
/// or `/`. Fails if the percent-encoding of a segment is invalid.
pub(super) fn find_service(plan: &Plan, target: &Uri, below: &str) -> Result<(Segments, Option<usize>), ApiError> {
    let path = below.strip_suffix('/').unwrap_or(below);
    let Some(inner) = path.strip_prefix('/') else {
        return Ok((Segments::none(), plan.routes.find("", 0)));
    };
    if !is_percent_encoded(inner) {
        let end = target.path().len() - (below.len() - path.len());
        let segments = Segments::of_plain_path(target.path(), end - inner.len()..end);
        let service = plan.routes.find(path, segments.len());
        return Ok((segments, service));
    }
    let segments = inner.split('/').map(|segment| percent_decode(segment).map(Cow::into_owned));
    let segments = Segments::from(segments.collect::<Result<Vec<_>, _>>().map_err(ApiError::malformed)?);
    let service = plan.routes.find(&join_segments(target, &segments), segments.len());
    Ok((segments, service))
}

/// A path with services below it.
fn find_parent_path(parents: &ParentPaths, target: &Uri, segments: &Segments) -> Option<usize> {
    parents.find_parent_path(&join_segments(target, segments), segments.len())
}

fn is_percent_encoded(path: &str) -> bool {
    memchr(b'%', path.as_bytes()).is_some()
}

/// Returns the path in the form that [`Routes::find`](crate::plan::Routes::find) expects.
fn join_segments(target: &Uri, segments: &Segments) -> String {
    segments.iter(target.path()).fold(String::new(), |mut joined, segment| {
        // Writing to a `String` never fails.
        let _ = write!(joined, "/{}", encode_segment(segment));
        joined
    })
}

/// What an OPTIONS request is for; the response describes it.
#[derive(Debug)]
pub enum OptionsTarget {
    Service {
        service: usize,
        /// Path segments after the path of the service.
        positions: usize,
        /// With this number of positional parameters.
        allowed: AllowedMethods,
    },
    /// Not a service, but services are below it.
    ParentPath { index: usize },
    /// The base path, a parent of it, or `*`.
    WholeApi {
        /// `None` if no service handles requests to the URI.
        service: Option<usize>,
        allowed: AllowedMethods,
        /// The body of a request may name any service.
        body_may_name_service: bool,
        /// The server has a page at the URI.
        has_page: bool,
    },
}

impl OptionsTarget {
    /// The target accepts only OPTIONS and, if the API has a page, GET.
    fn whole_api(has_page: bool) -> Self {
        let allowed = AllowedMethods(Vec::new());
        Self::WholeApi { service: None, allowed, body_may_name_service: false, has_page }
    }

    /// Returns the context for an error response to the OPTIONS request.
    pub(super) fn error_context(&self, plan: &Plan) -> ErrorContext {
        match self {
            Self::Service { service, .. } => ErrorContext::Module(plan.services[*service].module_index),
            Self::ParentPath { .. } | Self::WholeApi { .. } => ErrorContext::Nothing,
        }
    }
}

/// Fails if the API has no service at the path or below it.
fn find_options_target(plan: &Plan, head: &Head) -> Result<OptionsTarget, RoutingError> {
    let path = head.uri.path();
    let Some(below) = path_of_request(plan, head) else {
        let covers_all = path == "*" || is_parent_of_base(&plan.base_path, path);
        let has_page = path == "/";
        return covers_all
            .then(|| OptionsTarget::whole_api(has_page))
            .ok_or_else(|| ApiError::unknown_service().into());
    };
    let (segments, service) = find_service(plan, &head.uri, below)?;
    if segments.is_empty() {
        return options_at_base(plan, head, service);
    }
    if let Some(service) = service {
        let positions = segments.len() - plan.services[service].path_length;
        let allowed = allowed_methods(plan, service, positions);
        if !allowed.0.is_empty() {
            return Ok(OptionsTarget::Service { service, positions, allowed });
        }
    }
    if let Some(index) = find_parent_path(plan.documents.parent_paths(), &head.uri, &segments) {
        return Ok(OptionsTarget::ParentPath { index });
    }
    let announced = cors::preflight_method(plan, head).and_then(|http| HttpMethod::from_name(http.as_str()));
    if announced.is_some_and(|http| plan.named_in_body.http_methods_by_module.0.contains(&http)) {
        // The body of the request that the browser announces may name a service, so that every path may be valid.
        let allowed = AllowedMethods(Vec::new());
        return Ok(OptionsTarget::WholeApi { service: None, allowed, body_may_name_service: true, has_page: false });
    }
    Err(ApiError::unknown_service().into())
}

/// Without a name in the query, the target is the whole API.
fn options_at_base(plan: &Plan, head: &Head, root: Option<usize>) -> Result<OptionsTarget, RoutingError> {
    let given = route_by_name::service_name(route_by_name::query_fields(head, &ServiceNaming::Service.fields()));
    if let (Some(named), Some(given)) = (&plan.named_services, given) {
        let service = route_by_name::find_by_service_name(named, &given)?;
        return Ok(OptionsTarget::Service { service, positions: 0, allowed: allowed_methods(plan, service, 0) });
    }
    let service = plan.named_services.as_ref().and_then(|named| named.default_service).or(root);
    let allowed = service.map_or_else(|| AllowedMethods(Vec::new()), |service| allowed_methods(plan, service, 0));
    let has_page = service.is_none() && head.uri.path() == "/";
    Ok(OptionsTarget::WholeApi { service, allowed, body_may_name_service: true, has_page })
}

/// Adds them to the error for an unknown HTTP method at the base path. Returns other errors unchanged.
pub(super) fn allow_methods_in_body(plan: &Plan, unrouted: RoutingError) -> RoutingError {
    let ErrorKind::UnknownMethod { allowed } = unrouted.error.kind() else { return unrouted };
    let named = &plan.named_in_body.http_methods.0;
    let allowed = AllowedMethods::sorted(allowed.0.iter().chain(named).copied());
    RoutingError { context: unrouted.context, error: ApiError::new(ErrorKind::UnknownMethod { allowed }) }
}

/// Returns GET and, at the base path, the HTTP methods with which the body can name a service.
pub(super) fn allowed_methods_of_page(plan: &Plan, head: &Head) -> AllowedMethods {
    let is_at_base = path_of_request(plan, head) == Some("/");
    let named = plan.named_in_body.http_methods.0.iter().filter(|_| is_at_base);
    AllowedMethods::sorted(named.copied().chain([HttpMethod::Get]))
}

/// `None` without a preflight, or if the announced method does not exist.
pub(super) fn preflighted_method(plan: &Plan, head: &Head) -> Option<usize> {
    let (service, positions) = match super::route(plan, head) {
        Route::Options(OptionsTarget::Service { service, positions, .. }) => (service, positions),
        Route::Options(OptionsTarget::WholeApi { service: Some(service), .. }) => (service, 0),
        _ => return None,
    };
    find_method(plan, service, positions, &cors::preflight_method(plan, head)?)
}

/// `None` if the request path is not one of `documents.parent_paths`.
pub(super) fn find_parent_path_index(plan: &Plan, documents: &Documents, head: &Head) -> Option<usize> {
    let (segments, _) = find_service(plan, &head.uri, path_of_request(plan, head)?).ok()?;
    find_parent_path(&documents.parent_paths, &head.uri, &segments)
}

/// The logged path of a request whose path cannot be decoded, if paths of the API contain secrets.
const MALFORMED_PATH: &str = "-";

/// Returns the path of a request, in which each value of a secret parameter is replaced by the name of the parameter:
/// `/reset/{token}`. The parameters are those of all methods of the service, because a request that calls none of them,
/// for example with another HTTP method, contains the same secret. A segment that is not part of a service may be the
/// secret of a longer path, whose beginning the request has.
pub fn logged_path<'h>(plan: &Plan, head: &'h Head) -> Cow<'h, str> {
    let path = path_in_version(plan, head);
    match &head.version {
        Some(version) => Cow::Owned(format!("/{version}{path}")),
        None => path,
    }
}

fn path_in_version<'h>(plan: &Plan, head: &'h Head) -> Cow<'h, str> {
    let path = head.uri.path();
    if plan.secret_paths.is_empty() {
        return Cow::Borrowed(path);
    }
    // A client may have forgotten the base path.
    let below = path_of_request(plan, head).unwrap_or(path);
    let Ok((segments, service)) = find_service(plan, &head.uri, below) else { return Cow::Borrowed(MALFORMED_PATH) };
    // For the base path without a slash, `below` is not a part of the path.
    let Some(start) = path.strip_suffix(below) else { return Cow::Borrowed(path) };
    let service = service.map(|service| &plan.services[service]);
    let methods = || service.into_iter().flat_map(|service| &service.methods).map(|(_, index)| &plan.methods[*index]);
    let secret = |index: usize| {
        let of_service = methods().flat_map(secret_segments).find(|(secret, _)| *secret == index).map(|(_, name)| name);
        let is_part = service.is_some_and(|service| index < service.path_length)
            || methods().any(|method| method.path_slots.iter().any(|(segment, _)| *segment == index));
        of_service.or_else(|| if is_part { None } else { secret_of_longer_path(plan, path, &segments, index) })
    };
    let sent = || below.split('/').skip(1).enumerate();
    let name = |(index, segment): (usize, &str)| secret(index).filter(|_| !segment.is_empty());
    if sent().all(|segment| name(segment).is_none()) {
        return Cow::Borrowed(path);
    }
    Cow::Owned(sent().fold(start.to_owned(), |mut logged, segment| {
        logged.push('/');
        match name(segment) {
            Some(name) => logged.extend(["{", name, "}"]),
            None => logged.push_str(segment.1),
        }
        logged
    }))
}

/// The path begins with the segments before it.
fn secret_of_longer_path<'p>(plan: &'p Plan, path: &str, segments: &Segments, index: usize) -> Option<&'p str> {
    plan.secret_paths.iter().find_map(|known| {
        let (_, name) = known.secrets.iter().find(|(secret, _)| *secret == index)?;
        let mut before = known.segments.iter().take(index).zip(segments.iter(path));
        // The letters may have another case by mistake.
        before
            .all(|(known, sent)| known.as_ref().is_none_or(|known| known.eq_ignore_ascii_case(sent)))
            .then_some(&**name)
    })
}

/// The indices of segments after the base path, and the names of parameters.
fn secret_segments(method: &PlannedMethod) -> impl Iterator<Item = (usize, &str)> {
    let secret = method.path_slots.iter().filter(|(_, slot)| method.parameters[*slot].is_secret);
    secret.map(|(segment, slot)| (*segment, &*method.parameter_names[*slot]))
}

/// `None` if the methods of the service have no secret parameters in the path.
pub fn secret_path(path: &[Segment], methods: &[PlannedMethod]) -> Option<SecretPath> {
    let secrets: Vec<_> = methods.iter().flat_map(secret_segments).map(|(index, name)| (index, name.into())).collect();
    let segments = path.iter().map(|segment| static_text(segment).map(Into::into)).collect();
    (!secrets.is_empty()).then(|| SecretPath { segments, secrets: secrets.into() })
}
