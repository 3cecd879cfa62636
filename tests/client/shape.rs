//! The shape that an answer must have, whatever was asked.

use serde_json::Value;

use super::Answer;

/// The envelope of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Aicra,
    Plain,
    /// A problem document where it is a refusal, else `aicra`.
    AicraProblem,
    /// With the real HTTP status or with 200.
    Phalapi,
    /// With the real HTTP status or a coarser one.
    Iapi,
}

/// In which way an answer with a body is no complete document of this shape; none where it is one.
pub fn flaw(answer: &Answer, shape: Shape) -> Option<String> {
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
        return if nothing { None } else { say("no content has a body") };
    }
    let problem = refused && shape != Shape::Aicra && !iapi;
    let media_type = if problem { "application/problem+json" } else { "application/json" };
    if answer.field("content-type") != Some(media_type) {
        return say(&format!("the media type is not {media_type}"));
    }
    if answer.field("x-content-type-options") != Some("nosniff") {
        return say("it may be sniffed");
    }
    let Ok(document) = serde_json::from_slice::<Value>(&answer.body) else {
        return say("the body is no JSON");
    };
    let text = |key: &str| document[key].as_str().is_some_and(|text| !text.is_empty());
    let faults = document.get("errors").is_none_or(|faults| faults.as_array().is_some_and(|all| all.iter().all(whole)));
    let complete = match (problem, refused) {
        (true, _) => {
            let texts = ["type", "title", "detail", "code"].iter().all(|key| text(key));
            texts && faults && document["status"] == answer.status
        }
        (false, true) if iapi => faults && text("message") && document["status"] == "error",
        (false, true) => faults && text("ErrorDescription") && document["error"].as_u64().is_some_and(|code| code > 0),
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

/// The same of an answer in the `phalapi` envelope.
fn phalapi(answer: &Answer) -> Option<String> {
    let say = |what: &str| Some(format!("{what}: {answer:?}"));
    let Ok(Value::Object(document)) = serde_json::from_slice::<Value>(&answer.body) else {
        return say("the body is no JSON object");
    };
    if document.keys().ne(["ret", "data", "msg"]) {
        return say("the members are not those of the envelope");
    }
    let (ret, msg) = (document["ret"].as_u64().unwrap_or_default(), document["msg"].as_str().unwrap_or_default());
    match ret {
        500 => say("it failed"),
        200 if !msg.is_empty() => say("a success has a message"),
        200 if answer.status > 299 => say("a success has the status of a refusal"),
        400..=599 if msg.is_empty() => say("a refusal has no message"),
        400..=599 if answer.status != 200 && u64::from(answer.status) != ret => say("the status is not `ret`"),
        200 | 400..=599 => None,
        _ => say("`ret` is out of range"),
    }
}

/// Whether a parameter at fault is told as a whole.
fn whole(fault: &Value) -> bool {
    let places = ["path", "query", "body", "query or body", "header", "cookie"];
    let got = &fault["got"];
    fault["parameter"].is_string()
        && fault["in"].as_str().is_some_and(|place| places.contains(&place))
        && fault["expected"].as_str().is_some_and(|text| !text.is_empty())
        && (got.is_null() || got.as_str().is_some_and(|got| got.chars().count() <= 101))
}
