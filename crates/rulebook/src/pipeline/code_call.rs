//! Handles calls from code and from the command line. Such a call skips the stages `route` and `identify`, begins at
//! the stage `authorize`, and ends with the outcome of the API method, without an HTTP reply.

use std::pin::pin;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use rulebook_model::suggest::closest_word;
use thiserror::Error;

use super::act::catch_panic_async;
use super::authorize::authorize_code_call;
use super::read::{self, RawValue, RawValues, find_slot_of_field, read_parameters};
use super::route::{OptionsTarget, Route, RoutingError, check_head_limits, route_to_api, similar_service_uris};
use super::{Body, ErrorContext, MethodRunner, check_parameters, start_handler};
use crate::call::{AllowedMethods, ApiError, ErrorKind, Head, Outcome, Value, split_array_name};
use crate::handler::{Call, CallArgument, CallOrigin, EngineHandle, ProgramState, Response};
use crate::plan::{Action, MatchedMethod, Plan, PlannedMethod, Segments};

/// How many handlers may wait for each other with [`Context::call`](crate::Context::call).
const MAX_CALL_DEPTH: u32 = 16;

impl EngineHandle for MethodRunner {
    fn state(&self) -> &ProgramState {
        &self.plan.state
    }

    fn method_id(&self, method_index: usize) -> &str {
        &self.plan.methods[method_index].id
    }

    fn call(self: Arc<Self>, call: Call) -> BoxFuture<'static, Response> {
        Box::pin(async move {
            let (call, target) = match find_call_target(&self.plan, call) {
                Ok(call_and_target) => call_and_target,
                Err(RoutingError { context, error }) => {
                    return Response::new(Err(error), Arc::clone(context.envelope(&self.plan)));
                }
            };
            let envelope = Arc::clone(ErrorContext::Method(target.matched.method_index).envelope(&self.plan));
            let response_envelope = Arc::clone(&envelope);
            let responding = async { Response::new(run_call_stages(&self, call, target).await, response_envelope) };
            // Types, checks and formats may be code of the program, and may panic. For requests, the server catches
            // these panics; for calls from code, this function catches them.
            catch_panic_async("a stage", pin!(responding))
                .await
                .unwrap_or_else(|panic| Response::new(Err(panic), envelope))
        })
    }
}

async fn run_call_stages(runner: &Arc<MethodRunner>, call: Call, target: CallTarget) -> Outcome {
    let plan = &*runner.plan;
    let running = {
        let values = raw_values(plan, &call, &target)?;
        let granted = authorize_code_call(plan, target.matched.method_index, &values.raw, call.identity.as_ref())?;
        let arguments = check_parameters(plan, granted.method(), values)?;
        let (request_id, trace) = (call.request_id.clone(), call.trace.clone());
        let origin = CallOrigin::Call { request_id, trace, nesting_depth: call.nesting_depth };
        start_handler(runner, &granted, arguments, origin)?
    };
    running.run(runner).await
}

/// An unknown argument is an internal error, because the calling code is wrong.
fn raw_values<'c>(plan: &Plan, call: &'c Call, target: &'c CallTarget) -> Result<RawValues<'c>, ApiError> {
    let method = &plan.methods[target.matched.method_index];
    let uses_last_value = plan.modules[method.module_index].uses_last_value;
    if let Some(unknown) = find_unknown_query_field(method, &target.head) {
        return Err(ApiError::internal(unknown));
    }
    let mut values = read_parameters(plan, &target.head, &target.matched, &Body::Empty)?;
    for (name, argument) in &call.arguments {
        let slot = find_argument_slot(method, name).map_err(ApiError::internal)?;
        let (raw, arity) = (&mut values.raw[slot], method.parameters[slot].arity);
        match argument {
            CallArgument::Text(text) => raw.add(Value::from(text.as_str()), arity, uses_last_value),
            CallArgument::File(file) => raw.add(Value::File(file.clone()), arity, uses_last_value),
            CallArgument::Json(json) if uses_last_value || matches!(raw, RawValue::Absent) => {
                *raw = RawValue::Json(Value::from(json));
            }
            CallArgument::Json(_) => *raw = RawValue::Repeated,
        }
    }
    Ok(values)
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the method `{method}` has no parameter {name:?}{}", self.help())]
pub struct UnknownArgument {
    method: Box<str>,
    name: Box<str>,
    /// The possible names: in code, or in the query.
    known: Vec<Box<str>>,
}

impl UnknownArgument {
    fn new<'n>(method: &PlannedMethod, name: &str, known: impl Iterator<Item = &'n Box<str>>) -> Self {
        Self { method: method.id.clone(), name: name.into(), known: known.cloned().collect() }
    }

    fn help(&self) -> String {
        let name = split_array_name(&self.name).map_or(&*self.name, |(parameter, _)| parameter);
        match closest_word(name, self.known.iter().map(|known| &**known)) {
            Some(similar) => format!("; did you mean `{similar}`?"),
            None if self.known.is_empty() => "; it has no parameters".to_owned(),
            None => format!("; its parameters are {}", self.known.join(", ")),
        }
    }
}

