//! Checks that a response is one that the documentation describes.

use serde_json::Value;

use crate::response::Response;

/// The media types of documents, pages and files, which have no envelope.
const DOCUMENTS: &[&str] = &[
    "text/html",
    "text/css",
    "text/javascript",
    "text/markdown",
    "text/plain",
    "image/",
    "application/openmetrics-text",
    "application/octet-stream",
];

/// The maximum length in bytes of a successful response that is parsed.
const MAX_PARSED_LEN: usize = 100_000;

/// Checks a response. `is_head` is `true` if the method of the request is HEAD, and `is_options` if it is OPTIONS or
/// unknown. Fails with the reason why the response is not one that the documentation describes.
pub fn check_response(response: &Response, is_head: bool, is_options: bool) -> Result<(), String> {
    check(response, is_head, is_options).map_err(|reason| format!("{reason}: {}", response.summary()))
}

fn check(response: &Response, is_head: bool, is_options: bool) -> Result<(), &'static str> {
    let media_type = response.field("content-type").unwrap_or_default();
    if response.rejects_head() {
        return Ok(());
    } else if response.field("x-request-id").is_none() {
        return Err("the response has no request id");
    }
    if response.status >= 500 && !is_planned(response) {
        return Err("unplanned error of the server");
    }
    if is_head || matches!(response.status, 204 | 304) {
        return if response.body.is_empty() { Ok(()) } else { Err("a response without content has a body") };
    }
    if !media_type.is_empty() && response.field("x-content-type-options") != Some("nosniff") {
        return Err("`X-Content-Type-Options` is missing");
    }
    if let Some(coding) = response.field("content-encoding") {
        // The content of compressed responses is the same as that of others, which are checked.
        return if matches!(coding, "gzip" | "br") { Ok(()) } else { Err("unexpected content coding") };
    }
    let kind = media_type.split(';').next().unwrap_or_default();
    match kind {
        "application/problem+json" => check_problem(response),
        "application/json" => check_json(response, is_options),
        "text/javascript" if response.body.starts_with(b"/**/ typeof ") => check_script(response),
        "" if response.body.is_empty() => Ok(()),
        // A file that is not the expected one, and a range outside of a file, have no bytes.
        _ if matches!(response.status, 412 | 416) && response.body.is_empty() => Ok(()),
        _ if response.status >= 400 && kind != "text/html" && kind != "text/markdown" && kind != "text/plain" => {
            Err("an error has no envelope")
        }
        "text/html" if response.field("content-security-policy").is_none() => {
            Err("a page has no `Content-Security-Policy`")
        }
        _ if DOCUMENTS.iter().any(|document| kind.starts_with(document)) => Ok(()),
        _ => Err("unexpected media type"),
    }
}

/// Returns `true` if the documentation describes this error of the server: full storage, or work that must be retried.
fn is_planned(response: &Response) -> bool {
    response.status == 503 && response.field("retry-after").is_some()
}

fn parse_object(response: &Response) -> Option<Value> {
    serde_json::from_slice(&response.body).ok()
}

fn has_text(document: &Value, member: &str) -> bool {
    document[member].as_str().is_some_and(|text| !text.is_empty())
}

fn check_problem(response: &Response) -> Result<(), &'static str> {
    let document = parse_object(response).ok_or("the body is not JSON")?;
    let is_complete = ["type", "title", "detail", "code"].iter().all(|member| has_text(&document, member));
    if is_complete && document["status"] == response.status {
        Ok(())
    } else {
        Err("the problem document is incomplete")
    }
}

/// Checks a body in the envelope `aicra`, `phalapi` or `iapi`, or a document in JSON.
fn check_json(response: &Response, is_options: bool) -> Result<(), &'static str> {
    // A success of this length is a document, such as `/openapi.json`, which other tests check.
    if response.status == 200 && response.body.len() > MAX_PARSED_LEN {
        return Ok(());
    }
    let document = parse_object(response).ok_or("the body is not JSON")?;
    if document.get("ret").is_some() {
        return check_phalapi(response, &document);
    }
    if response.status >= 400 {
        let is_aicra =
            document["error"].as_u64().is_some_and(|error| error > 0) && has_text(&document, "ErrorDescription");
        let is_iapi = document["status"] == "error" && has_text(&document, "message");
        return if is_aicra || is_iapi { Ok(()) } else { Err("an error has no envelope") };
    }
    let is_aicra = document["error"] == 0 && document["ErrorDescription"] == "all right";
    let is_document = ["openapi", "status", "ready", "module", "modules", "/", "$below"]
        .iter()
        .any(|member| document.get(member).is_some());
    // A success in the envelope `iapi` consists of the outputs: an array, or the link of a download.
    let is_iapi = document.is_array() || has_text(&document, "link");
    if is_aicra || is_document || is_iapi || is_options { Ok(()) } else { Err("a success has no envelope") }
}

fn check_phalapi(response: &Response, document: &Value) -> Result<(), &'static str> {
    let members = document.as_object().map(|object| object.keys().map(String::as_str).collect::<Vec<_>>());
    let ret = document["ret"].as_u64().unwrap_or_default();
    let has_message = has_text(document, "msg");
    if members.is_none_or(|mut members| {
        members.sort_unstable();
        members != ["data", "msg", "ret"]
    }) {
        return Err("the members are not those of the envelope");
    }
    match ret {
        200 if response.status < 300 => Ok(()),
        400..=599 if has_message && (response.status == 200 || u64::from(response.status) == ret) => Ok(()),
        _ => Err("`ret` does not match the status"),
    }
}

/// Checks a script that calls a function with a body in its envelope (JSONP).
fn check_script(response: &Response) -> Result<(), &'static str> {
    let text = String::from_utf8_lossy(&response.body);
    let argument = text.split_once('(').and_then(|(_, rest)| rest.trim_end().strip_suffix(");"));
    let document: Option<Value> = argument.and_then(|argument| serde_json::from_str(argument).ok());
    let has_envelope = document.is_some_and(|document| {
        has_text(&document, "ErrorDescription") || document.get("ret").is_some() || document.get("code").is_some()
    });
    if response.status != 200 {
        Err("a script has an error status")
    } else if !has_envelope || text.contains('<') || text.contains('\u{2028}') {
        Err("the script has no envelope")
    } else {
        Ok(())
    }
}
