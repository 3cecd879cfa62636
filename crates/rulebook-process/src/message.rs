//! The messages that a worker sends, and the responses to its calls of the API: JSON-RPC 2.0, a line each. Also what
//! they contain: the functions that handle methods, and the error of a call.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use rulebook::ApiError;
use rulebook::error::{ParameterError, ParameterErrorKind};
use rulebook::handler_kind::{HandlerError, argument_types, printable, python_type};
use rulebook::model::{Method, Parameter};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json, json};
use tokio::sync::oneshot;

use crate::pool::Event;

/// The JSON-RPC code of a message that is not valid JSON.
const PARSE_ERROR: i64 = -32_700;
/// The JSON-RPC code of a message that is not a valid request.
pub const INVALID_REQUEST: i64 = -32_600;
const UNKNOWN_METHOD: i64 = -32_601;
/// The JSON-RPC code of an argument that a worker cannot convert to the type of its parameter.
const INVALID_ARGUMENT: i64 = -32_602;
/// The JSON-RPC code of a method that ends in an error.
pub const FAILED: i64 = -32_000;

/// The method with which a worker says that it is ready.
const READY: &str = "ready";
/// The method with which a worker says that a debugger has stopped it.
const DEBUG: &str = "debug";
/// The method with which a worker calls a method of the API.
const CALL: &str = "call";

/// A message of a worker. It borrows from the line.
#[derive(Debug)]
pub enum Message<'a> {
    /// The worker is ready for calls. If it lists the methods that it handles, these are they.
    Ready(Option<HandledMethods>),
    /// A debugger has stopped the worker.
    Debug,
    /// The outputs of the call with this id.
    Result(u64, &'a RawValue),
    /// The error of the call with this id.
    Error(u64, &'a RawValue),
    ApiCall(ApiCallRequest),
    /// A request that no part of the engine handles: its id, and the reason.
    Rejected(Box<RawValue>, i64, String),
    /// A response that is not valid: the id of its call, if it can be read, and the reason.
    Invalid(Option<u64>, String),
    /// The line is not a message.
    Noise,
}

/// A call of the API that a worker makes while it handles a call.
#[derive(Debug)]
pub struct ApiCallRequest {
    /// The id of the request, which its response repeats.
    pub id: Box<RawValue>,
    /// The method to call, in a form that [`CallBuilder`](rulebook::CallBuilder) accepts.
    pub target: String,
    /// The arguments by the names of the parameters in code.
    pub arguments: Map<String, Json>,
    /// The id of the call that the worker handles.
    pub serves: u64,
}

/// A call of the API, for the handler of the call that the worker handles.
#[derive(Debug)]
pub struct ApiCall {
    pub request: ApiCallRequest,
    /// Where the response is sent.
    pub input: std::sync::Arc<crate::worker::WorkerInput>,
    /// The next event of the call that the worker handles.
    pub next: oneshot::Receiver<Event>,
}

#[derive(Deserialize)]
struct ReadyParams {
    methods: Option<ReadyMethods>,
}

/// The methods that a worker handles: their ids, or their ids with the functions that handle them.
#[derive(Deserialize)]
#[serde(untagged)]
enum ReadyMethods {
    Ids(Vec<String>),
    Functions(HandledMethods),
}

#[derive(Deserialize)]
struct CallParams {
    target: String,
    #[serde(default)]
    arguments: Map<String, Json>,
    r#for: u64,
}

pub fn read_line(line: &[u8]) -> Message<'_> {
    // Most lines that are not messages are texts: they need not be parsed.
    if line.first() != Some(&b'{') {
        return Message::Noise;
    }
    let (members, read) = LineMembers::read(line);
    if members.jsonrpc.as_deref() != Some("2.0") {
        return Message::Noise;
    }
    if let Err(error) = read {
        let reason = format!("it cannot be read: {error}");
        return match (&members.method, members.id) {
            (None, _) if members.is_response => Message::Invalid(members.call_id(), reason),
            (Some(_), Some(id)) => Message::Rejected(id.to_owned(), PARSE_ERROR, reason),
            _ => Message::Noise,
        };
    }
    let LineMembers { id, method: Some(method), params, .. } = &members else { return read_response(&members) };
    let params = params.map_or("null", RawValue::get);
    match (&**method, *id) {
        (READY, _) => {
            let params: Option<ReadyParams> = serde_json::from_str(params).unwrap_or_default();
            Message::Ready(params.and_then(|params| params.methods).map(|methods| match methods {
                ReadyMethods::Ids(ids) => ids.into_iter().map(|id| (id, Function::default())).collect(),
                ReadyMethods::Functions(functions) => functions,
            }))
        }
        (DEBUG, None) => Message::Debug,
        (CALL, Some(id)) => match serde_json::from_str(params) {
            Ok(CallParams { target, arguments, r#for }) => {
                Message::ApiCall(ApiCallRequest { id: id.to_owned(), target, arguments, serves: r#for })
            }
            Err(error) => Message::Rejected(id.to_owned(), INVALID_REQUEST, error.to_string()),
        },
        (_, Some(id)) => {
            let message = format!("there is no method `{}`; a worker can call `call`", method.escape_debug());
            Message::Rejected(id.to_owned(), UNKNOWN_METHOD, message)
        }
        (_, None) => Message::Noise,
    }
}

fn read_response<'a>(members: &LineMembers<'a>) -> Message<'a> {
    match (members.call_id(), members.result, members.error) {
        (Some(id), Some(result), None) => Message::Result(id, result),
        (Some(id), None, Some(error)) => Message::Error(id, error),
        (Some(id), Some(_), Some(_)) => Message::Invalid(Some(id), "it has both `result` and `error`".to_owned()),
        (Some(id), None, None) => Message::Invalid(Some(id), "it has neither `result` nor `error`".to_owned()),
        // With the id null, JSON-RPC reports a message whose id cannot be read.
        (None, result, error) if result.or(error).is_some() && members.id.is_none_or(|id| id.get() == "null") => {
            let id = if members.id.is_some() { "its id is null" } else { "it has no id" };
            let error = error.map(|error| format!(", and its error is {error}")).unwrap_or_default();
            Message::Invalid(None, format!("{id}{error}"))
        }
        _ => Message::Noise,
    }
}

/// Returns the line with the outputs of an API call that a worker made.
pub fn result_line(id: &RawValue, outputs: &Json) -> Vec<u8> {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{outputs}}}\n", id.get()).into_bytes()
}

