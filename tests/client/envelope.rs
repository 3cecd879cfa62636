//! Checks the structure that every response must have. It depends on the envelope, the format of responses.

use serde_json::Value;

use super::Response;

/// The envelope of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvelopeKind {
    Aicra,
    Plain,
    /// Errors are problem documents (RFC 9457), other responses are in the envelope `aicra`.
    AicraProblem,
    /// The envelope of PhalApi. The HTTP status is the real status, or always 200.
    Phalapi,
    /// The envelope of aicra since version 0.4.3.
    AicraStatus,
    /// The envelope of internal-api. The HTTP status is the real status, or a more general status such as 400.
    Iapi,
}

/// The media type of responses in the envelope `aicra-status`.
const AICRA_STATUS_TYPE: &str = "application/json; charset=utf-8";

/// Returns the reason why a response does not have the structure of this envelope; `None` if it has this structure.
pub fn violation(response: &Response, envelope: EnvelopeKind) -> Option<String> {
    let violation = |text: &str| Some(format!("{text}: {response:?}"));
    if !(200..=599).contains(&response.status) {
        return violation("the status is out of range");
    }
    if envelope == EnvelopeKind::Phalapi && response.field("content-type") == Some("application/json;charset=utf-8") {
        return phalapi_violation(response);
    }
    let is_error = response.status >= 400;
    let iapi = envelope == EnvelopeKind::Iapi && response.field("content-type") == Some("application/json");
    let aicra_status =
        envelope == EnvelopeKind::AicraStatus && response.field("content-type") == Some(AICRA_STATUS_TYPE);
    if matches!(response.status, 204 | 205) {
        let is_empty = response.body.is_empty() && response.field("content-type").is_none();
        return if is_empty { None } else { violation("a response without content has a body") };
    }
    let problem = is_error && envelope != EnvelopeKind::Aicra && !iapi && !aicra_status;
    let media_type = match envelope {
        _ if problem => "application/problem+json",
        EnvelopeKind::AicraStatus => AICRA_STATUS_TYPE,
        _ => "application/json",
    };
    if response.field("content-type") != Some(media_type) {
        return violation(&format!("the media type is not {media_type}"));
    }
    if response.field("x-content-type-options") != Some("nosniff") {
        return violation("X-Content-Type-Options is missing");
    }
    let Ok(document) = serde_json::from_slice::<Value>(&response.body) else {
        return violation("the body is not JSON");
    };
    let text = |key: &str| document[key].as_str().is_some_and(|text| !text.is_empty());
    let errors = document
        .get("errors")
        .is_none_or(|errors| errors.as_array().is_some_and(|all| all.iter().all(is_complete_parameter_error)));
    let complete = match (problem, is_error) {
        (true, _) => {
            let texts = ["type", "title", "detail", "code"].iter().all(|key| text(key));
            texts && errors && document["status"] == response.status
        }
        (false, _) if aicra_status => text("status") && is_error != (document["status"] == "all right"),
        (false, true) if iapi => errors && text("message") && document["status"] == "error",
        (false, true) => errors && text("ErrorDescription") && document["error"].as_u64().is_some_and(|code| code > 0),
        (false, false) if matches!(envelope, EnvelopeKind::Plain | EnvelopeKind::Iapi) => true,
        (false, false) => document["error"] == 0 && document["ErrorDescription"] == "all right",
    };
    let required = match response.status {
        401 => "www-authenticate",
        405 => "allow",
        _ => "content-type",
    };
    if response.field(required).is_none_or(str::is_empty) {
        return violation(&format!("{required} is missing"));
    }
    if complete { None } else { violation("the document is not complete") }
}

/// Returns the reason why a response does not have the structure of PhalApi's envelope; `None` if it has this
/// structure.
fn phalapi_violation(response: &Response) -> Option<String> {
    let violation = |text: &str| Some(format!("{text}: {response:?}"));
    let Ok(Value::Object(document)) = serde_json::from_slice::<Value>(&response.body) else {
        return violation("the body is not JSON object");
    };
    if document.keys().ne(["ret", "data", "msg"]) {
        return violation("the members are not those of the envelope");
    }
    let (ret, msg) = (document["ret"].as_u64().unwrap_or_default(), document["msg"].as_str().unwrap_or_default());
    match ret {
        500 => violation("it is an internal error"),
        200 if !msg.is_empty() => violation("a success has a message"),
        200 if response.status > 299 => violation("a success has the status of an error"),
        400..=599 if msg.is_empty() => violation("an error has no message"),
        400..=599 if response.status != 200 && u64::from(response.status) != ret => {
            violation("the status is not `ret`")
        }
        200 | 400..=599 => None,
        _ => violation("`ret` is out of range"),
    }
}

/// Returns `true` if a parameter error in a response has all members.
fn is_complete_parameter_error(error: &Value) -> bool {
    let locations = ["path", "query", "body", "query or body", "header", "cookie"];
    let got = &error["got"];
    error["parameter"].is_string()
        && error["in"].as_str().is_some_and(|location| locations.contains(&location))
        && error["expected"].as_str().is_some_and(|text| !text.is_empty())
        && (got.is_null() || got.as_str().is_some_and(|got| got.chars().count() <= 101))
}