/// `None` if the call calls no API method. `names` are the arguments besides those in the query of `target`.
pub fn find_unknown_argument<'n>(
    plan: &Plan,
    target: &str,
    mut names: impl Iterator<Item = &'n str>,
) -> Option<UnknownArgument> {
    let (_, target) = find_call_target(plan, Call { target: target.to_owned(), ..Call::default() }).ok()?;
    let method = &plan.methods[target.matched.method_index];
    let in_query = find_unknown_query_field(method, &target.head);
    in_query.or_else(|| names.find_map(|name| find_argument_slot(method, name).err()))
}

/// Returns an argument that is neither a parameter nor an item of one.
fn find_unknown_query_field(method: &PlannedMethod, head: &Head) -> Option<UnknownArgument> {
    let slots = &method.query_slots;
    read::split_fields(head.query().as_bytes()).find_map(|(key, _)| {
        let name = read::decode_text(key);
        if name.as_deref().and_then(|name| find_slot_of_field(method, slots, name)).is_some() {
            return None;
        }
        let known = slots.iter().map(|slot| &method.parameters[*slot].key);
        Some(UnknownArgument::new(method, &String::from_utf8_lossy(key), known))
    })
}

fn find_argument_slot(method: &PlannedMethod, name: &str) -> Result<usize, UnknownArgument> {
    let slot = method.parameter_names.iter().position(|known| **known == *name);
    slot.ok_or_else(|| UnknownArgument::new(method, name, method.parameter_names.iter()))
}

/// Definitions contain the base path without percent-encoding.
const ENCODED_IN_BASE: &AsciiSet = &ENCODED_IN_PATH.add(b'%').add(b'?').add(b'#');
/// Calling code has to encode other reserved characters, as a client does, but not spaces and characters outside of
/// ASCII.
const ENCODED_IN_PATH: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'|');

/// The characters that are encoded in a segment from the argument `module` or `method`.
const ENCODED_IN_SEGMENT: &AsciiSet = &ENCODED_IN_BASE.add(b'/');

/// The target of a call, with the head of a request whose URI contains arguments.
struct CallTarget {
    matched: MatchedMethod,
    head: Head,
}

/// `module` and `method` are removed from the arguments if they select the API method.
fn find_call_target(plan: &Plan, mut call: Call) -> Result<(Call, CallTarget), RoutingError> {
    if call.nesting_depth > MAX_CALL_DEPTH {
        let why = format!("{}: more than {MAX_CALL_DEPTH} calls within each other", call.target);
        return Err(ApiError::internal(why).into());
    }
    if let Some(index) = plan.method_indices.get(&*call.target) {
        let matched = MatchedMethod { method_index: *index, segments: Segments::none(), by_name: None };
        return Ok((call, CallTarget { matched, head: Head::new(http::Method::GET, http::Uri::default()) }));
    }
    if call.target.is_empty() {
        call.target = take_module_and_method(&mut call.arguments).ok_or_else(unknown_service_error)?;
    }
    let (method, path) = match call.target.split_once(' ').filter(|(_, path)| path.starts_with('/')) {
        Some((method, path)) => (Some(method.parse().map_err(|_| unknown_service_error())?), path),
        None => (None, &*call.target),
    };
    let slash = if path.starts_with('/') { "" } else { "/" };
    let base = utf8_percent_encode(&plan.base_path, ENCODED_IN_BASE);
    let uri = format!("{base}{slash}{}", utf8_percent_encode(path, ENCODED_IN_PATH))
        .parse()
        .map_err(|_| unknown_service_error())?;
    let target = route_call_target(plan, method, uri)?;
    Ok((call, target))
}

