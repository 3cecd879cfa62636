//! The handler of a method: sends the arguments and the caller of a call to a pool of workers, makes the calls of the
//! API that a worker requests meanwhile, and returns the outputs or the file with which the worker responds.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::stream::{FuturesUnordered, StreamExt};
use rulebook::error::{ErrorCode, ErrorKind, Limit, Unit};
use rulebook::handler_kind::{ArgumentSlot, ArgumentSlots, CompiledHandler, HandlerFuture, ReturnedValue};
use rulebook::model::Method;
use rulebook::trace::{OpenSpan, SpanKind, TraceContext};
use rulebook::types::Value;
use rulebook::{ApiError, Context, Download, Response, Upload};
use serde::Deserialize;
use serde::ser::{Error, Serialize, SerializeMap, SerializeStruct, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json, json};
use tokio::sync::oneshot;

use crate::kind::MethodSettings;
use crate::message::{self, ApiCall, ApiCallRequest, read_error};
use crate::once;
use crate::pool::{Event, Job, Pool, Supervisor, WorkerFailure};

/// The maximum number of API calls that a worker can make at the same time for one call that it handles.
const MAX_API_CALLS: usize = 100;
/// The name in error responses of the limit that `max_message` sets for the arguments of a call. Responses do not
/// contain the names of settings of handlers.
const ARGUMENTS_LIMIT: &str = "arguments";
/// The initial size in bytes of the memory for a message.
const MESSAGE_SIZE: usize = 512;

pub struct MethodHandler(Arc<HandledByPool>);

struct HandledByPool {
    method: Method,
    /// The id of the method as a JSON string.
    method_json: Box<str>,
    timeout: Duration,
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
        Self(Arc::new(HandledByPool {
            method: method.clone(),
            method_json: Json::from(method.id.as_str()).to_string().into(),
            timeout: settings.timeout,
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
            variables = once::variables(&self.method.id, context).map_err(ApiError::internal)?;
            let arguments = Arguments { slots: arguments, uploads: RefCell::default() };
            serde_json::to_writer(&mut text, &arguments).map(|()| arguments.uploads.into_inner())
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
            let (method, length) = (&self.method.id, job.text.len());
            let reason = format!("{method}: the arguments have {length} bytes, but `max_message` is {max_message}");
            let (max, unit, code) = (max_message as u64, Unit::Bytes, ErrorCode::TooLarge);
            let limit = Limit { name: ARGUMENTS_LIMIT, max, unit, code };
            return Err(ApiError::new(ErrorKind::TooLarge { limit, parameter: None }).with_log(reason));
        }
        let id = job.id;
        self.pool.submit(job).map_err(|failure| failure.into_error(&self.method.id))?;
        let ended = async {
            match events.await {
                Ok(Event::ApiCall(call)) => self.run_api_calls(*call, context).await,
                event => self.end(event).await,
            }
        };
        tokio::select! {
            biased;
            result = ended => result,
            failure = self.pool.time_out(id, self.timeout) => Err(failure.into_error(&self.method.id)),
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

    async fn end(&self, event: Result<Event, oneshot::error::RecvError>) -> Result<ReturnedValue, ApiError> {
        match event {
            Ok(Event::Result(outputs)) if self.method.options.download => {
                read_file(self.files.as_deref(), &self.method.id, &outputs).await
            }
            Ok(Event::Result(outputs)) if outputs.get() == "[]" && self.has_empty_object => {
                Ok(ReturnedValue::Outputs(Box::new(json!({}))))
            }
            Ok(Event::Result(outputs)) => Ok(ReturnedValue::Outputs(Box::new(outputs))),
            Ok(Event::Error(error)) => Err(read_error(&self.method, &error)),
            Ok(Event::Failed(failure)) => Err(failure.into_error(&self.method.id)),
            // The sender is dropped without an event if the task of the worker ends.
            Ok(Event::ApiCall(_)) | Err(_) => Err(WorkerFailure::Stopping.into_error(&self.method.id)),
        }
    }
}

/// `true` if outputs can be an object without members, but no empty array. PHP has the same value for both.
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

/// Arguments with their uploaded files.
struct Arguments<'a> {
    slots: &'a ArgumentSlots<'a, 'a>,
    /// The uploaded files that were serialized.
    uploads: RefCell<Vec<Upload>>,
}

impl Serialize for Arguments<'_> {
    /// Serializes an object with the arguments by name, without those that the client has omitted.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, slot) in self.slots.names.iter().zip(&self.slots.values) {
            match slot {
                ArgumentSlot::Absent => {}
                ArgumentSlot::Null => map.serialize_entry(name, &())?,
                ArgumentSlot::Value(value) => {
                    map.serialize_entry(name, &Argument { value, uploads: &self.uploads })?;
                }
            }
        }
        map.end()
    }
}

/// A value, whose uploaded files are collected.
struct Argument<'a, 'v> {
    value: &'a Value<'v>,
    uploads: &'a RefCell<Vec<Upload>>,
}

impl Serialize for Argument<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let inner = |value| Argument { value, uploads: self.uploads };
        match self.value {
            Value::List(items) => serializer.collect_seq(items.iter().map(inner)),
            Value::Map(members) => serializer.collect_map(members.iter().map(|(name, value)| (name, inner(value)))),
            Value::File(upload) => {
                self.uploads.borrow_mut().push(upload.clone());
                serialize_upload(upload, serializer)
            }
            other => other.serialize(serializer),
        }
    }
}

