//! The error that a worker returns for a call, as the error for the client and for the log.

use rulebook::ApiError;
use rulebook::error::{ParameterError, ParameterErrorKind, Source};
use rulebook::handler_kind::printable;
use rulebook::model::{Method, Parameter};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};

use crate::message::INVALID_ARGUMENT;

/// The maximum number of bytes of a traceback in the log. Of a longer one, the log has the beginning and the end.
const MAX_TRACEBACK: usize = 16 << 10;

/// The error object of a worker.
#[derive(Deserialize)]
struct WorkerError {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: Option<WorkerErrorData>,
}

#[derive(Default, Deserialize)]
struct WorkerErrorData {
    /// The name of a declared error.
    name: Option<String>,
    /// The message for the client, instead of the declared one.
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    members: Map<String, Json>,
    /// Where the program failed, in the notation of its language: several lines.
    #[serde(default)]
    traceback: Option<String>,
    /// The parameter whose argument the worker cannot convert.
    #[serde(default)]
    parameter: Option<String>,
    /// The path to the item of the argument that the worker cannot convert, such as `[2]`.
    #[serde(default)]
    path: String,
    /// What the worker expects instead.
    #[serde(default)]
    expected: String,
}

/// A parameter, for errors of its argument.
#[derive(Debug)]
pub struct ReportedParameter {
    name: Box<str>,
    request_name: Box<str>,
    source: Source,
    message: Option<Box<str>>,
}

impl ReportedParameter {
    /// Returns the parameters of a method.
    pub fn all(method: &Method) -> Box<[Self]> {
        let new = |parameter: &Parameter| Self {
            name: parameter.name.as_str().into(),
            request_name: parameter.request_name().into(),
            source: parameter.from.source(),
            message: parameter.message.as_deref().map(Into::into),
        };
        method.parameters.iter().map(new).collect()
    }
}

/// Returns the error that a worker has returned for a call of `method`: an error that the method declares, an error of
/// an argument, or a failure of the program.
pub fn read_error(method: &str, parameters: &[ReportedParameter], error: &RawValue) -> ApiError {
    let failure = |reason: &str| ApiError::internal(format_args!("{method}: {reason}"));
    let WorkerError { code, message, data } = match serde_json::from_str(error.get()) {
        Ok(error) => error,
        Err(error) => {
            let reason = format!("the worker has returned an error of unknown form: {error}");
            return failure(&printable(reason.as_bytes()));
        }
    };
    let data = data.unwrap_or_default();
    if code == INVALID_ARGUMENT
        && let Some(parameter) = parameters.iter().find(|known| data.parameter.as_deref() == Some(&*known.name))
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

/// Returns the error for an argument that the worker cannot convert. It does not contain the argument, which may be a
/// secret.
fn argument_error(parameter: &ReportedParameter, path: &str, expected: String) -> ApiError {
    let name = format!("{}{path}", parameter.request_name);
    let mut error = ParameterError::new(ParameterErrorKind::Invalid, name, parameter.source, expected);
    error.name_in_code = (parameter.name != parameter.request_name).then(|| parameter.name.clone());
    error.message.clone_from(&parameter.message);
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