/// Returns the line with the error of an API call that a worker made. `data` describes the error for programs.
pub fn error_line(id: &RawValue, code: i64, message: &str, data: &Json) -> Vec<u8> {
    let error = json!({ "code": code, "message": message, "data": data });
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"error\":{error}}}\n", id.get()).into_bytes()
}

/// The members of a line. Those before an error are known, too, so that the call of the line can be found.
#[derive(Debug, Default)]
struct LineMembers<'a> {
    jsonrpc: Option<Cow<'a, str>>,
    id: Option<&'a RawValue>,
    /// `None` also if it is null.
    method: Option<Cow<'a, str>>,
    params: Option<&'a RawValue>,
    result: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
    /// `true` if the line has a member `result` or `error`, also if its value is not valid.
    is_response: bool,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Name {
    JsonRpc,
    Id,
    Method,
    Params,
    Result,
    Error,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> LineMembers<'a> {
    /// Reads a line. Returns the members before the first error, and this error.
    fn read(line: &'a [u8]) -> (Self, serde_json::Result<()>) {
        let mut members = Self::default();
        let mut deserializer = serde_json::Deserializer::from_slice(line);
        let read = MembersSeed(&mut members).deserialize(&mut deserializer).and_then(|()| deserializer.end());
        (members, read)
    }

    /// Returns the id, if it can be the id of a call.
    fn call_id(&self) -> Option<u64> {
        self.id.and_then(|id| id.get().parse().ok())
    }
}

struct MembersSeed<'m, 'a>(&'m mut LineMembers<'a>);

