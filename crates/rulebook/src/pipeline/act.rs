//! Stage `act`: runs the before hook, the handler and the after hook of an API method.
//!
//! A handler that has started is never cancelled. If the client disconnects before the handler has finished, the
//! handler continues to run as a separate task.

use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as TaskContext, Poll};

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::MethodRunner;
use super::authorize::GrantedCall;
use super::panic::{catch_panic, catch_panic_async};
use super::verify_outputs::{declared_outputs, verify_outputs};
use crate::call::{
    ApiError, ArgumentSlot, ArgumentSlots, Download, Encode, ErrorKind, Outcome, ReturnedValue, Success, Value,
};
use crate::client_shares::{ClientShares, Share};
use crate::handler::{CallEnd, CallOrigin, Context, EngineHandle, HandlerFuture};
use crate::plan::{Action, PlannedError, PlannedMethod};

/// Starts the handler of an API method. The future of the handler does not borrow from the request, so that it can
/// outlive the request.
///
/// # Errors
/// Fails if the program has no handler for the method, or the arguments cannot be deserialized to the argument type of
/// the handler.
pub(crate) fn start_handler<'r>(
    runner: &'r Arc<MethodRunner>,
    granted: &GrantedCall<'_>,
    arguments: Vec<ArgumentSlot<'_>>,
    origin: CallOrigin,
) -> Result<RunningHandler<'r>, ApiError> {
    let method = granted.method();
    match &method.action {
        Action::Handler { .. } | Action::Defined { .. } => {}
        Action::Echo => {
            return Ok(RunningHandler::new(runner, granted.method_index(), None, echo_arguments(method, arguments)));
        }
        Action::NotImplemented => {
            return Err(ApiError::new(ErrorKind::NotImplemented { id: method.id.to_string() }));
        }
    }
    let caller = Arc::clone(runner) as Arc<dyn EngineHandle>;
    let context = Context::new(granted.method_index(), granted.identity().cloned(), origin, caller);
    let slots = ArgumentSlots { names: &method.parameter_names, values: arguments };
    let handler_context = context.clone();
    // The argument type's implementation of `Deserialize` is code of the program and may panic.
    let running = catch_panic("the argument type", || match &method.action {
        Action::Handler { handler, nullable } => handler.start(slots, nullable, context),
        Action::Defined { handler, .. } => Ok(handler.start(slots, context)),
        Action::Echo | Action::NotImplemented => Err(ApiError::internal("there is no handler")),
    })??;
    let module = method.module_index;
    let running = if runner.plan.modules[module].hooks.is_empty() {
        running
    } else {
        Box::pin(run_with_hooks(Arc::clone(runner), module, running, handler_context.clone()))
    };
    Ok(RunningHandler::new(runner, granted.method_index(), Some(handler_context), running))
}

/// Runs a handler between the before hook and the after hook of the API module with the index `module`. The hooks are
/// borrowed from the worker's runner: if an `Arc` of the hooks were cloned, all workers would write to one reference
/// count.
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

