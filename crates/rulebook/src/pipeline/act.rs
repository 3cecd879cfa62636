//! Stage `act`: runs the before hook, the handler and the after hook of an API method.
//!
//! A handler that has started is never cancelled. If the client disconnects before the handler has finished, the
//! handler continues to run as a separate task.
//!
//! The outputs of a handler are compared with the definition: those of functions in debug builds, and in programs that
//! call [`Rulebook::verify_outputs`](crate::Rulebook::verify_outputs); those of handlers of a definition as their
//! [`OutputsCheck`](crate::handler_kind::OutputsCheck) demands. A panic in the code of the program becomes an internal
//! error, which is logged once, with the id of the request.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as TaskContext, Poll, ready};

use futures_util::future::BoxFuture;
use rulebook_model::envelope::{Envelope, OutputsLocation};
use rulebook_model::error::ErrorCode;
use rulebook_model::model::DeclaredError;
use serde_json::Value as Json;

use super::MethodRunner;
use super::authorize::GrantedCall;
use super::respond::{template_arguments, undeclared_error, with_response_fields};
use crate::call::{
    ApiError, ArgumentSlot, ArgumentSlots, Download, Encode, ErrorKind, Outcome, ReturnedValue, Success, TypeMismatch,
    Value, is_secret_name,
};
use crate::client_shares::ClientShares;
use crate::handler::{CallEnd, CallOrigin, Context, EngineHandle, HandlerFuture, OutputsCheck};
use crate::plan::{Action, PlannedMethod, PlannedOutput};

/// The future of the handler does not borrow from the request, which it can outlive. Fails if the program has no
/// handler for the method, or if the arguments cannot be deserialized.
pub(crate) fn start_handler(
    runner: &Arc<MethodRunner>,
    granted: &GrantedCall<'_>,
    arguments: Vec<ArgumentSlot<'_>>,
    origin: CallOrigin,
) -> Result<StartedHandler, ApiError> {
    let (method, index) = (granted.method(), granted.method_index());
    match &method.action {
        Action::Handler { .. } | Action::Defined { .. } => {}
        Action::Echo => {
            let running = Box::pin(std::future::ready(echo_arguments(method, arguments)));
            return Ok(StartedHandler { method: index, context: None, template_arguments: Vec::new(), running });
        }
        Action::NotImplemented => {
            return Err(ApiError::new(ErrorKind::NotImplemented { id: method.id.to_string() }));
        }
        Action::Unavailable => return Err(ApiError::plain(ErrorCode::Unavailable)),
    }
    let caller = Arc::clone(runner) as Arc<dyn EngineHandle>;
    let context = Context::new(index, granted.identity().cloned(), origin, caller);
    let template_arguments = match &method.response_fields {
        Some(fields) => template_arguments(fields, &arguments),
        None => Vec::new(),
    };
    let slots = ArgumentSlots { names: &method.parameter_names, values: arguments };
    let handler_context = context.clone();
    // The argument type's implementation of `Deserialize` is code of the program and may panic.
    let running = catch_panic("the argument type", || method.action.start(slots, context))??;
    let module = method.module_index;
    let running = if runner.plan.modules[module].hooks.is_empty() {
        running
    } else {
        Box::pin(run_with_hooks(Arc::clone(runner), module, running, handler_context.clone()))
    };
    Ok(StartedHandler { method: index, context: Some(handler_context), template_arguments, running })
}

/// The hooks are borrowed from the worker's runner: if an `Arc` were cloned, all workers would write to one count.
async fn run_with_hooks(
    runner: Arc<MethodRunner>,
    module: usize,
    running: HandlerFuture,
    context: Context,
) -> Result<ReturnedValue, ApiError> {
    let hooks = &runner.plan.modules[module].hooks;
    let call = async {
        if let Some(before) = &hooks.before {
            before(context.clone()).await?;
        }
        running.await
    };
    let result = catch_panic_async("the handler or its before hook", pin!(call)).await;
    let call_end = match &result {
        Ok(Ok(_)) => CallEnd::Succeeded,
        Ok(Err(error)) => CallEnd::Failed(error.code()),
        Err(_) => CallEnd::Panicked,
    };
    let after = match &hooks.after {
        Some(after) => {
            let after = async { after(context.clone(), call_end).await };
            catch_panic_async("the after hook", pin!(after)).await
        }
        None => Ok(()),
    };
    catch_panic("dropping the value of the before hook", || context.drop_before_hook_value())?;
    after?;
    result?
}

