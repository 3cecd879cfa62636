//! The responses of plain scripts: `{"title": "…"}`, or `{"error": "name", "message": "…"}` with a status from 400.

use rulebook::handler_kind::MethodReturns;
use serde_json::{Value as Json, json};

use super::named_error::{REJECTIONS, declared, error_status, undeclared};
use super::{PhpResult, ResponseHead, outputs, parse_json, unexpected_status};
use crate::call_error::CallError;
use crate::settings::HandlerSettings;

pub fn read(settings: &HandlerSettings, head: &ResponseHead, body: &[u8]) -> Result<PhpResult, CallError> {
    if head.is_success() {
        let is_ignored = settings.returns == MethodReturns::Nothing;
        let json = if is_ignored || body.trim_ascii().is_empty() { Json::Null } else { parse_json(body)? };
        return Ok(PhpResult::Outputs(outputs(settings, json)));
    }
    // The body of an error page, or of a failed script, is not JSON.
    let json = parse_json(body).unwrap_or_default();
    let name = json.get("error").and_then(Json::as_str);
    let error = name.and_then(|name| settings.error_by_name(name));
    let error = error.or_else(|| settings.error_by_name(&head.status.to_string()));
    // Without a name, it can be an error page of php-fpm.
    let is_rejection = name.is_some() && REJECTIONS.contains(&u64::from(head.status));
    let error = error.or_else(|| settings.other_error().filter(|_| is_rejection));
    let message = json.get("message").and_then(Json::as_str).unwrap_or_default();
    match (error, name) {
        (Some(error), _) => Ok(PhpResult::Error(declared(error, message))),
        (None, Some(name)) => {
            let declaration = json!({ "status": error_status(head.status.into()), "info": "…" });
            Err(undeclared(name, name, &declaration))
        }
        (None, None) => Err(unexpected_status(head)),
    }
}
