//! Finds the method of a request whose body contains the name of the method. For this, only the first bytes of the body
//! are received.

use super::observe::Observation;
use super::receive::receive_body_prefix;
use super::request_body::RequestBody;
use super::worker::Worker;
use crate::call::{ApiError, Head};
use crate::metrics::RequestKind;
use crate::pipeline::{BodyPrefix, ErrorContext, NeedsBody, RoutingError, authorize_before_body, route_by_body};
use crate::plan::{MatchedMethod, Plan, Segments};

/// Finds the method of a request by the first bytes of its body. If the required permission does not depend on these
/// bytes, it is checked first, so that no byte of the body is read without permission. Sets the kind of `observed` to
/// the method.
///
/// # Errors
/// Fails if the client may not call the method, if the first bytes do not arrive, or if they do not name a method.
pub(super) async fn find_in_body(
    plan: &Plan,
    head: &Head,
    pending: NeedsBody,
    body: &mut RequestBody,
    worker: &Worker,
    observed: &mut Observation<'_>,
) -> Result<MatchedMethod, RoutingError> {
    let prefix = receive_authorized_prefix(plan, head, &pending, body, worker).await;
    let prefix = prefix.map_err(|error| RoutingError { context: pending.error_context(), error })?;
    match route_by_body(plan, head, &pending, &prefix) {
        Ok(matched) => {
            observed.set_kind(RequestKind::Method(matched.method_index));
            Ok(matched)
        }
        Err(RoutingError { context, error }) => {
            observed.set_kind(context.into());
            let ErrorContext::Method(method) = context else { return Err(RoutingError { context, error }) };
            // A client without the permission gets the error about the permission instead of the error about its
            // request.
            let matched = MatchedMethod { method_index: method, segments: Segments::none(), by_name: None };
            let error = authorize_before_body(plan, head, &matched).await.err().unwrap_or(error);
            Err(RoutingError { context, error })
        }
    }
}

/// Receives the first bytes of a body. If the required permission does not depend on these bytes, it is checked first.
async fn receive_authorized_prefix(
    plan: &Plan,
    head: &Head,
    pending: &NeedsBody,
    body: &mut RequestBody,
    worker: &Worker,
) -> Result<BodyPrefix, ApiError> {
    if let Some(matched) = pending.method_to_authorize(plan) {
        authorize_before_body(plan, head, &matched).await?;
    }
    receive_body_prefix(body, &pending.kind, &plan.limits, worker).await
}
