//! The handler of a method: sends calls to a pool of workers, and returns what a worker responds.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use rulebook::error::{ErrorCode, ErrorKind, Limit, Unit};
use rulebook::handler_kind::{ArgumentSlots, CompiledHandler, HandlerFuture, ReturnedValue};
use rulebook::model::Method;
use rulebook::trace::{OpenSpan, SpanKind, TraceContext};
use rulebook::types::Value;
use rulebook::{ApiError, Context, Response};
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json, json};
use tokio::sync::oneshot;

use crate::arguments::{Arguments, begin_call_line, end_call_line};
use crate::download::read_file;
use crate::message::{self, ApiCall, ApiCallRequest};
use crate::once;
use crate::pool::Pool;
use crate::pool_state::{Event, Job, WorkerFailure};
use crate::settings::MethodSettings;
use crate::supervisor::Supervisor;
use crate::worker_error::{ReportedParameter, read_error};

/// The maximum number of API calls that a worker can make at the same time for one call that it handles.
const MAX_API_CALLS: usize = 100;
/// The name in error responses of the limit that `max_message` sets for the arguments of a call. Responses do not
/// contain the names of settings of handlers.
const ARGUMENTS_LIMIT: &str = "arguments";
/// The initial size in bytes of the memory for a message.
const MESSAGE_SIZE: usize = 512;

/// The handler of a method.
pub struct MethodHandler(Arc<HandledByPool>);

struct HandledByPool {
    method: Box<str>,
    /// The id of the method as a JSON string.
    method_json: Box<str>,
    parameters: Box<[ReportedParameter]>,
    timeout: Duration,
    /// `true` if the method returns a file.
    is_download: bool,
    /// The folder with the files that it may return.
    files: Option<PathBuf>,
    /// `true` if the empty array stands for an object without members.
    has_empty_object: bool,
    pool: Arc<Pool>,
    /// Ends the workers when the last handler is dropped.
    _supervisor: Arc<OnceLock<Supervisor>>,
}

impl MethodHandler {
    pub fn new(
        method: &Method,
        settings: MethodSettings,
        pool: Arc<Pool>,
        supervisor: Arc<OnceLock<Supervisor>>,
    ) -> Self {
        let method_json = Json::from(method.id.as_str()).to_string().into();
        Self(Arc::new(HandledByPool {
            method: method.id.as_str().into(),
            method_json,
            parameters: ReportedParameter::all(method),
            timeout: settings.timeout,
            is_download: method.options.download,
            files: settings.files,
            has_empty_object: has_empty_object(method),
            pool,
            _supervisor: supervisor,
        }))
    }
}

impl CompiledHandler for MethodHandler {
    fn start(&self, arguments: ArgumentSlots<'_, '_>, context: Context) -> HandlerFuture {
        let handler = Arc::clone(&self.0);
        let prepared = handler.prepare(&arguments, &context);
        Box::pin(async move {
            let (job, events) = prepared?;
            let span = context.is_traced().then(|| context.span("process", SpanKind::Client));
            let traceparent = span.as_ref().and_then(OpenSpan::context).map(TraceContext::traceparent);
            let result = handler.call(job, traceparent, events, &context).await;
            if let Some(mut span) = span {
                span.set_result(&result);
            }
            result
        })
    }
}

impl HandledByPool {
    /// Returns the call for the pool, without its trace, and the receiver of its first event.
    fn prepare(
        &self,
        arguments: &ArgumentSlots<'_, '_>,
        context: &Context,
    ) -> Result<(Job, oneshot::Receiver<Event>), ApiError> {
        let id = self.pool.next_id();
        let mut text = Vec::with_capacity(MESSAGE_SIZE);
        let mut variables = Vec::new();
        let uploads = if self.pool.settings.once {
            variables = once::variables(&self.method, context).map_err(ApiError::internal)?;
            let arguments = Arguments::new(arguments);
            serde_json::to_writer(&mut text, &arguments).map(|()| arguments.into_uploads())
        } else {
            begin_call_line(&mut text, id, &self.method_json, arguments, context)
        };
        let uploads = uploads.map_err(ApiError::internal)?;
        let (events, next) = oneshot::channel();
        let (timeout, request_id) = (self.timeout, context.request_id().cloned());
        let job = Job { id, text, variables, timeout, request_id, uploads, events };
        Ok((job, next))
    }