/// Returns the arguments as the single output `args`, or as a JSON file if the method returns a file.
fn echo_arguments(method: &PlannedMethod, arguments: Vec<ArgumentSlot<'_>>) -> Result<ReturnedValue, ApiError> {
    let arguments = method.parameter_names.iter().zip(arguments).map(|(name, slot)| {
        let value = match slot {
            ArgumentSlot::Absent | ArgumentSlot::Null => Value::Null,
            ArgumentSlot::Value(value) => value.into_owned(),
        };
        (String::from(&**name).into(), value)
    });
    let outputs = Value::Map(vec![("args".into(), Value::Map(arguments.collect()))]);
    if !method.returns_file {
        return Ok(ReturnedValue::Outputs(Box::new(outputs)));
    }
    let text = serde_json::to_vec(&outputs).map_err(ApiError::internal)?;
    Ok(ReturnedValue::Download(Box::new(Download::bytes(text).name("args.json"))))
}

/// Handlers that are still running after their clients have disconnected.
#[derive(Debug)]
pub struct DetachedHandlers {
    /// Each of the handlers has a clone, so that the clones count the handlers.
    counted: Arc<()>,
    shares: Arc<ClientShares>,
}

impl Default for DetachedHandlers {
    fn default() -> Self {
        Self::new(ClientShares::new(usize::MAX, None))
    }
}

impl DetachedHandlers {
    /// If `shares` is used up, no further handlers should be started.
    pub fn new(shares: ClientShares) -> Self {
        Self { counted: Arc::default(), shares: Arc::new(shares) }
    }

    pub fn count(&self) -> usize {
        Arc::strong_count(&self.counted) - 1
    }

    /// Returns `true` if no further handler may be started, in total or for this client.
    pub fn is_used_up(&self, client: Option<IpAddr>) -> bool {
        self.shares.is_used_up(client)
    }
}

/// A handler that has not been polled. If this value is dropped, the handler does not run.
pub struct StartedHandler {
    pub(super) method: usize,
    /// `None` if the arguments are returned without a handler.
    context: Option<Context>,
    /// Those that header fields of the response contain, each with its slot.
    template_arguments: Vec<(usize, Json)>,
    running: HandlerFuture,
}

impl StartedHandler {
    /// Runs the handler to its end, even if the returned future is dropped before.
    pub(crate) async fn run(self, runner: &Arc<MethodRunner>) -> Outcome {
        let client = self.context.as_ref().and_then(Context::client_address);
        let method = &runner.plan.methods[self.method];
        let mut handler = DetachableFuture::new(runner, client, self.running);
        handler.call = self.context.map(|context| (self.method, context));
        let result = (&mut handler).await;
        let verified = result.and_then(|returned| verified(runner, method, returned));
        let overrides = handler.call.take().map(|(_, context)| context.into_response_overrides()).unwrap_or_default();
        match verified {
            Ok(returned) => {
                let status = overrides.status.unwrap_or(method.success_status);
                let (returned, has_whole_output) = returned;
                let success = Success { returned, status, has_whole_output, headers: overrides.headers };
                match &method.response_fields {
                    None => Ok(success),
                    Some(fields) => {
                        let arguments = &self.template_arguments;
                        with_response_fields(method, fields, arguments, overrides.status, success)
                    }
                }
            }
            Err(error) => {
                let error =
                    with_declaration(&method.declared_errors, &method.id, error, |name| undeclared_error(method, name));
                // The handler may have failed before it had set all of its header fields.
                let is_internal = matches!(error.kind(), ErrorKind::Internal { .. });
                Err(if is_internal { error } else { error.with_headers(overrides.headers) })
            }
        }
    }
}