/// Without an HTTP method, the URI must have a single API method.
fn route_call_target(plan: &Plan, method: Option<http::Method>, uri: http::Uri) -> Result<CallTarget, RoutingError> {
    let has_method = method.is_some();
    let mut head = Head::new(method.unwrap_or(http::Method::OPTIONS), uri);
    check_head_limits(plan, &head)?;
    let found = if has_method { Ok(()) } else { only_http_method(plan, &head).map(|method| head.method = method) };
    match found.and_then(|()| route_to_api(plan, &head)) {
        Ok(Route::Method(matched)) if matched.by_name.is_none() => Ok(CallTarget { matched, head }),
        // Only HTTP requests can select an API method by a name in the query or the body. Calling code uses the id of
        // the method.
        Ok(_) => Err(unknown_service_error()),
        Err(mut unrouted) => {
            if let ErrorKind::UnknownService { similar } = unrouted.error.kind_mut() {
                *similar = similar_service_uris(plan, &head);
            }
            Err(unrouted)
        }
    }
}

/// Returns the HTTP method of the first API method at the path. Fails if there is no API method at the path, or if they
/// have different handlers.
fn only_http_method(plan: &Plan, head: &Head) -> Result<http::Method, RoutingError> {
    let (context, service, allowed) = match route_to_api(plan, head)? {
        Route::Options(OptionsTarget::Service { service, allowed, .. }) => {
            (ErrorContext::Module(plan.services[service].module_index), Some(service), allowed)
        }
        Route::Options(OptionsTarget::WholeApi { allowed, .. }) => (ErrorContext::Nothing, None, allowed),
        _ => return Err(unknown_service_error()),
    };
    let Some((first, others)) = allowed.0.split_first() else { return Err(unknown_service_error()) };
    if others.is_empty() || service.is_some_and(|service| have_same_handler(plan, service, &allowed)) {
        first.as_str().parse().map_err(|_| unknown_service_error())
    } else {
        Err(RoutingError { context, error: ApiError::new(ErrorKind::UnknownMethod { allowed }) })
    }
}

/// The dialect `rules` (the syntax of PhalApi) creates such API methods for GET and POST.
fn have_same_handler(plan: &Plan, service: usize, allowed: &AllowedMethods) -> bool {
    let methods = plan.services[service].methods.iter().filter(|(http, _)| allowed.0.contains(http));
    let mut methods = methods.map(|(_, method)| &plan.methods[*method]);
    let Some(first) = methods.next() else { return false };
    let sources = |method: &PlannedMethod| method.parameters.iter().map(|slot| slot.source).collect::<Vec<_>>();
    methods.all(|other| {
        let same_action = match (&first.action, &other.action) {
            (Action::Handler { handler: one, .. }, Action::Handler { handler: another, .. }) => {
                Arc::ptr_eq(one, another)
            }
            (Action::Defined { settings: one, .. }, Action::Defined { settings: another, .. }) => one == another,
            (one, another) => std::mem::discriminant(one) == std::mem::discriminant(another),
        };
        same_action && first.parameter_names == other.parameter_names && sources(first) == sources(other)
    })
}

/// `<module>/<method>`; `None` if one of the two arguments is missing.
fn take_module_and_method(arguments: &mut Vec<(String, CallArgument)>) -> Option<String> {
    let mut take = |name| {
        let (_, argument) = arguments.remove(arguments.iter().position(|(argument_name, _)| argument_name == name)?);
        let text = match argument {
            CallArgument::Text(text) | CallArgument::Json(serde_json::Value::String(text)) => text,
            CallArgument::Json(_) | CallArgument::File(_) => return None,
        };
        Some(utf8_percent_encode(&text, ENCODED_IN_SEGMENT).to_string())
    };
    Some(format!("{}/{}", take("module")?, take("method")?))
}

fn unknown_service_error() -> RoutingError {
    ApiError::unknown_service().into()
}
