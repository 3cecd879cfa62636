//! The structure that every response must have.

use serde_json::Value;

use super::Answer;

/// The envelope of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Aicra,
    Plain,
    /// A problem document for errors, otherwise `aicra`.
    AicraProblem,
    /// PhalApi's envelope, with the real HTTP status or with 200.
    Phalapi,
    /// internal-api's envelope, with the real HTTP status or a more general one.
    Iapi,
}

/// Returns why a response is not a complete document in this envelope; none if it is.
pub fn violation(answer: &Answer, shape: Shape) -> Option<String> {
    let say = |what: &str| Some(format!("{what}: {answer:?}"));
    if !(200..=599).contains(&answer.status) {
        return say("the status is out of range");
    }
    if shape == Shape::Phalapi && answer.field("content-type") == Some("application/json;charset=utf-8") {
        return phalapi(answer);
    }
    let refused = answer.status >= 400;
    let iapi = shape == Shape::Iapi && answer.field("content-type") == Some("application/json");
    if matches!(answer.status, 204 | 205) {
        let nothing = answer.body.is_empty() && answer.field("content-type").is_none();
        return if nothing { None } else { say("a response without content has a body") };
    }
    let problem = refused && shape != Shape::Aicra && !iapi;
    let media_type = if problem { "application/problem+json" } else { "application/json" };
    if answer.field("content-type") != Some(media_type) {
        return say(&format!("the media type is not {media_type}"));
    }
    if answer.field("x-content-type-options") != Some("nosniff") {
        return say("X-Content-Type-Options is missing");
    }
    let Ok(document) = serde_json::from_slice::<Value>(&answer.body) else {
        return say("the body is not JSON");
    };
    let text = |key: &str| document[key].as_str().is_some_and(|text| !text.is_empty());
    let errors =
        document.get("errors").is_none_or(|errors| errors.as_array().is_some_and(|all| all.iter().all(is_complete)));
    let complete = match (problem, refused) {
        (true, _) => {
            let texts = ["type", "title", "detail", "code"].iter().all(|key| text(key));
            texts && errors && document["status"] == answer.status
        }
        (false, true) if iapi => errors && text("message") && document["status"] == "error",
        (false, true) => errors && text("ErrorDescription") && document["error"].as_u64().is_some_and(|code| code > 0),
        (false, false) if matches!(shape, Shape::Plain | Shape::Iapi) => true,
        (false, false) => document["error"] == 0 && document["ErrorDescription"] == "all right",
    };
    let required = match answer.status {
        401 => "www-authenticate",
        405 => "allow",
        _ => "content-type",
    };
    if answer.field(required).is_none_or(str::is_empty) {
        return say(&format!("{required} is missing"));
    }
    if complete { None } else { say("the document is not complete") }
}

/// Does the same for a response in PhalApi's envelope.
fn phalapi(answer: &Answer) -> Option<String> {
    let say = |what: &str| Some(format!("{what}: {answer:?}"));
    let Ok(Value::Object(document)) = serde_json::from_slice::<Value>(&answer.body) else {
        return say("the body is not JSON object");
    };
    if document.keys().ne(["ret", "data", "msg"]) {
        return say("the members are not those of the envelope");
    }
    let (ret, msg) = (document["ret"].as_u64().unwrap_or_default(), document["msg"].as_str().unwrap_or_default());
    match ret {
        500 => say("it is an internal error"),
        200 if !msg.is_empty() => say("a success has a message"),
        200 if answer.status > 299 => say("a success has the status of an error"),
        400..=599 if msg.is_empty() => say("an error has no message"),
        400..=599 if answer.status != 200 && u64::from(answer.status) != ret => say("the status is not `ret`"),
        200 | 400..=599 => None,
        _ => say("`ret` is out of range"),
    }
}

/// Returns `true` if the error of a parameter has all members.
fn is_complete(error: &Value) -> bool {
    let places = ["path", "query", "body", "query or body", "header", "cookie"];
    let got = &error["got"];
    error["parameter"].is_string()
        && error["in"].as_str().is_some_and(|place| places.contains(&place))
        && error["expected"].as_str().is_some_and(|text| !text.is_empty())
        && (got.is_null() || got.as_str().is_some_and(|got| got.chars().count() <= 101))
}
