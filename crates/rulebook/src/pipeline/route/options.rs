//! Finds the part of the API that an OPTIONS request is for. A CORS preflight is an OPTIONS request, too.

use super::{Route, RoutingError, allowed_methods, fields, find_method, path, select_by_name};
use crate::call::{AllowedMethods, ApiError, Head, HttpMethod};
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
        /// The HTTP methods that the API accepts at this URI.
        allowed: AllowedMethods,
        /// The index of the service that accepts these HTTP methods; `None` if no service does.
        service: Option<usize>,
        /// `true` if the body of a POST request to this URI may name any service.
        body_may_name_service: bool,
    },
}

impl OptionsTarget {
    /// Returns the target for a URI that stands for the whole API and accepts no HTTP method except OPTIONS.
    fn whole_api() -> Self {
        Self::WholeApi { allowed: AllowedMethods(Vec::new()), service: None, body_may_name_service: false }
    }

    /// Returns the context that an error response to the OPTIONS request needs.
    pub(in crate::pipeline) fn error_context(&self, plan: &Plan) -> ErrorContext {
        match self {
            Self::Service { service, .. } => ErrorContext::Module(plan.services[*service].module_index),
            Self::ParentPath { .. } | Self::WholeApi { .. } => ErrorContext::Nothing,
        }
    }
}

/// Finds the part of the API that an OPTIONS request is for.
///
/// # Errors
/// Fails if the path cannot be decoded, or the API has no service at the path or below it.
pub(super) fn find_options_target(plan: &Plan, head: &Head) -> Result<OptionsTarget, RoutingError> {
    let path = head.uri.path();
    let Some(below) = path::path_below_base(&plan.base_path, path) else {
        let covers_all = path == "*" || path::is_parent_of_base(&plan.base_path, path);
        return covers_all.then(OptionsTarget::whole_api).ok_or_else(|| ApiError::unknown_service().into());
    };
    let (segments, service) = path::find_service(plan, below)?;
    if segments.is_empty() {
        return Ok(options_at_base(plan, head, service));
    }
    if let Some(service) = service {
        let positions = segments.len() - plan.services[service].path_length;
        let allowed = allowed_methods(plan, service, positions);
        if !allowed.0.is_empty() {
            return Ok(OptionsTarget::Service { service, positions, allowed });
        }
    }
    if let Some(index) = path::find_parent_path(plan.documents.parent_paths(), &segments) {
        return Ok(OptionsTarget::ParentPath { index });
    }
    if plan.services_by_module.is_some() && cors::preflight_method(plan, head) == Some(http::Method::POST) {
        // The browser announces a POST request. Its body may name a service, so that every path may be valid.
        return Ok(OptionsTarget::WholeApi {
            allowed: AllowedMethods(vec![HttpMethod::Post]),
            service: None,
            body_may_name_service: true,
        });
    }
    Err(ApiError::unknown_service().into())
}

/// Returns the target for OPTIONS at the base path. The allowed methods are those of the service that the query names;
/// without a name in the query, those of the default service or the service `root`. POST is added if its body may name
/// a service.
fn options_at_base(plan: &Plan, head: &Head, root: Option<usize>) -> OptionsTarget {
    let given = select_by_name::service_name(fields::query_fields(head, &ServiceNaming::Service.fields()));
    let (service, body_may_name_service) = match (&plan.named_services, given) {
        (Some(named), Some(given)) => (select_by_name::find_by_service_name(named, &given).ok(), false),
        (Some(named), None) => (named.default_service.or(root), true),
        (None, _) => (root, plan.services_by_module.is_some()),
    };
    let methods = service.map_or(&[][..], |service| &plan.services[service].methods);
    let has = |http| {
        methods.iter().any(|(accepted, _)| *accepted == http) || body_may_name_service && http == HttpMethod::Post
    };
    let allowed = AllowedMethods(HttpMethod::ALL.into_iter().filter(|http| has(*http)).collect());
    OptionsTarget::WholeApi { allowed, service, body_may_name_service }
}

/// Returns the index of the API method that a CORS preflight announces; `None` if the request is not a preflight, or
/// the announced method does not exist.
#[must_use]
pub fn preflighted_method(plan: &Plan, head: &Head, route: &Route<'_>) -> Option<usize> {
    let (service, positions) = match route {
        Route::Options(OptionsTarget::Service { service, positions, .. }) => (*service, *positions),
        Route::Options(OptionsTarget::WholeApi { service: Some(service), .. }) => (*service, 0),
        _ => return None,
    };
    find_method(plan, service, positions, &cors::preflight_method(plan, head)?)
}

/// Returns the index of the request path in `documents.parent_paths`: the paths that have services below them but are
/// not paths of services. Returns `None` if the request path is not one of them.
pub(in crate::pipeline) fn find_parent_path_index(plan: &Plan, documents: &Documents, head: &Head) -> Option<usize> {
    let (segments, _) = path::find_service(plan, path::path_below_base(&plan.base_path, head.uri.path())?).ok()?;
    path::find_parent_path(&documents.parent_paths, &segments)
}