/// A future that continues as a separate task if it is dropped before its end.
pub(super) struct DetachableFuture<'r, T: 'static> {
    runner: &'r Arc<MethodRunner>,
    client: Option<IpAddr>,
    /// `None` for another part of a call than the handler of a method.
    call: Option<(usize, Context)>,
    running: Option<BoxFuture<'static, Result<T, ApiError>>>,
}

impl<'r, T> DetachableFuture<'r, T> {
    pub(super) fn new(
        runner: &'r Arc<MethodRunner>,
        client: Option<IpAddr>,
        running: BoxFuture<'static, Result<T, ApiError>>,
    ) -> Self {
        Self { runner, client, call: None, running: Some(running) }
    }
}

impl<T> Future for DetachableFuture<'_, T> {
    type Output = Result<T, ApiError>;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let Some(running) = &mut self.running else { return Poll::Pending };
        let result = match catch_panic("the handler", || running.as_mut().poll(task)) {
            Ok(poll) => ready!(poll),
            Err(error) => Err(error),
        };
        self.running = None;
        Poll::Ready(result)
    }
}

impl<T> Drop for DetachableFuture<'_, T> {
    fn drop(&mut self) {
        let Some(running) = self.running.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (runner, call) = (Arc::clone(self.runner), self.call.take());
        let counted = Arc::clone(&runner.detached.counted);
        // If there are more of them than the client should have, because they were started at the same time, there is
        // no share.
        let share = runner.detached.shares.take(self.client, 1).ok();
        runtime.spawn(async move {
            let result = catch_panic_async("the handler", pin!(running)).await.and_then(|result| result);
            if let Some(reason) = result.err().as_ref().and_then(ApiError::log) {
                log_detached_error(&runner, call.as_ref(), reason);
            }
            drop((counted, share));
        });
    }
}

fn log_detached_error(runner: &MethodRunner, call: Option<&(usize, Context)>, reason: &str) {
    let Some((method, context)) = call else {
        log::warn!("idempotency keys: the client has gone; {reason}");
        return;
    };
    let id = context.request_id().map_or_else(|| "-".to_owned(), ToString::to_string);
    let method = &*runner.plan.methods[*method].id;
    log::error!(id = method, request_id:% = id; "{method}: {id}: the client has gone; {reason}");
}

/// The outputs of functions are verified as the setting says, and those of handlers in the definition as each kind of
/// handler requires. The flag is `true` if the outputs are the value of the whole body. Outputs that are only described
/// are, too, if they are not an object.
fn verified(
    runner: &MethodRunner,
    method: &PlannedMethod,
    returned: ReturnedValue,
) -> Result<(ReturnedValue, bool), ApiError> {
    let is_whole = method.has_whole_output;
    match (returned, method.action.outputs_check()) {
        (ReturnedValue::Outputs(outputs), OutputsCheck::Enforced) => {
            Ok((ReturnedValue::Outputs(Box::new(declared_outputs(method, &*outputs)?)), is_whole))
        }
        (ReturnedValue::Outputs(outputs), OutputsCheck::Described) => {
            let envelope = &*runner.plan.modules[method.module_index].envelope;
            let outputs = described_outputs(method, envelope, &*outputs)?;
            let is_whole = is_whole || !outputs.is_object();
            Ok((ReturnedValue::Outputs(Box::new(outputs)), is_whole))
        }
        (ReturnedValue::Response(response), _) => {
            response.outputs.iter().for_each(|outputs| count_difference(method, outputs));
            Ok((ReturnedValue::Response(response), is_whole))
        }
        (ReturnedValue::Outputs(outputs), OutputsCheck::Known) => {
            if runner.plan.verify_outputs && matches!(method.action, Action::Handler { .. }) {
                verify_json(method, &outputs.to_json().map_err(ApiError::internal)?)?;
            }
            Ok((ReturnedValue::Outputs(outputs), is_whole))
        }
        (download @ ReturnedValue::Download(_), _) => Ok((download, is_whole)),
    }
}

