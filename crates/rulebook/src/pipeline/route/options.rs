//! Targets of OPTIONS requests, including CORS preflights.

use super::{Route, RoutingError, allowed_methods, by_name, fields, find_method, path};
use crate::call::{AllowedMethods, ApiError, Head, HttpMethod};
use crate::pipeline::cors;
use crate::pipeline::respond::ErrorContext;
use crate::plan::{Documents, Naming, Plan};

/// The target of an OPTIONS request.
#[derive(Debug)]
pub enum OptionsTarget {
    /// A service.
    Service {
        /// The index of the service.
        service: usize,
        /// The number of segments after the path of the service.
        positions: usize,
        /// The HTTP methods that accept this many positions.
        allowed: AllowedMethods,
    },
    /// A URI that is not a service, but is a parent of services.
    Above {
        /// The index of the URI in the parent paths of the plan.
        above: usize,
    },
    /// The base path, a parent of it, or `*`.
    All {
        /// The HTTP methods that this URI accepts.
        allowed: AllowedMethods,
        /// The service that these methods belong to.
        service: Option<usize>,
        /// `true` if the body of a POST may name any service.
        by_body: bool,
    },
}

impl OptionsTarget {
    /// The whole API, for a URI that accepts no method except OPTIONS.
    fn all() -> Self {
        Self::All { allowed: AllowedMethods(Vec::new()), service: None, by_body: false }
    }

    /// Returns the context for an error response to the request.
    pub(in crate::pipeline) fn context(&self, plan: &Plan) -> ErrorContext {
        match self {
            Self::Service { service, .. } => ErrorContext::Module(plan.services[*service].module),
            Self::Above { .. } | Self::All { .. } => ErrorContext::Nothing,
        }
    }
}

/// Finds the target of an OPTIONS request.
///
/// # Errors
/// Fails if the path cannot be decoded, or is neither a service nor a parent of one.
pub(super) fn options_target(plan: &Plan, head: &Head) -> Result<OptionsTarget, RoutingError> {
    let path = head.uri.path();
    let Some(below) = path::path_below_base(&plan.base, path) else {
        let covers_all = path == "*" || path::is_parent_of_base(&plan.base, path);
        return covers_all.then(OptionsTarget::all).ok_or_else(|| ApiError::unknown_service().into());
    };
    let (segments, service) = path::find(plan, below)?;
    if segments.is_empty() {
        return Ok(options_at_base(plan, head, service));
    }
    if let Some(service) = service {
        let positions = segments.len() - plan.services[service].length;
        let allowed = allowed_methods(plan, service, positions);
        if !allowed.0.is_empty() {
            return Ok(OptionsTarget::Service { service, positions, allowed });
        }
    }
    if let Some(above) = path::find_parent(plan.documents.parents(), &segments) {
        return Ok(OptionsTarget::Above { above });
    }
    if plan.dispatch.is_some() && cors::requested_method(plan, head) == Some(http::Method::POST) {
        // The body of the announced request may name a service, so that every path may be valid.
        return Ok(OptionsTarget::All {
            allowed: AllowedMethods(vec![HttpMethod::Post]),
            service: None,
            by_body: true,
        });
    }
    Err(ApiError::unknown_service().into())
}

/// Returns the methods that the base path accepts: the methods of the service that the query names, or else of the
/// default service or the service `root`; and POST if its body may name a service.
fn options_at_base(plan: &Plan, head: &Head, root: Option<usize>) -> OptionsTarget {
    let given = by_name::service_name(fields::query_fields(head, &Naming::Service.fields()));
    let (service, by_body) = match (&plan.named, given) {
        (Some(named), Some(given)) => (by_name::find(named, &given).ok(), false),
        (Some(named), None) => (named.default.or(root), true),
        (None, _) => (root, plan.dispatch.is_some()),
    };
    let methods = service.map_or(&[][..], |service| &plan.services[service].methods);
    let has = |http| methods.iter().any(|(accepted, _)| *accepted == http) || by_body && http == HttpMethod::Post;
    let allowed = AllowedMethods(HttpMethod::ALL.into_iter().filter(|http| has(*http)).collect());
    OptionsTarget::All { allowed, service, by_body }
}

/// Returns the index of the method that a CORS preflight announces; `None` if the request is not a preflight or there
/// is no such method.
#[must_use]
pub fn preflighted_method(plan: &Plan, head: &Head, route: &Route<'_>) -> Option<usize> {
    let (service, positions) = match route {
        Route::Options(OptionsTarget::Service { service, positions, .. }) => (*service, *positions),
        Route::Options(OptionsTarget::All { service: Some(service), .. }) => (*service, 0),
        _ => return None,
    };
    find_method(plan, service, positions, &cors::requested_method(plan, head)?)
}

/// Returns the index of the parent path that a request is for, among those that `documents` describe.
pub(in crate::pipeline) fn parent_path(plan: &Plan, documents: &Documents, head: &Head) -> Option<usize> {
    let (segments, _) = path::find(plan, path::path_below_base(&plan.base, head.uri.path())?).ok()?;
    path::find_parent(&documents.parents, &segments)
}
