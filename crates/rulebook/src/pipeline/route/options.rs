//! Finds the part of the API that an OPTIONS request is for. A CORS preflight is an OPTIONS request, too.

use super::{Route, RoutingError, allowed_methods, fields, find_method, path, select_by_name};
use crate::call::{AllowedMethods, ApiError, ErrorKind, Head, HttpMethod};
use crate::pipeline::cors;
use crate::pipeline::respond::ErrorContext;
use crate::plan::{Documents, Plan, ServiceNaming};

/// The part of the API that an OPTIONS request is for, and that the response describes.
#[derive(Debug)]
pub enum OptionsTarget {
    /// The request URI is the URI of a service.
    Service {
        /// The index of the service in the plan.
        service: usize,
        /// The number of positional parameters: the path segments after the path of the service.
        positions: usize,
        /// The HTTP methods that the service accepts with this number of positional parameters.
        allowed: AllowedMethods,
    },
    /// The request URI is not the URI of a service, but the API has services below it.
    ParentPath {
        /// The index of the request path among the parent paths of the plan.
        index: usize,
    },
    /// The request is for the whole API: its URI is the base path, a parent of the base path, or `*`.
    WholeApi {
        /// The index of the service that handles requests to this URI; `None` if no service does.
        service: Option<usize>,
        /// The HTTP methods that this service accepts.
        allowed: AllowedMethods,
        /// `true` if the body of a request to this URI may name any service.
        body_may_name_service: bool,
        /// `true` if the server has a page at this URI.
        has_page: bool,
    },
}

impl OptionsTarget {
    /// Returns the target for a URI that stands for the whole API and accepts no HTTP method except OPTIONS and, if it
    /// has a page, GET.
    fn whole_api(has_page: bool) -> Self {
        let allowed = AllowedMethods(Vec::new());
        Self::WholeApi { service: None, allowed, body_may_name_service: false, has_page }
    }

    /// Returns the context that an error response to the OPTIONS request needs.
    pub(in crate::pipeline) fn error_context(&self, plan: &Plan) -> ErrorContext {
        match self {
            Self::Service { service, .. } => ErrorContext::Module(plan.services[*service].module_index),
            Self::ParentPath { .. } | Self::WholeApi { .. } => ErrorContext::Nothing,
        }
    }
}

/// Finds the part of the API that an OPTIONS request is for. Fails if the path cannot be decoded, or the API has no
/// service at the path or below it.
pub(super) fn find_options_target(plan: &Plan, head: &Head) -> Result<OptionsTarget, RoutingError> {
    let path = head.uri.path();
    let Some(below) = path::path_of_request(plan, head) else {
        let covers_all = path == "*" || path::is_parent_of_base(&plan.base_path, path);
        let has_page = path == "/";
        return covers_all
            .then(|| OptionsTarget::whole_api(has_page))
            .ok_or_else(|| ApiError::unknown_service().into());
    };
    let (segments, service) = path::find_service(plan, &head.uri, below)?;
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
    if let Some(index) = path::find_parent_path(plan.documents.parent_paths(), &head.uri, &segments) {
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

/// Returns the target for OPTIONS at the base path: the service that the query names; without a name in the query, the
/// whole API. Fails if the query names a service that does not exist.
fn options_at_base(plan: &Plan, head: &Head, root: Option<usize>) -> Result<OptionsTarget, RoutingError> {
    let given = select_by_name::service_name(fields::query_fields(head, &ServiceNaming::Service.fields()));
    if let (Some(named), Some(given)) = (&plan.named_services, given) {
        let service = select_by_name::find_by_service_name(named, &given)?;
        return Ok(OptionsTarget::Service { service, positions: 0, allowed: allowed_methods(plan, service, 0) });
    }
    let service = plan.named_services.as_ref().and_then(|named| named.default_service).or(root);
    let allowed = service.map_or_else(|| AllowedMethods(Vec::new()), |service| allowed_methods(plan, service, 0));
    let has_page = service.is_none() && head.uri.path() == "/";
    Ok(OptionsTarget::WholeApi { service, allowed, body_may_name_service: true, has_page })
}

/// To the error for an unknown HTTP method at the base path, adds the HTTP methods with which the body can name a
/// service. Returns other errors unchanged.
pub(super) fn allow_methods_in_body(plan: &Plan, unrouted: RoutingError) -> RoutingError {
    let ErrorKind::UnknownMethod { allowed } = unrouted.error.kind() else { return unrouted };
    let named = &plan.named_in_body.http_methods.0;
    let allowed = AllowedMethods::sorted(allowed.0.iter().chain(named).copied());
    RoutingError { context: unrouted.context, error: ApiError::new(ErrorKind::UnknownMethod { allowed }) }
}

/// Returns the HTTP methods of a request for the page at its path: GET and, at the base path, those with which the body
/// can name a service.
pub(in crate::pipeline) fn allowed_methods_of_page(plan: &Plan, head: &Head) -> AllowedMethods {
    let is_at_base = path::path_of_request(plan, head) == Some("/");
    let named = plan.named_in_body.http_methods.0.iter().filter(|_| is_at_base);
    AllowedMethods::sorted(named.copied().chain([HttpMethod::Get]))
}

/// Returns the index of the API method that a CORS preflight announces; `None` if the request is not a preflight, or
/// the announced method does not exist.
pub(in crate::pipeline) fn preflighted_method(plan: &Plan, head: &Head) -> Option<usize> {
    let (service, positions) = match super::route(plan, head) {
        Route::Options(OptionsTarget::Service { service, positions, .. }) => (service, positions),
        Route::Options(OptionsTarget::WholeApi { service: Some(service), .. }) => (service, 0),
        _ => return None,
    };
    find_method(plan, service, positions, &cors::preflight_method(plan, head)?)
}

/// Returns the index of the request path in `documents.parent_paths`: the paths that have services below them but are
/// not paths of services. Returns `None` if the request path is not one of them.
pub(in crate::pipeline) fn find_parent_path_index(plan: &Plan, documents: &Documents, head: &Head) -> Option<usize> {
    let (segments, _) = path::find_service(plan, &head.uri, path::path_of_request(plan, head)?).ok()?;
    path::find_parent_path(&documents.parent_paths, &head.uri, &segments)
}