/// For a declared error, adds what `declared` contains. An undeclared one becomes the error that `undeclared` returns,
/// or an internal error. `origin` names its source in the log.
pub(super) fn with_declaration(
    declared: &[DeclaredError],
    origin: &str,
    error: ApiError,
    undeclared: impl FnOnce(&str) -> Option<ApiError>,
) -> ApiError {
    let ErrorKind::Declared { name, .. } = error.kind() else { return error };
    match declared.iter().find(|declared| *declared.name == **name) {
        Some(declared) => error.with_declaration(declared),
        None => undeclared(name)
            .unwrap_or_else(|| ApiError::internal(format_args!("{origin}: no error {name:?} is declared"))),
    }
}

/// The maximum number of empty lists in an output that are taken for objects.
const MAX_EMPTY_LISTS: usize = 16;

/// Returns only the declared outputs: another program could return members that clients must not see, or those of the
/// envelope. Fails like [`verify_outputs`], and if the outputs are not an object.
fn declared_outputs(method: &PlannedMethod, outputs: &dyn Encode) -> Result<Json, ApiError> {
    let mut json = outputs.to_json().map_err(ApiError::internal)?;
    match &mut json {
        _ if method.has_whole_output => {}
        Json::Object(members) => {
            members.retain(|name, _| method.outputs.iter().any(|output| *output.name == **name));
        }
        Json::Null => json = Json::Object(serde_json::Map::new()),
        // Without outputs, it does not matter what the handler returns.
        _ if method.outputs.is_empty() => json = Json::Object(serde_json::Map::new()),
        _ => {}
    }
    verify_json(method, &json)?;
    Ok(json)
}

/// Returns the outputs unchanged, apart from null, which stands for none, and members that the envelope itself writes.
fn described_outputs(method: &PlannedMethod, envelope: &dyn Envelope, outputs: &dyn Encode) -> Result<Json, ApiError> {
    let mut json = match outputs.to_json().map_err(ApiError::internal)? {
        Json::Null if !method.has_whole_output => Json::Object(serde_json::Map::new()),
        json => json,
    };
    count_difference(method, &json);
    if let (Json::Object(members), OutputsLocation::Members { except, .. }) = (&mut json, envelope.decoding().outputs)
        && !method.has_whole_output
    {
        members.retain(|name, _| !except.contains(&name.as_str()));
    }
    Ok(json)
}

/// Logs the first difference of each API method. Outputs that the definition does not declare are no difference.
fn count_difference(method: &PlannedMethod, json: &Json) {
    let Some(difference) = find_difference(method, json, true) else { return };
    if method.output_differences.fetch_add(1, Ordering::Relaxed) == 0 {
        let id = &*method.id;
        log::warn!(id; "{difference}; the response is sent as it is, and further ones of this method are only counted");
    }
}

fn verify_json(method: &PlannedMethod, json: &Json) -> Result<(), ApiError> {
    find_difference(method, json, false).map_or(Ok(()), |difference| Err(ApiError::internal(difference)))
}

/// The first output that is missing or wrong. If `is_lenient`, an empty list may stand for an object, as PHP writes it.
fn find_difference(method: &PlannedMethod, json: &Json, is_lenient: bool) -> Option<String> {
    let has_members = match json {
        Json::Object(_) | Json::Null => true,
        Json::Array(items) => is_lenient && items.is_empty(),
        _ => false,
    };
    if !has_members && !method.has_whole_output && !method.outputs.is_empty() {
        return Some(format!("{}: the outputs are not an object", method.id));
    }
    let describe = |path: &str, output: &PlannedOutput, problem: &str| {
        Some(format!("{}: the output `{}{path}`{problem}", method.id, output.name))
    };
    for output in &method.outputs {
        let value = if method.has_whole_output { Some(json) } else { json.get(&*output.name) };
        match value {
            None | Some(Json::Null) if output.is_optional => {}
            None => return describe("", output, " is missing"),
            Some(value) => {
                let mismatch = match output.check.checked(Value::from(value)) {
                    Err(mismatch) if is_lenient => mismatch_without_empty_lists(output, value, mismatch),
                    checked => checked.err(),
                };
                if let Some(mismatch) = mismatch {
                    let path = &mismatch.path;
                    let secret = is_secret_name(&output.name) || is_secret_name(path);
                    let got = if secret { "a secret" } else { &mismatch.got };
                    return describe(path, output, &format!(": expected {}, got {got}", mismatch.expected));
                }
            }
        }
    }
    None
}