/// Returns the checked arguments of a call as the single output `args`. If the API method returns a file, the arguments
/// are returned as a JSON file.
fn echo_arguments(method: &PlannedMethod, arguments: Vec<ArgumentSlot<'_>>) -> HandlerFuture {
    struct Echo(Vec<(Box<str>, Value<'static>)>);
    struct NamedValues<'a>(&'a [(Box<str>, Value<'static>)]);
    impl Serialize for Echo {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut outputs = serializer.serialize_map(Some(1))?;
            outputs.serialize_entry("args", &NamedValues(&self.0))?;
            outputs.end()
        }
    }
    impl Serialize for NamedValues<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
        }
    }
    let arguments = method.parameter_names.iter().cloned().zip(arguments.into_iter().map(|slot| match slot {
        ArgumentSlot::Absent | ArgumentSlot::Null => Value::Null,
        ArgumentSlot::Value(value) => value.into_owned(),
    }));
    let echo_arguments = Echo(arguments.collect());
    let returned = if method.returns_file {
        let text = serde_json::to_vec(&echo_arguments).map_err(ApiError::internal);
        text.map(|text| ReturnedValue::Download(Box::new(Download::bytes(text).name("args.json"))))
    } else {
        Ok(ReturnedValue::Outputs(Box::new(echo_arguments)))
    };
    Box::pin(std::future::ready(returned))
}

/// Counts the handlers that are still running after their clients have disconnected.
#[derive(Debug)]
pub struct DetachedHandlers {
    count: AtomicUsize,
    shares: Arc<ClientShares>,
}

impl Default for DetachedHandlers {
    /// Returns counts without limits.
    fn default() -> Self {
        Self::new(ClientShares::new(usize::MAX, None))
    }
}

impl DetachedHandlers {
    /// Creates the counts. If `shares` is used up, no further handlers should be started.
    pub fn new(shares: ClientShares) -> Self {
        Self { count: AtomicUsize::default(), shares: Arc::new(shares) }
    }

    /// Returns the number of handlers that are still running although their clients have disconnected.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Returns `true` if the maximum is reached, in total or for this client.
    pub fn is_used_up(&self, client: Option<IpAddr>) -> bool {
        self.shares.is_used_up(client)
    }
}

/// Counts one handler whose client has disconnected, until this guard is dropped.
pub(super) struct DetachedHandlerGuard {
    detached: Arc<DetachedHandlers>,
    /// `None` if there are more of them than the client should have: they were started at the same time.
    _share: Option<Share>,
}

impl DetachedHandlerGuard {
    pub(super) fn new(detached: &Arc<DetachedHandlers>, client: Option<IpAddr>) -> Self {
        detached.count.fetch_add(1, Ordering::AcqRel);
        Self { detached: Arc::clone(detached), _share: detached.shares.take(client, 1).ok() }
    }
}

impl Drop for DetachedHandlerGuard {
    fn drop(&mut self) {
        self.detached.count.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The future of a running handler. If the future is dropped before the handler has finished, the handler continues to
/// run as a separate task.
pub struct RunningHandler<'r> {
    runner: &'r Arc<MethodRunner>,
    method: usize,
    /// The context that the handler received; `None` if the arguments are returned without a handler, or if the handler
    /// has ended.
    context: Option<Context>,
    running: Option<HandlerFuture>,
}

impl<'r> RunningHandler<'r> {
    fn new(runner: &'r Arc<MethodRunner>, method: usize, context: Option<Context>, running: HandlerFuture) -> Self {
        Self { runner, method, context, running: Some(running) }
    }

    /// Returns the parts of a handler that has not been polled. They do not borrow from the runner.
    pub(super) fn into_parts(mut self) -> HandlerParts {
        HandlerParts { method: self.method, context: self.context.take(), running: self.running.take() }
    }

    /// Returns the future of a handler that consists of these parts.
    pub(super) fn from_parts(runner: &'r Arc<MethodRunner>, parts: HandlerParts) -> Self {
        let HandlerParts { method, context, running } = parts;
        Self { runner, method, context, running }
    }
}

/// The parts of a [`RunningHandler`] that has not been polled. If they are dropped, the handler does not run.
pub(super) struct HandlerParts {
    method: usize,
    context: Option<Context>,
    running: Option<HandlerFuture>,
}

impl HandlerParts {
    /// Returns the index of the API method.
    pub(super) fn method_index(&self) -> usize {
        self.method
    }
}

impl Future for RunningHandler<'_> {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Outcome> {
        let Some(running) = &mut self.running else {
            return Poll::Pending;
        };
        let result = match catch_panic("the handler", || running.as_mut().poll(task)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(result)) => result,
            Err(error) => Err(error),
        };
        self.running = None;
        let method = &self.runner.plan.methods[self.method];
        let verified = result.and_then(|returned| match returned {
            ReturnedValue::Outputs(outputs) => self.verified(method, outputs).map(ReturnedValue::Outputs),
            ReturnedValue::Download(_) | ReturnedValue::Response(_) => Ok(returned),
        });
        let overrides = self.context.take().map(Context::into_response_overrides).unwrap_or_default();
        Poll::Ready(match verified {
            Ok(returned) => {
                let status = overrides.status.unwrap_or(method.success_status);
                Ok(Success { returned, status, has_whole_output: method.has_whole_output, headers: overrides.headers })
            }
            Err(error) => {
                let error = with_declared_status(&method.declared_errors, &method.id, error);
                Err(overrides.add_headers_to_error(error))
            }
        })
    }
}

impl RunningHandler<'_> {
    /// Compares the outputs of a handler with the definition: those of a function if the setting says so, and those of
    /// a handler that the definition chooses unless they are known to be valid.
    fn verified(&self, method: &PlannedMethod, outputs: Box<dyn Encode>) -> Result<Box<dyn Encode>, ApiError> {
        match &method.action {
            Action::Handler { .. } if self.runner.plan.verify_outputs => {
                verify_outputs(method, &*outputs)?;
                Ok(outputs)
            }
            Action::Defined { handler, .. } if !handler.has_valid_outputs() => {
                Ok(Box::new(declared_outputs(method, &*outputs)?))
            }
            _ => Ok(outputs),
        }
    }
}

impl Drop for RunningHandler<'_> {
    fn drop(&mut self) {
        let Some(running) = self.running.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (runner, method, context) = (Arc::clone(self.runner), self.method, self.context.take());
        let client = context.as_ref().and_then(Context::client);
        let guard = DetachedHandlerGuard::new(&runner.detached, client);
        runtime.spawn(async move {
            let result = catch_panic_async("the handler", pin!(running)).await.and_then(|result| result);
            if let Some(reason) = result.err().as_ref().and_then(ApiError::log) {
                let id = context.as_ref().and_then(Context::request_id);
                let id = id.map_or_else(|| "-".to_owned(), ToString::to_string);
                let method = &*runner.plan.methods[method].id;
                log::error!(id = method, request_id = id; "{method}: {id}: the client has gone; {reason}");
            }
            drop(guard);
        });
    }
}

/// If the program returned a declared error, sets the HTTP status, the message and the number that the error has in
/// `declared`. If `declared` contains no error with this name, returns an internal error. `origin` names the method or
/// the part of the program that returned the error, for the log.
pub(super) fn with_declared_status(declared: &[PlannedError], origin: &str, error: ApiError) -> ApiError {
    let ErrorKind::Declared { name, .. } = error.kind() else {
        return error;
    };
    match declared.iter().find(|declared| *declared.name == **name) {
        Some(PlannedError { status, info, number, .. }) => {
            error.with_status(*status).with_default_message(info).with_declared_number(*number)
        }
        None => ApiError::internal(format_args!("{origin}: no error {name:?} is declared")),
    }
}
