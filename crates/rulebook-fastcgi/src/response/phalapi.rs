//! The responses of PhalApi: `{"ret": 200, "data": …, "msg": ""}`.

use serde_json::{Value as Json, json};

use super::named_error::{REJECTIONS, declared, error_status, start, undeclared};
use super::{PhpResult, ResponseHead, outputs, parse_json, unexpected_status};
use crate::call_error::CallError;
use crate::settings::HandlerSettings;

/// `ret` of a success.
const SUCCESS: u64 = 200;

/// The words with which messages of PhalApi 1 and 2 begin, in English and in Chinese.
const MESSAGE_PREFIXES: [&str; 8] = [
    "Bad Request:",
    "Illegal request:",
    "Illegal Param:",
    "Interal Server Error:",
    "Internal Server Error:",
    "非法请求：",
    "非法请求:",
    "服务器运行错误:",
];

pub fn read(settings: &HandlerSettings, head: &ResponseHead, body: &[u8]) -> Result<PhpResult, CallError> {
    // PhalApi responds to errors with the status 200, unless the project changes this.
    let parsed = parse_json(body).map_err(|error| if head.is_success() { error } else { unexpected_status(head) });
    let Json::Object(mut response) = parsed? else { return Err(without_ret()) };
    let ret = response.get("ret").and_then(number).ok_or_else(without_ret)?;
    if ret == SUCCESS {
        return Ok(PhpResult::Outputs(outputs(settings, response.remove("data").unwrap_or_default())));
    }
    let by_status = || settings.only_error(|error| u64::from(error.status.get()) == ret);
    let other = || settings.other_error().filter(|_| REJECTIONS.contains(&ret));
    let message = response.get("msg").and_then(Json::as_str).unwrap_or_default();
    let error = settings.error_by_name(&ret.to_string()).or_else(by_status).or_else(other).ok_or_else(|| {
        let declaration = json!({ "status": error_status(ret), "info": start(without_prefix(message)) });
        undeclared(&format!("{ret} {message}"), &format!("error_{ret}"), &declaration)
    })?;
    let api_error = declared(error, without_prefix(message));
    // The envelope `phalapi` adds the code to 400, or to 500 for an error of the server.
    let base = if error.status.get() >= 500 { 500 } else { 400 };
    let code = ret.checked_sub(base).filter(|code| *code <= 99).and_then(|code| u32::try_from(code).ok());
    Ok(PhpResult::Error(match code {
        Some(code) => api_error.with_phalapi_code(code),
        None => api_error,
    }))
}

/// Returns the outputs in the response to a successful call; `None` for other responses.
pub fn outputs_of_success(settings: &HandlerSettings, body: &[u8]) -> Option<Json> {
    let Json::Object(mut response) = serde_json::from_slice(body).ok()? else { return None };
    let is_success = response.get("ret").and_then(number) == Some(SUCCESS);
    let outputs = outputs(settings, response.remove("data").filter(|_| is_success)?);
    Some(if outputs.is_null() { Json::Object(serde_json::Map::new()) } else { outputs })
}

/// Removes the words with which PhalApi begins a message, because the envelope `phalapi` begins with them, too.
fn without_prefix(message: &str) -> &str {
    let stripped = MESSAGE_PREFIXES.iter().find_map(|prefix| message.strip_prefix(prefix));
    stripped.unwrap_or(message).trim_start()
}

fn without_ret() -> CallError {
    CallError::Response("the response has no `ret`, as each response of PhalApi has".to_owned())
}

/// Returns a number that PHP may have written as a text.
fn number(json: &Json) -> Option<u64> {
    json.as_u64().or_else(|| json.as_str()?.parse().ok())
}
