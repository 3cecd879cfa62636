//! Converts PHP's response to outputs, a file or an error.

mod api3;
mod forward;
mod head;
mod named_error;
mod phalapi;
mod plain;
mod unchanged;

use rulebook::handler_kind::{MethodReturns, ReturnedValue};
use rulebook::{ApiError, Context};
use serde_json::Value as Json;

use crate::call_error::CallError;
use crate::settings::{HandlerSettings, PhpStyle, Responses};
pub use forward::{ReceivedFile, download};
pub use head::ResponseHead;
pub use unchanged::{ReceivedBody, is_compared, unchanged};

/// What a response contains.
enum PhpResult {
    /// The outputs of a success.
    Outputs(Json),
    /// An error that the method declares.
    Error(ApiError),
    /// A response that is sent as it is.
    Response(ReturnedValue),
}

/// Returns `true` if the body of a response is the file that the method returns.
pub fn is_file(settings: &HandlerSettings, head: &ResponseHead) -> bool {
    settings.returns == MethodReturns::File
        && match settings.style {
            PhpStyle::Plain => head.is_success(),
            // An error has the status 200 too, but it is JSON.
            PhpStyle::PhalApi { .. } => head.is_success() && !head.is_json(),
            PhpStyle::Api3 { .. } => api3::is_file(head),
        }
}

/// Converts a response that is not a file.
/// Returns the declared error in the response, or an error with the reason why the response is not valid.
pub fn returned_value(
    settings: &HandlerSettings,
    head: &ResponseHead,
    body: &[u8],
    context: &Context,
) -> Result<ReturnedValue, ApiError> {
    let content = match settings.style {
        PhpStyle::Plain => plain::read(settings, head, body),
        PhpStyle::PhalApi { .. } => phalapi::read(settings, head, body),
        PhpStyle::Api3 { .. } => api3::read(settings, head, body, context),
    }?;
    let outputs = match content {
        PhpResult::Outputs(outputs) if settings.returns != MethodReturns::File => Ok(outputs),
        PhpResult::Outputs(_) => {
            Err(CallError::Response("the method returns a file, and PHP returned JSON".into()).into())
        }
        PhpResult::Error(error) => Err(error),
        PhpResult::Response(response) => return Ok(response),
    };
    forward::forward(settings, head, context)?;
    outputs.map(|outputs| ReturnedValue::Outputs(Box::new(outputs)))
}

/// Parses a body that must be JSON.
fn parse_json(body: &[u8]) -> Result<Json, CallError> {
    serde_json::from_slice(body).map_err(|error| CallError::Response(format!("the response is not JSON: {error}")))
}

/// Returns the outputs in a response. If they are strict, the engine removes members that are not outputs.
fn outputs(settings: &HandlerSettings, json: Json) -> Json {
    match (settings.returns, json) {
        // A method without outputs has no part that could be wrong.
        (MethodReturns::Nothing, _) if settings.responses == Responses::Strict => Json::Null,
        // PHP writes an array without members as `[]`, even if it is an object.
        (MethodReturns::Nothing | MethodReturns::Outputs, Json::Array(items)) if items.is_empty() => Json::Null,
        (_, json) => json,
    }
}

/// Returns an error that describes an unexpected status.
fn unexpected_status(head: &ResponseHead) -> CallError {
    let status = head.status;
    CallError::Response(match status {
        403 | 404 => format!(
            "PHP responded with the status {status}, as php-fpm does if the script is missing or it may not read it"
        ),
        _ => format!("PHP responded with the status {status}, and with no error that the method declares"),
    })
}
