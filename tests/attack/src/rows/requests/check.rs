//! Checks that a response is one that the documentation describes.

use serde_json::Value;

use crate::response::Response;

/// The media types of documents and files, which have no envelope, besides pages.
const DOCUMENTS: &[&str] =
    &["text/css", "text/javascript", "image/", "application/openmetrics-text", "application/octet-stream"];

/// The maximum length in bytes of a successful response that is parsed.
const MAX_PARSED_LEN: usize = 100_000;

/// Checks a response. `is_head` is `true` if the method of the request is HEAD. Fails with the reason why the response
/// is not one that the documentation describes.
pub fn check_response(response: &Response, is_head: bool) -> Result<(), String> {
    check(response, is_head).map_err(|reason| format!("{reason}: {}", response.summary()))
}

/// Fails with a reason unless a condition is met.
fn ensure(is_met: bool, reason: &'static str) -> Result<(), &'static str> {
    if is_met { Ok(()) } else { Err(reason) }
}

fn check(response: &Response, is_head: bool) -> Result<(), &'static str> {
    if response.rejects_head() {
        return Ok(());
    }
    ensure(response.field("x-request-id").is_some(), "the response has no request id")?;
    // The documentation describes these errors of the server: full storage, or work that must be retried.
    let is_planned = response.status == 503 && response.field("retry-after").is_some();
    ensure(response.status < 500 || is_planned, "unplanned error of the server")?;
    if is_head || matches!(response.status, 204 | 304) {
        return ensure(response.body.is_empty(), "a response without content has a body");
    }
    let media_type = response.field("content-type").unwrap_or_default();
    let is_fixed = response.field("x-content-type-options") == Some("nosniff");
    ensure(media_type.is_empty() || is_fixed, "`X-Content-Type-Options` is missing")?;
    if let Some(coding) = response.field("content-encoding") {
        // The content of compressed responses is the same as that of others, which are checked.
        return ensure(matches!(coding, "gzip" | "br"), "unexpected content coding");
    }
    let kind = media_type.split(';').next().unwrap_or_default();
    match kind {
        "application/problem+json" => check_problem(response),
        "application/json" => check_json(response),
        "text/javascript" if response.body.starts_with(b"/**/ typeof ") => check_script(response),
        "" => ensure(response.body.is_empty(), "the body has no media type"),
        // A file that is not the expected one, and a range outside of a file, have no bytes.
        _ if matches!(response.status, 412 | 416) && response.body.is_empty() => Ok(()),
        "text/html" => {
            ensure(response.field("content-security-policy").is_some(), "a page has no `Content-Security-Policy`")
        }
        "text/markdown" | "text/plain" => Ok(()),
        _ if response.status >= 400 => Err("an error has no envelope"),
        _ => ensure(DOCUMENTS.iter().any(|document| kind.starts_with(document)), "unexpected media type"),
    }
}

fn parse_object(response: &Response) -> Result<Value, &'static str> {
    serde_json::from_slice(&response.body).map_err(|_| "the body is not JSON")
}

fn has_text(document: &Value, member: &str) -> bool {
    document[member].as_str().is_some_and(|text| !text.is_empty())
}

fn check_problem(response: &Response) -> Result<(), &'static str> {
    let document = parse_object(response)?;
    let is_complete = ["type", "title", "detail", "code"].iter().all(|member| has_text(&document, member));
    ensure(is_complete && document["status"] == response.status, "the problem document is incomplete")
}

/// Checks a body in the envelope `aicra`, `phalapi` or `iapi`, or a document in JSON. In `plain` and `iapi`, a success
/// consists of the outputs; errors in `plain` have another media type.
fn check_json(response: &Response) -> Result<(), &'static str> {
    // A success of this length is a document, such as `/openapi.json`, which other tests check.
    if response.status == 200 && response.body.len() > MAX_PARSED_LEN {
        return Ok(());
    }
    let document = parse_object(response)?;
    if document.get("ret").is_some() {
        return check_phalapi(response, &document);
    }
    if response.status >= 400 {
        let is_aicra = document["error"].as_u64().is_some_and(|error| error > 0);
        let is_aicra = is_aicra && has_text(&document, "ErrorDescription");
        let is_iapi = document["status"] == "error" && has_text(&document, "message");
        return ensure(is_aicra || is_iapi, "an error has no envelope");
    }
    let is_success = document.get("error").is_none_or(|error| *error == 0);
    ensure((document.is_object() && is_success) || document.is_array(), "a success is not an object or array")
}

fn check_phalapi(response: &Response, document: &Value) -> Result<(), &'static str> {
    let has_members = ["data", "msg", "ret"].iter().all(|member| document.get(member).is_some());
    let is_envelope = has_members && document.as_object().is_some_and(|object| object.len() == 3);
    ensure(is_envelope, "the members are not those of the envelope")?;
    let matches_status = match document["ret"].as_u64().unwrap_or_default() {
        200 => response.status < 300,
        ret @ 400..=599 => has_text(document, "msg") && [200, ret].contains(&u64::from(response.status)),
        _ => false,
    };
    ensure(matches_status, "`ret` does not match the status")
}

/// Checks a script that calls a function with a body in its envelope (JSONP).
fn check_script(response: &Response) -> Result<(), &'static str> {
    ensure(response.status == 200, "a script has an error status")?;
    let text = String::from_utf8_lossy(&response.body);
    let argument = text.split_once('(').and_then(|(_, rest)| rest.trim_end().strip_suffix(");"));
    let document: Option<Value> = argument.and_then(|argument| serde_json::from_str(argument).ok());
    let is_object = document.is_some_and(|document| document.is_object());
    ensure(is_object && !text.contains(['<', '\u{2028}']), "the script has no envelope")
}