/// An object with the path, which is absolute, because workers can have another working directory.
fn serialize_upload<S: Serializer>(upload: &Upload, serializer: S) -> Result<S::Ok, S::Error> {
    let path = upload.path().and_then(std::path::absolute).map_err(S::Error::custom)?;
    let path = path.to_str().ok_or_else(|| S::Error::custom("the path of an uploaded file is not UTF-8"))?;
    let mut file = serializer.serialize_struct("Upload", 4)?;
    file.serialize_field("path", path)?;
    file.serialize_field("name", upload.filename())?;
    file.serialize_field("type", upload.media_type())?;
    file.serialize_field("size", &upload.size())?;
    file.end()
}

/// Appends the line with a call to `line`, except for its end, which [`end_call_line`] appends. Returns the uploaded
/// files among the arguments. `method` is the id of the method as a JSON string.
/// Fails if an uploaded file cannot be named in JSON.
fn begin_call_line(
    line: &mut Vec<u8>,
    id: u64,
    method: &str,
    slots: &ArgumentSlots<'_, '_>,
    context: &Context,
) -> Result<Vec<Upload>, serde_json::Error> {
    let arguments = Arguments { slots, uploads: RefCell::default() };
    line.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    serde_json::to_writer(&mut *line, &id)?;
    line.extend_from_slice(b",\"method\":");
    line.extend_from_slice(method.as_bytes());
    line.extend_from_slice(b",\"params\":{\"arguments\":");
    serde_json::to_writer(&mut *line, &arguments)?;
    line.extend_from_slice(b",\"identity\":");
    serde_json::to_writer(&mut *line, &context.identity())?;
    line.extend_from_slice(b",\"request_id\":");
    match context.request_id() {
        Some(id) => serde_json::to_writer(&mut *line, &format_args!("{id}"))?,
        None => line.extend_from_slice(b"null"),
    }
    Ok(arguments.uploads.into_inner())
}

/// Ends a line of [`begin_call_line`]. `traceparent` is the span of the call; `None` without a trace.
fn end_call_line(line: &mut Vec<u8>, traceparent: Option<&str>) {
    if let Some(traceparent) = traceparent {
        // The text needs no escapes: it consists of hexadecimal digits and `-`.
        line.extend_from_slice(b",\"traceparent\":\"");
        line.extend_from_slice(traceparent.as_bytes());
        line.push(b'"');
    }
    line.extend_from_slice(b"}}\n");
}

/// A file that a worker returns: one of the first three members has the content.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReturnedFile {
    file: Option<String>,
    text: Option<String>,
    base64: Option<String>,
    name: Option<String>,
    r#type: Option<String>,
    #[serde(default)]
    inline: bool,
}

/// Reads the file that a worker has returned for a method. It is in this folder; without a folder, handlers can return
/// only content.
/// Fails if the text has another form, or the file is not in the folder. Clients get an internal error.
async fn read_file(folder: Option<&Path>, method: &str, returned: &RawValue) -> Result<ReturnedValue, ApiError> {
    let internal = |reason: &dyn std::fmt::Display| ApiError::internal(format_args!("{method}: {reason}"));
    let returned = serde_json::from_str::<ReturnedFile>(returned.get());
    let returned = returned.map_err(|error| internal(&format_args!("the returned file is not valid: {error}")))?;
    let mut name = returned.name;
    let download = match (returned.file, returned.text, returned.base64) {
        (Some(path), None, None) => {
            let Some(folder) = folder.map(Path::to_owned) else {
                return Err(internal(&"a worker has returned a path, but the setting `files` names no folder"));
            };
            name = name.or_else(|| Some(Path::new(&path).file_name()?.to_str()?.to_owned()));
            // Opening a file can wait for the disk.
            let opened = tokio::task::spawn_blocking(move || open_inside(&folder, Path::new(&path))).await;
            let file = opened.map_err(|error| internal(&error))?.map_err(|error| internal(&error))?;
            Download::file(file)
        }
        (None, Some(text), None) => Download::bytes(text),
        (None, None, Some(text)) => {
            let bytes = BASE64_STANDARD.decode(text).map_err(|error| internal(&error))?;
            Download::bytes(bytes)
        }
        _ => return Err(internal(&"a returned file has either `file`, `text` or `base64`")),
    };
    let download = if let Some(name) = name { download.name(name) } else { download };
    let download = if let Some(media_type) = returned.r#type { download.media_type(media_type) } else { download };
    let download = if returned.inline { download.inline() } else { download };
    Ok(ReturnedValue::Download(Box::new(download)))
}

/// A relative path is relative to the folder. Links are followed, but not to files outside of the folder.
fn open_inside(folder: &Path, path: &Path) -> io::Result<File> {
    let outside = || io::Error::other(format!("{} is not a file in the folder `files`", path.display()));
    let folder = folder.canonicalize()?;
    let path = folder.join(path).canonicalize()?;
    // A named pipe could not be opened without waiting.
    if !path.starts_with(&folder) || !path.metadata()?.is_file() {
        return Err(outside());
    }
    File::open(path)
}
