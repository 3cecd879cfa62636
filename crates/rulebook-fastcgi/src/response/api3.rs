//! The responses of the bridge, which calls a class of api 3.0 (`bridge.php`).

use rulebook::Context;
use rulebook::handler_kind::ReturnedValue;
use serde_json::{Value as Json, json};

use super::named_error::{declared, undeclared};
use super::unchanged::undeclared_error;
use super::{PhpResult, ResponseHead, outputs, parse_json, unexpected_status};
use crate::call_error::CallError;
use crate::settings::{HandlerSettings, Responses};

/// The header field in which the bridge names the kind of its response. Without it, PHP has failed.
const OUTCOME: &str = "rulebook-outcome";

/// The HTTP status of an error for which neither the definition nor the project has one.
const UNDECLARED_STATUS: u16 = 400;
/// The description of an error for which neither the definition nor the project has one.
const FAILED: &str = "it failed";

/// Returns `true` if the body is a file.
pub fn is_file(head: &ResponseHead) -> bool {
    head.field(OUTCOME) == Some("file")
}

pub fn read(
    settings: &HandlerSettings,
    head: &ResponseHead,
    body: &[u8],
    context: &Context,
) -> Result<PhpResult, CallError> {
    match head.field(OUTCOME) {
        Some("outputs") => Ok(PhpResult::Outputs(outputs(settings, parse_json(body)?))),
        Some("error") => {
            let json = parse_json(body)?;
            error(settings, &json).map(PhpResult::Error).or_else(|error| {
                let is_sent = settings.responses == Responses::Described && context.head().is_some();
                let response = if is_sent { as_in_api3(settings, &json) } else { None };
                response.map(PhpResult::Response).ok_or(error)
            })
        }
        _ if head.is_success() => {
            Err(CallError::Response("the class has ended the script, or has sent something itself".to_owned()))
        }
        _ => Err(unexpected_status(head)),
    }
}

/// Returns the response to an error that the method does not declare: the number and the description, as api 3.0 sent
/// them, in the envelope of api 3.0. `None` if there is no number, or the API has another envelope.
fn as_in_api3(settings: &HandlerSettings, json: &Json) -> Option<ReturnedValue> {
    let number = json.get("number").and_then(Json::as_i64).filter(|_| settings.has_api3_envelope)?;
    let description = json.get("description").and_then(Json::as_str).unwrap_or(FAILED);
    let status = json.get("status").and_then(Json::as_u64).and_then(|status| u16::try_from(status).ok());
    let status = status.filter(|status| (400..=599).contains(status)).unwrap_or(UNDECLARED_STATUS);
    undeclared_error(number, description, status).ok()
}

/// Returns the declared error for the error of a class: a name, or a number that the definition or the setting `errors`
/// contains.
fn error(settings: &HandlerSettings, json: &Json) -> Result<rulebook::ApiError, CallError> {
    if let Some(name) = json.get("name").and_then(Json::as_str) {
        let error = settings.error_by_name(name).or_else(|| settings.other_error());
        let declaration = json!({ "status": 400, "description": "…" });
        return Ok(declared(error.ok_or_else(|| undeclared(name, name, &declaration))?, ""));
    }
    let number = json.get("number").and_then(Json::as_i64).unwrap_or_default();
    let unsigned = u32::try_from(number).ok();
    let by_number = || settings.only_error(|error| error.number.is_some() && error.number == unsigned);
    let text = number.to_string();
    let error = settings.error_by_name(&text).or_else(by_number).or_else(|| settings.other_error());
    let error = error.ok_or_else(|| {
        // A declaration cannot have a negative number.
        let declaration = unsigned.map_or_else(
            || json!({ "status": 400, "description": "…" }),
            |number| json!({ "status": 400, "number": number, "description": "…" }),
        );
        undeclared(&text, &format!("error_{text}"), &declaration)
    })?;
    let api_error = declared(error, "");
    Ok(match unsigned {
        Some(number) if number > 0 => api_error.with_number(number),
        _ => api_error,
    })
}