    /// Gives a call to the pool, and returns its result. `events` receives its first event.
    async fn call(
        &self,
        mut job: Job,
        traceparent: Option<String>,
        events: oneshot::Receiver<Event>,
        context: &Context,
    ) -> Result<ReturnedValue, ApiError> {
        if self.pool.settings.once {
            job.variables.extend(traceparent.map(|traceparent| (once::TRACEPARENT_VARIABLE, traceparent)));
        } else {
            end_call_line(&mut job.text, traceparent.as_deref());
        }
        let max_message = self.pool.settings.max_message;
        if job.text.len() > max_message {
            let (method, length) = (&self.method, job.text.len());
            let reason = format!("{method}: the arguments have {length} bytes, but `max_message` is {max_message}");
            let (max, unit, code) = (max_message as u64, Unit::Bytes, ErrorCode::TooLarge);
            let limit = Limit { name: ARGUMENTS_LIMIT, max, unit, code };
            return Err(ApiError::new(ErrorKind::TooLarge { limit, parameter: None }).with_log(reason));
        }
        let id = job.id;
        self.pool.submit(job).map_err(|failure| failure.into_error(&self.method))?;
        let ended = async {
            match events.await {
                Ok(Event::ApiCall(call)) => self.run_api_calls(*call, context).await,
                event => self.end(event).await,
            }
        };
        tokio::select! {
            biased;
            result = ended => result,
            failure = self.pool.time_out(id, self.timeout) => Err(failure.into_error(&self.method)),
        }
    }

    /// Runs the API calls that a worker makes, until the call that it handles ends.
    async fn run_api_calls(&self, first: ApiCall, context: &Context) -> Result<ReturnedValue, ApiError> {
        let max_message = self.pool.settings.max_message;
        let mut running = FuturesUnordered::new();
        let mut call = first;
        loop {
            let ApiCall { request, input, mut next } = call;
            if running.len() < MAX_API_CALLS {
                running.push(async move { input.send(&run_api_call(request, context, max_message).await) });
            } else {
                let reason = format!("the call makes more than {MAX_API_CALLS} calls at the same time");
                input.send(&message::error_line(&request.id, message::FAILED, &reason, &Json::Null));
            }
            let event = loop {
                tokio::select! {
                    event = &mut next => break event,
                    Some(()) = running.next(), if !running.is_empty() => {}
                }
            };
            match event {
                Ok(Event::ApiCall(following)) => call = *following,
                event => return self.end(event).await,
            }
        }
    }

    /// Returns the result of a call.
    async fn end(&self, event: Result<Event, oneshot::error::RecvError>) -> Result<ReturnedValue, ApiError> {
        match event {
            Ok(Event::Result(outputs)) if self.is_download => {
                read_file(self.files.as_deref(), &self.method, &outputs).await
            }
            Ok(Event::Result(outputs)) if outputs.get() == "[]" && self.has_empty_object => {
                Ok(ReturnedValue::Outputs(Box::new(json!({}))))
            }
            Ok(Event::Result(outputs)) => Ok(ReturnedValue::Outputs(Box::new(outputs))),
            Ok(Event::Error(error)) => Err(read_error(&self.method, &self.parameters, &error)),
            Ok(Event::Failed(failure)) => Err(failure.into_error(&self.method)),
            // The sender is dropped without an event if the task of the worker ends.
            Ok(Event::ApiCall(_)) | Err(_) => Err(WorkerFailure::Stopping.into_error(&self.method)),
        }
    }
}

/// Returns `true` if the outputs of a method can be an object without members, but not an empty array. Languages such
/// as PHP have the same value for both.
fn has_empty_object(method: &Method) -> bool {
    let Some(output) = method.returned_whole() else { return true };
    let accepts = |value| output.r#type.check.checked(value).is_ok();
    !accepts(Value::List(Vec::new())) && accepts(Value::Map(Vec::new()))
}

/// Runs an API call of a worker, and returns the line with its response.
async fn run_api_call(request: ApiCallRequest, context: &Context, max_message: usize) -> Vec<u8> {
    let ApiCallRequest { id, target, arguments, .. } = request;
    let response = context.call(target).args(arguments).send().await;
    let line = response_line(&id, response);
    if line.len() <= max_message {
        return line;
    }
    let reason = format!("the response is longer than {max_message} bytes");
    message::error_line(&id, message::FAILED, &reason, &Json::Null)
}

fn response_line(id: &RawValue, response: Response) -> Vec<u8> {
    if response.download().is_some() {
        return message::error_line(id, message::FAILED, "the method returns a file", &Json::Null);
    }
    let error = match response.outputs() {
        Ok(outputs) => return message::result_line(id, &outputs),
        Err(error) => error,
    };
    let (name, members) = match error.kind() {
        ErrorKind::Declared { name, data, .. } => {
            (&**name, data.iter().map(|(name, value)| (name.to_string(), value.clone())).collect())
        }
        _ => (error.code().row().name, Map::new()),
    };
    let data = json!({ "name": name, "status": error.status().get(), "members": members });
    message::error_line(id, message::FAILED, &error.to_string(), &data)
}