impl<'de> DeserializeSeed<'de> for MembersSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MembersSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON-RPC message")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let members = self.0;
        while let Some(name) = map.next_key::<Name>()? {
            members.is_response |= matches!(name, Name::Result | Name::Error);
            match name {
                Name::JsonRpc => set(&mut members.jsonrpc, map.next_value::<Text<'_>>()?.0)?,
                Name::Id => set(&mut members.id, map.next_value()?)?,
                Name::Method => members.method = map.next_value::<Option<Text<'_>>>()?.map(|text| text.0),
                Name::Params => set(&mut members.params, map.next_value()?)?,
                Name::Result => set(&mut members.result, map.next_value()?)?,
                Name::Error => set(&mut members.error, map.next_value()?)?,
                Name::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Sets a member, unless the line has set it before.
fn set<T, E: Error>(member: &mut Option<T>, value: T) -> Result<(), E> {
    match member.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::custom("a member appears twice")),
    }
}

/// The maximum number of bytes of a traceback in the log. Of a longer one, the log has the beginning and the end.
const MAX_TRACEBACK: usize = 16 << 10;

#[derive(Default, Deserialize)]
#[serde(default)]
struct WorkerError {
    code: i64,
    message: String,
    data: Option<WorkerErrorData>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WorkerErrorData {
    /// The name of a declared error.
    name: Option<String>,
    /// The message for the client, instead of the declared one.
    message: Option<String>,
    members: Map<String, Json>,
    /// Where the program failed, in the notation of its language: several lines.
    traceback: Option<String>,
    /// The parameter whose argument the worker cannot convert.
    parameter: Option<String>,
    /// The path to the item of the argument that the worker cannot convert, such as `[2]`.
    path: String,
    /// What the worker expects instead.
    expected: String,
}

/// Returns the error that a worker has returned for a call of `method`: an error that the method declares, an error of
/// an argument, or a failure of the program.
pub fn read_error(method: &Method, error: &RawValue) -> ApiError {
    let failure = |reason: &str| ApiError::internal(format_args!("{}: {reason}", method.id));
    let WorkerError { code, message, data } = match serde_json::from_str(error.get()) {
        Ok(error) => error,
        Err(error) => {
            let reason = format!("the worker has returned an error of unknown form: {error}");
            return failure(&printable(reason.as_bytes()));
        }
    };
    let data = data.unwrap_or_default();
    if code == INVALID_ARGUMENT
        && let Some(parameter) = method.parameters.iter().find(|known| data.parameter.as_ref() == Some(&known.name))
    {
        return argument_error(parameter, &data.path, data.expected);
    }
    let Some(name) = data.name else {
        let message = printable(message.as_bytes());
        return match data.traceback {
            Some(traceback) => failure(&format!("{message}\n{}", printable_lines(&traceback))),
            None => failure(&message),
        };
    };
    let declared = ApiError::declared(name);
    let error = data.members.into_iter().fold(declared, |error, (name, value)| error.with_member(name, value));
    match data.message {
        Some(message) => error.with_message(message),
        None => error,
    }
}

/// It does not contain the argument, which may be a secret.
fn argument_error(parameter: &Parameter, path: &str, expected: String) -> ApiError {
    let (name, source) = (parameter.request_name(), parameter.from.source());
    let mut error = ParameterError::new(ParameterErrorKind::Invalid, format!("{name}{path}"), source, expected);
    error.name_in_code = (parameter.name != name).then(|| parameter.name.as_str().into());
    error.message = parameter.message.as_deref().map(Into::into);
    ApiError::parameters(vec![error])
}

/// Returns lines of another program for the log, without an empty one at the end.
fn printable_lines(text: &str) -> String {
    let text = text.trim_end().as_bytes();
    let lines = |part: &[u8]| part.split(|byte| *byte == b'\n').map(printable).collect::<Vec<_>>().join("\n");
    if text.len() <= MAX_TRACEBACK {
        return lines(text);
    }
    let (begin, end) = (&text[..MAX_TRACEBACK / 2], &text[text.len() - MAX_TRACEBACK / 2..]);
    format!("{}\n…\n{}", lines(begin), lines(end))
}

/// The methods that a worker handles, by their ids, with their functions.
pub type HandledMethods = HashMap<String, Function>;

/// A function that handles a method, as far as the worker describes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Function {
    function: Option<String>,
    /// Where the function is in the program, such as `handlers.py:12`.
    location: Option<String>,
    /// The names of its parameters for arguments.
    parameters: Vec<String>,
    /// The names of those parameters that accept neither a missing argument nor null.
    required: Vec<String>,
    annotations: HashMap<String, Annotation>,
}

#[derive(Debug, Deserialize)]
struct Annotation {
    /// The type in the language of the program.
    r#type: String,
    /// The JSON types of the arguments that the parameter accepts.
    accepts: Vec<String>,
}

/// The JSON types of arguments, and their names in Python and PHP.
const NAMES: [(&str, &str); 5] = [
    ("array", "`list` in Python, `array` in PHP"),
    ("boolean", "`bool`"),
    ("number", "`int` or `float`"),
    ("object", "`dict` in Python, `array` in PHP"),
    ("string", "`str` in Python, `string` in PHP"),
];

/// Returns the error of an annotation that accepts no argument of a parameter. `types` are the JSON types of arguments.
fn annotation_error(parameter: &Parameter, types: &[&str], annotation: &Annotation, function: &str) -> HandlerError {
    let check = &parameter.r#type.check;
    let (name, term, shown) = (&parameter.name, check.type_expr().term, printable(annotation.r#type.as_bytes()));
    let known: Vec<_> = NAMES.iter().filter(|(r#type, _)| types.contains(r#type)).collect();
    let types = known.iter().map(|(r#type, _)| format!("`{type}`")).collect::<Vec<_>>().join(" or ");
    let names = known.iter().map(|(_, names)| *names).collect::<Vec<_>>().join("; ");
    let converted = python_type(&**check).map(|python| format!("`{python}` or ")).unwrap_or_default();
    HandlerError::new(format!(
        "{function} has the type `{shown}` for its parameter `{name}`, which accepts no value of the type `{term}` \
         ({types} in JSON)"
    ))
    .at(parameter.span)
    .help(format!("write {converted}{names}, or change the type in the definition"))
}

impl Function {
    /// A parameter of the function must fit that of the method. A function may omit parameters of the method.
    pub fn mismatches(&self, method: &Method) -> Vec<HandlerError> {
        let described = self.describe();
        let names: Vec<_> = method.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let unknown = self.parameters.iter().filter(|name| !names.contains(&name.as_str())).map(|name| {
            let shown = printable(name.as_bytes());
            let message = format!(
                "{described} has a parameter `{shown}`, which is not a parameter of the method `{}`",
                method.id
            );
            HandlerError::new(message).at(method.span).suggest(name, "parameters of the method", &names)
        });
        let may_be_missing = |parameter: &&Parameter| parameter.optional && parameter.default.is_none();
        let missing = method.parameters.iter().filter(may_be_missing);
        let missing = missing.filter(|parameter| self.required.contains(&parameter.name)).map(|parameter| {
            let message = format!(
                "{described} does not accept null for its parameter `{}`, which is optional in the method `{}`",
                parameter.name, method.id
            );
            let help = "give the parameter of the function a default or a type that allows null, or give the parameter \
                        in the definition a `default`";
            HandlerError::new(message).at(parameter.span).help(help)
        });
        let other_types = method.parameters.iter().filter_map(|parameter| {
            let annotation = self.annotations.get(&parameter.name)?;
            // Without types, those of the arguments are not known.
            let types = argument_types(parameter);
            let is_accepted = |r#type: &&str| annotation.accepts.iter().any(|accepted| accepted == r#type);
            let never = !types.is_empty() && !types.iter().any(is_accepted);
            never.then(|| annotation_error(parameter, &types, annotation, &described))
        });
        unknown.chain(missing).chain(other_types).collect()
    }

    fn describe(&self) -> String {
        let name = match &self.function {
            Some(name) => format!("the function `{}`", printable(name.as_bytes())),
            None => "the handler".to_owned(),
        };
        match &self.location {
            Some(location) => format!("{name} ({})", printable(location.as_bytes())),
            None => name,
        }
    }
}
