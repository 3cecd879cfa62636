//! Compares a response with what a step expects.

use rulebook_model::definition::{JsonData, JsonMember, JsonNode};
use rulebook_model::span::Span;
use rulebook_model::test_file::{Call, Step, fill};
use rulebook_test::TestResponse;
use serde_json::{Map, Value as Json};

use super::run::{Failure, text};

/// The maximum length in characters of a value in a message.
const MAX_SHOWN: usize = 300;

/// Returns what a response does not fulfil.
pub(super) fn check_response(step: &Step, response: &TestResponse, saved: &Map<String, Json>) -> Vec<Failure> {
    let expect = &step.expect;
    let mut failures = Vec::new();
    let status = response.status();
    if expect.status.is_none() && expect.error.is_none() && response.is_error() {
        let span = match &step.call {
            Call::Method(id) => id.span,
            Call::Request(_, target) => target.span,
        };
        failures
            .push(Failure::new(span, format!("expected a success, got the status {status}{}", error_name(response))));
    }
    if let Some(expected) = expect.status.as_ref().filter(|expected| expected.value != u64::from(status)) {
        let message = format!("status: expected {}, got {status}{}", expected.value, error_name(response));
        failures.push(Failure::new(expected.span, message));
    }
    if let Some(expected) = expect.error.as_ref().filter(|expected| response.code() != Some(&*expected.value)) {
        let got = match response.code() {
            Some(code) => format!("`{code}`"),
            None if response.is_error() => format!("an error without a name, with the status {status}"),
            None => format!("a success with the status {status}"),
        };
        failures.push(Failure::new(expected.span, format!("error: expected `{}`, got {got}", expected.value)));
    }
    if let Some(expected) = &expect.parameters {
        let got = response.invalid_parameters();
        if got != expected.value {
            let message = format!("parameters: expected {}, got {}", shown(&expected.value), shown(&got));
            failures.push(Failure::new(expected.span, message));
        }
    }
    let is_unexpected_error = response.is_error() && !failures.is_empty();
    let mut comparison = Comparison { saved, failures };
    if let Some(out) = &expect.out {
        match response.result() {
            Some(result) => comparison.compare("out", out, &result),
            // That an unexpected error has no outputs, too, says nothing new.
            None if is_unexpected_error => {}
            None => comparison.fail(out.span, "out: the response has no outputs".to_owned()),
        }
    }
    for field in &expect.headers {
        comparison.compare_header(field, response);
    }
    if let Some(body) = &expect.body {
        let document: Option<Json> = serde_json::from_slice(response.body()).ok();
        match (&body.data, document) {
            (JsonData::String(_), _) => {
                let got = String::from_utf8_lossy(response.body()).into_owned();
                comparison.compare("body", body, &Json::String(got));
            }
            (_, Some(document)) => comparison.compare("body", body, &document),
            (_, None) => comparison.fail(body.span, "body: the body is not JSON".to_owned()),
        }
    }
    comparison.failures
}

/// Returns the value that a step saves.
pub(super) fn saved_value(member: &JsonMember, response: &TestResponse) -> Result<Json, Failure> {
    let node = &member.value;
    let name = &member.key.value;
    if let Some(field) = node.member("header").and_then(JsonNode::string) {
        let missing = || Failure::new(node.span, format!("save `{name}`: the response has no field `{}`", field.value));
        return response.header(&field.value).map(Json::from).ok_or_else(missing);
    }
    let path = node.string().map(|path| path.value).unwrap_or_default();
    let missing = || Failure::new(node.span, format!("save `{name}`: the response has no output `{path}`"));
    let result = response.result().ok_or_else(missing)?;
    if path == "*" {
        return Ok(result);
    }
    let found = path.split('.').try_fold(&result, |value, part| match value {
        Json::Array(items) => items.get(part.parse::<usize>().ok()?),
        _ => value.get(part),
    });
    found.cloned().ok_or_else(missing)
}

struct Comparison<'s> {
    saved: &'s Map<String, Json>,
    failures: Vec<Failure>,
}

impl Comparison<'_> {
    fn fail(&mut self, span: Span, message: String) {
        self.failures.push(Failure::new(span, message));
    }

    /// Compares a value with the expected one. Objects can have more members than expected; arrays must have as many
    /// items.
    fn compare(&mut self, path: &str, expected: &JsonNode, got: &Json) {
        match (&expected.data, got) {
            (JsonData::Object(members), Json::Object(found)) => {
                for member in &members.list {
                    let path = format!("{path}.{}", member.key.value);
                    match found.get(&member.key.value) {
                        Some(value) => self.compare(&path, &member.value, value),
                        None => {
                            let names: Vec<_> = found.keys().collect();
                            self.fail(member.key.span, format!("{path}: it is missing; there is {}", shown(&names)));
                        }
                    }
                }
            }
            (JsonData::Array(items), Json::Array(found)) if items.len() == found.len() => {
                for (index, (item, value)) in items.iter().zip(found).enumerate() {
                    self.compare(&format!("{path}.{index}"), item, value);
                }
            }
            (JsonData::Array(items), Json::Array(found)) => {
                let message = format!("{path}: expected {} items, got {}: {}", items.len(), found.len(), shown(got));
                self.fail(expected.span, message);
            }
            _ => match fill(expected, self.saved, str::to_owned) {
                Ok(value) if is_equal(&value, got) => {}
                Ok(value) => {
                    self.fail(expected.span, format!("{path}: expected {}, got {}", shown(&value), shown(got)));
                }
                Err(error) => self.failures.push(error.into()),
            },
        }
    }

    fn compare_header(&mut self, field: &JsonMember, response: &TestResponse) {
        let name = field.key.value.as_str();
        let got = response.header(name);
        let message = match (&field.value.data, got) {
            (JsonData::Bool(true), Some(_)) | (JsonData::Bool(false), None) => return,
            (JsonData::Bool(false), Some(got)) => format!("headers.{name}: expected no such field, got {}", shown(got)),
            (_, None) => format!("headers.{name}: the response has no such field"),
            (_, Some(got)) => match fill(&field.value, self.saved, str::to_owned).map(text) {
                Ok(value) if value == got => return,
                Ok(value) => format!("headers.{name}: expected {}, got {}", shown(&value), shown(got)),
                Err(error) => error.message,
            },
        };
        self.fail(field.value.span, message);
    }
}

/// Returns `true` for equal values. Numbers are equal if they have the same value: `1` and `1.0`.
fn is_equal(expected: &Json, got: &Json) -> bool {
    match (expected, got) {
        (Json::Number(one), Json::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Json::Array(items), Json::Array(found)) => {
            items.len() == found.len() && items.iter().zip(found).all(|(one, other)| is_equal(one, other))
        }
        (Json::Object(members), Json::Object(found)) => {
            members.iter().all(|(name, value)| found.get(name).is_some_and(|other| is_equal(value, other)))
        }
        _ => expected == got,
    }
}

/// Returns the name of an error, and its message, for a message.
fn error_name(response: &TestResponse) -> String {
    let code = response.code().map(|code| format!(", `{code}`"));
    let message = response.message().map(|message| format!(": {message}"));
    code.unwrap_or_default() + &message.unwrap_or_default()
}

/// Returns a value as JSON, without its end if it is long.
fn shown(value: impl serde::Serialize) -> String {
    shortened(&serde_json::to_string(&value).unwrap_or_default(), MAX_SHOWN)
}

/// Returns the beginning of a text, with an ellipsis if the text has more characters than `max`.
pub(super) fn shortened(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
