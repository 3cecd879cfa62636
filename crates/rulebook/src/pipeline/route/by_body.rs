//! Routing of requests whose body contains the name of the method.

use bytes::Bytes;
use rulebook_model::limits;

use super::by_name::{self, NamedMethod};
use super::{RoutingError, fields, method_by_path, path, select_method};
use crate::call::{ApiError, Head};
use crate::pipeline::body::{BodyKind, announced_kind};
use crate::pipeline::respond::ErrorContext;
use crate::plan::{MatchedMethod, Naming, Plan, PlannedMethod};

/// A request whose method or positional parameters are in its body.
#[derive(Debug)]
pub struct NeedsBody {
    /// The kind of the body, which determines how it is parsed.
    pub kind: BodyKind,
    /// The method, if it is known and only its positional parameters are in the body.
    pub method: Option<usize>,
    /// The module of the service that handles the request if the body does not name a service.
    pub module: Option<usize>,
}

impl NeedsBody {
    /// Returns the context of an error that occurs before the body has been read.
    #[must_use]
    pub fn context(&self) -> ErrorContext {
        match (self.method, self.module) {
            (Some(method), _) => ErrorContext::Method(method),
            (None, Some(module)) => ErrorContext::Module(module),
            (None, None) => ErrorContext::Nothing,
        }
    }

    /// Returns the method if permission to call it can be checked before the body is read: the method is known, and its
    /// scope does not depend on a positional parameter.
    #[must_use]
    pub fn method_to_authorize(&self, plan: &Plan) -> Option<MatchedMethod<'static>> {
        let method = self.method?;
        let PlannedMethod { permit, segments, .. } = &plan.methods[method];
        let depends_on_body = segments.iter().any(|(_, slot)| permit.uses_slot(*slot));
        (!depends_on_body).then(|| MatchedMethod { method, segments: Vec::new(), by_name: None })
    }
}

/// The first bytes of a body, at most `limits.dispatch` of them.
#[derive(Debug, Clone)]
pub struct BodyPrefix {
    /// The bytes.
    pub bytes: Bytes,
    /// `true` if they are the whole body.
    pub whole: bool,
}

/// Finds the method of a request by the first bytes of its body: the method that the body names, or else the method at
/// the path.
///
/// # Errors
/// Fails if the prefix cannot be parsed, names a service or method that does not exist, or contains no name while no
/// method has the path. Fails with the limit `dispatch` if a name may follow after the prefix.
pub fn route_by_body<'h>(
    plan: &Plan,
    head: &'h Head,
    pending: &NeedsBody,
    prefix: &BodyPrefix,
) -> Result<MatchedMethod<'h>, RoutingError> {
    let fields = match fields::read_fields(plan, &pending.kind, prefix) {
        // The method is known. Its permission is checked next; after that, the body is parsed again and its error
        // reported.
        Err(_) if pending.method.is_some() => Vec::new(),
        read => read.map_err(|error| RoutingError { context: pending.context(), error })?,
    };
    // The routing is uncertain if the body continues after the prefix, because a field that selects the method may
    // follow.
    let require_whole = |context| {
        let error = || ApiError::too_large(limits::DISPATCH.at(plan.limits.dispatch), None);
        if prefix.whole { Ok(()) } else { Err(RoutingError { context, error: error() }) }
    };
    let with_positions = |named: NamedMethod| {
        let (matched, complete) = named.with_named_positions(plan, head, &fields);
        if !complete {
            require_whole(ErrorContext::Method(named.method))?;
        }
        Ok(matched)
    };
    if let Some(method) = pending.method {
        return with_positions(NamedMethod { method, naming: Naming::Service });
    }
    let path = path::path_below_base(&plan.base, head.uri.path()).ok_or_else(ApiError::unknown_service)?;
    let (segments, service) = path::find(plan, path)?;
    let named = plan.named.as_ref().filter(|_| segments.is_empty());
    if let Some(named) = named
        && let Some(given) = by_name::service_name(fields.iter().cloned())
    {
        let service = by_name::find(named, &given)?;
        let method = select_method(plan, head, service, 0)?;
        return with_positions(NamedMethod { method, naming: Naming::Service });
    }
    if let Some(modules) = &plan.dispatch
        && let Some(service) = by_name::find_by_module(modules, &fields)?
    {
        let method = select_method(plan, head, service, segments.len())?;
        let named = NamedMethod { method, naming: Naming::Module };
        return if segments.is_empty() { with_positions(named) } else { Ok(named.with_path_positions(plan, segments)) };
    }
    if segments.is_empty() {
        require_whole(pending.context())?;
    }
    if let Some(service) = named.and_then(|named| named.default) {
        let method = select_method(plan, head, service, 0)?;
        return with_positions(NamedMethod { method, naming: Naming::Service });
    }
    method_by_path(plan, head, segments, service)
}

/// Returns the kind of a body that may name a method; `None` if the request has no such body. Only POST requests have
/// one.
pub(super) fn body_with_names(plan: &Plan, head: &Head) -> Option<BodyKind> {
    if head.method == http::Method::POST { body_with_fields(plan, head) } else { None }
}

/// Returns the kind of the body if it consists of fields; otherwise `None`.
pub(super) fn body_with_fields(plan: &Plan, head: &Head) -> Option<BodyKind> {
    match announced_kind(head, plan.max_multipart_limits) {
        BodyKind::Nothing | BodyKind::Unsupported(_) => None,
        kind => Some(kind),
    }
}
