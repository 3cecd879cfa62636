//! The stages `read`, `check` and `act` in one step, for handlers that read their arguments directly from a JSON body.

use std::sync::Arc;

use rulebook_model::model::UnknownParameters;

use super::MethodRunner;
use super::act::{RunningHandler, with_hooks};
use super::authorize::GrantedCall;
use super::body::Body;
use super::check::check_outside_of_body;
use super::panic::catch_panic;
use super::read::read_parameters;
use crate::call::{Head, JsonLimits};
use crate::handler::{BodyArguments, CallOrigin, Context, EngineHandle};
use crate::plan::{Action, BodyUse, MatchedMethod};

/// Starts the handler of an API method with arguments that it reads directly from the JSON body, and checks while it
/// reads them. Returns `None` if this is not possible, for example because an argument is invalid: the arguments are
/// then read and checked by the stages `read` and `check`, which find the errors for the response.
///
/// This has the same result as the three stages. It is faster, because the values of the body are not stored between
/// the stages.
pub fn start_with_body<'r>(
    runner: &'r Arc<MethodRunner>,
    granted: &GrantedCall<'_>,
    matched: &MatchedMethod,
    head: &Arc<Head>,
    body: &Body,
) -> Option<RunningHandler<'r>> {
    let (plan, method) = (&*runner.plan, granted.method());
    let (Action::Handler { handler, nullable, reads_json: true }, Body::Json(bytes)) = (&method.action, body) else {
        return None;
    };
    // A warning would be logged twice if this fails.
    if method.body_use != BodyUse::Fields
        || matched.by_name.is_some()
        || plan.unknown_parameters == UnknownParameters::Warn
    {
        return None;
    }
    let values = read_parameters(plan, head, matched, &Body::Empty).ok()?;
    let arguments = BodyArguments {
        method,
        outside: check_outside_of_body(plan, method, values)?,
        text: std::str::from_utf8(bytes).ok()?,
        limits: JsonLimits::new(plan.limits.nesting, plan.limits.items),
        max_members: plan.limits.fields,
        ignores_unknown: plan.unknown_parameters == UnknownParameters::Ignore,
    };
    let caller = Arc::clone(runner) as Arc<dyn EngineHandle>;
    let origin = CallOrigin::Request { head: Arc::clone(head), body: None };
    let context = Context::new(granted.method_index(), granted.identity().cloned(), origin, caller);
    let handler_context = context.clone();
    let starting = || handler.start_with_body(arguments, nullable, context);
    let running = catch_panic("the argument type", starting).ok()??;
    Some(with_hooks(runner, granted, running, handler_context))
}