/// The first mismatch that remains if empty lists are objects. Each turn replaces one of them.
#[cold]
fn mismatch_without_empty_lists(
    output: &PlannedOutput,
    value: &Json,
    mut mismatch: TypeMismatch,
) -> Option<TypeMismatch> {
    let mut value = value.clone();
    for _ in 0..MAX_EMPTY_LISTS {
        match find_at_path(&mut value, &mismatch.path) {
            Some(list) if list.as_array().is_some_and(Vec::is_empty) => *list = Json::Object(serde_json::Map::new()),
            _ => break,
        }
        mismatch = output.check.checked(Value::from(&value)).err()?;
    }
    Some(mismatch)
}

/// A path such as `[2].name`.
fn find_at_path<'j>(mut json: &'j mut Json, mut path: &str) -> Option<&'j mut Json> {
    while !path.is_empty() {
        let next = path.char_indices().skip(1).find(|(_, char)| matches!(char, '.' | '['));
        let (step, rest) = path.split_at(next.map_or(path.len(), |(at, _)| at));
        json = match step.strip_prefix('[') {
            Some(index) => json.get_mut(index.trim_end_matches(']').parse::<usize>().ok()?)?,
            None => json.get_mut(step.strip_prefix('.')?)?,
        };
        path = rest;
    }
    Some(json)
}

thread_local! {
    /// Calls of [`catch_panic`] on the stack of this thread.
    static ACTIVE_CATCHERS: Cell<u32> = const { Cell::new(0) };
    /// [`catch_panic`] removes and logs it.
    static LAST_PANIC_LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// `what` is the name of the called code in the log, such as "the handler". The internal error has the message of the
/// panic.
pub fn catch_panic<T>(what: &str, run: impl FnOnce() -> T) -> Result<T, ApiError> {
    ACTIVE_CATCHERS.set(ACTIVE_CATCHERS.get() + 1);
    let ran = catch_unwind(AssertUnwindSafe(run));
    ACTIVE_CATCHERS.set(ACTIVE_CATCHERS.get() - 1);
    let location = LAST_PANIC_LOCATION.try_with(RefCell::take).ok().flatten();
    match (ran, location) {
        (Ok(value), None) => Ok(value),
        (Ok(value), Some(location)) => {
            log::error!("{what} caught a panic itself{location}");
            Ok(value)
        }
        (Err(panic), location) => {
            let location = location.unwrap_or_default();
            Err(ApiError::internal(format_args!("{what} panicked{location}: {}", panic_message(&*panic))))
        }
    }
}

/// Does the same as [`catch_panic`] for a future. The caller pins the future: moving it into this one would double the
/// memory.
pub async fn catch_panic_async<F: Future>(what: &str, mut future: Pin<&mut F>) -> Result<F::Output, ApiError> {
    let polled = std::future::poll_fn(|task| match catch_panic(what, || future.as_mut().poll(task)) {
        Ok(poll) => poll.map(Ok),
        Err(error) => Poll::Ready(Err(error)),
    });
    polled.await
}

/// Makes this process write its panics to the log instead of printing them to standard error.
///
/// A panic in a handler, hook, type, authenticator or envelope is logged with its source location, in the log line that
/// also contains the ids of the request and the method. Any other panic is logged in a separate line.
pub fn log_panics() {
    std::panic::set_hook(Box::new(log_panic));
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let mut location = panic.location().map_or_else(String::new, |location| format!(" at {location}"));
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        // Writing to a `String` never fails.
        let _ = write!(location, "\n{trace}");
    }
    let is_caught = ACTIVE_CATCHERS.get() > 0;
    if !is_caught || LAST_PANIC_LOCATION.try_with(|last| last.replace(Some(location.clone()))).is_err() {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("unnamed");
        log::error!("the thread {name} panicked{location}: {}", panic_message(panic.payload()));
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
