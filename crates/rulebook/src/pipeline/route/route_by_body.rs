//! Routes requests that name the API method in their body instead of their path.

use bytes::Bytes;
use rulebook_model::limits;

use super::fields::{self, Field};
use super::options::allow_methods_in_body;
use super::select_by_name::{self, NamedMethod};
use super::{RoutingError, method_by_path, path, select_method};
use crate::call::{ApiError, ErrorKind, Head, MalformedRequest};
use crate::pipeline::body::{BodyKind, announced_body_kind, check_is_not_json};
use crate::pipeline::respond::ErrorContext;
use crate::plan::{BodyUse, MatchedMethod, Plan, PlannedMethod, Segments, ServiceNaming};

/// A request that cannot be routed before the first bytes of its body have arrived, because the body names the API
/// method or contains its positional parameters.
#[derive(Debug)]
pub struct NeedsBody {
    /// The kind of the body (form, JSON or multipart), which determines how the server parses the body.
    pub kind: BodyKind,
    /// The index of the API method if the path or query has selected the method, and only its positional parameters are
    /// in the body; `None` if the body selects the method.
    pub method: Option<usize>,
    /// The index of the API module whose service handles the request if the body does not name a service.
    pub module: Option<usize>,
}

impl NeedsBody {
    /// Returns the context of an error that occurs before the body of the request has been read.
    pub fn error_context(&self) -> ErrorContext {
        match (self.method, self.module) {
            (Some(method), _) => ErrorContext::Method(method),
            (None, Some(module)) => ErrorContext::Module(module),
            (None, None) => ErrorContext::Nothing,
        }
    }

    /// Returns the API method if the caller's permission can be checked before the body is read: the method is known,
    /// and the permissions that it requires do not contain the value of a positional parameter.
    pub fn method_to_authorize(&self, plan: &Plan) -> Option<MatchedMethod> {
        let method = self.method?;
        let PlannedMethod { scope, path_slots, parameter_names, .. } = &plan.methods[method];
        let depends_on_body = path_slots.iter().any(|(_, slot)| scope.has_variable(&parameter_names[*slot]));
        (!depends_on_body).then(|| MatchedMethod { method_index: method, segments: Segments::none(), by_name: None })
    }
}

/// The first bytes of a request body; their number is at most the limit `dispatch`.
#[derive(Debug, Clone)]
pub struct BodyPrefix {
    pub bytes: Bytes,
    /// `true` if the body has no bytes after these.
    pub is_whole: bool,
}

/// Finds the API method of a request whose first body bytes have arrived: the method that the body names, or the method
/// at the request path if the body names no method. Fails if the prefix cannot be parsed or names a service or method
/// that does not exist. Fails if the prefix contains no name, and the API has no method at the path. Fails with the
/// limit `dispatch` if a name may follow after the prefix.
pub fn route_by_body(
    plan: &Plan,
    head: &Head,
    pending: &NeedsBody,
    prefix: &BodyPrefix,
) -> Result<MatchedMethod, RoutingError> {
    let route = |fields: &[Field<'_>], is_whole| route_by_fields(plan, head, pending, fields, is_whole);
    let is_form = pending.kind == BodyKind::Form;
    let read = if is_form { check_is_not_json(head, &prefix.bytes) } else { Ok(()) };
    match read.and_then(|()| fields::read_fields(plan, &pending.kind, prefix)) {
        Ok(fields) => route(&fields, prefix.is_whole),
        // The method is known, so the parse error is ignored here: the caller's permission is checked first, and after
        // that the whole body is parsed again, which reports the parse error.
        Err(_) if pending.method.is_some() => route(&[], prefix.is_whole),
        Err(error) => {
            // JSON that is not an object names no method, but can be the value of a parameter.
            let is_not_an_object = matches!(error.kind(), ErrorKind::MalformedRequest(MalformedRequest::JsonKind));
            let matched = if is_not_an_object { route(&[], true).ok() } else { None };
            matched
                .filter(|matched| matches!(plan.methods[matched.method_index].body_use, BodyUse::Whole(_)))
                .ok_or_else(|| RoutingError { context: pending.error_context(), error })
        }
    }
}

/// Finds the API method of a request with these fields in its body. `is_whole` is `true` if the body has no further
/// fields.
fn route_by_fields(
    plan: &Plan,
    head: &Head,
    pending: &NeedsBody,
    fields: &[Field<'_>],
    is_whole: bool,
) -> Result<MatchedMethod, RoutingError> {
    // If the body continues after the prefix, the method is uncertain, because a later field may select another method.
    let require_whole = |context| {
        let error = || ApiError::too_large(limits::SEARCHED_BODY_SIZE.with_value(plan.limits.dispatch), None);
        if is_whole { Ok(()) } else { Err(RoutingError { context, error: error() }) }
    };
    let with_positions = |named: NamedMethod| {
        let (matched, complete) = named.with_named_positions(plan, head, fields);
        if !complete {
            require_whole(ErrorContext::Method(named.method))?;
        }
        Ok(matched)
    };
    if let Some(method) = pending.method {
        return with_positions(NamedMethod { method, naming: ServiceNaming::Service });
    }
    let path = path::path_of_request(plan, head).ok_or_else(ApiError::unknown_service)?;
    let (segments, service) = path::find_service(plan, &head.uri, path)?;
    let named = plan.named_services.as_ref().filter(|_| segments.is_empty());
    if let Some(named) = named
        && head.method == http::Method::POST
        && let Some(given) = select_by_name::service_name(fields.iter().cloned())
    {
        let service = select_by_name::find_by_service_name(named, &given)?;
        let method = select_method(plan, head, service, 0)?;
        return with_positions(NamedMethod { method, naming: ServiceNaming::Service });
    }
    if let Some(modules) = &plan.services_by_module
        && let Some(service) = select_by_name::find_by_module_and_method(modules, fields)?
    {
        let method = select_method(plan, head, service, segments.len())?;
        let named = NamedMethod { method, naming: ServiceNaming::Module };
        return if segments.is_empty() {
            with_positions(named)
        } else {
            Ok(named.with_path_positions(plan, head, &segments))
        };
    }
    if segments.is_empty() {
        require_whole(pending.error_context())?;
    }
    if let Some(service) = named.and_then(|named| named.default_service) {
        let method = select_method(plan, head, service, 0).map_err(|unrouted| allow_methods_in_body(plan, unrouted))?;
        return with_positions(NamedMethod { method, naming: ServiceNaming::Service });
    }
    method_by_path(plan, head, segments, service)
}

/// Returns the kind of the request body if the body may name an API method; `None` otherwise. The body may name a
/// method in the style of api 3.0 with any HTTP method. It may name a method in the style of PhalApi only in a POST
/// request, because PHP reads the fields of other bodies only on demand.
pub(super) fn body_kind_with_names(plan: &Plan, head: &Head) -> Option<BodyKind> {
    let may_name = plan.services_by_module.is_some() || head.method == http::Method::POST;
    if may_name { body_kind_with_fields(plan, head) } else { None }
}

/// Returns the kind of the request body if the body consists of named fields; `None` if the request has no body or a
/// body of an unsupported media type.
pub(super) fn body_kind_with_fields(plan: &Plan, head: &Head) -> Option<BodyKind> {
    match announced_body_kind(head, plan.max_multipart_limits) {
        BodyKind::Nothing | BodyKind::Unsupported { .. } => None,
        kind => Some(kind),
    }
}
