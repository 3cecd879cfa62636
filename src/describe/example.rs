//! Values that show what a parameter or an output may be.
//!
//! What the definition shows is shown; where it shows nothing, a value is made
//! from the type, always the same one. Every value passes its type.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::call::Value;
use crate::envelope::{Envelope, JsonMembers};
use crate::model::{From, Method, Output, Parameter};
use crate::types::{Check, Takes};

/// A value of a parameter that its place in a request can hold; none where none can be made, as of files.
#[must_use]
pub fn of_parameter(own: &Parameter) -> Option<Json> {
    let fits = |value: &Value<'_>| fits(own.from, value);
    let declared = own.example.clone().or_else(|| default(own));
    let declared = declared.filter(|declared| fits(&Value::from(declared)));
    declared.or_else(|| made(&*own.r#type.check, fits))
}

/// A value of an output; none where none can be made.
#[must_use]
pub fn of_output(own: &Output) -> Option<Json> {
    own.example.clone().or_else(|| made(&*own.r#type.check, |_| true))
}

/// A success of a method in JSON, its outputs with values that show them; none where one that is never missing has
/// none, as where files are answered.
#[must_use]
pub fn of_success(envelope: &dyn Envelope, method: &Method) -> Option<Json> {
    let outputs = match method.whole() {
        Some(output) => of_output(output)?,
        None => {
            let shown = method.outputs.iter().map(|output| (output, of_output(output)));
            let shown = shown.filter(|(output, shown)| shown.is_some() || !output.optional);
            Json::Object(shown.map(|(output, shown)| Some((output.name.clone(), shown?))).collect::<Option<_>>()?)
        }
    };
    let mut members = JsonMembers::new();
    envelope.success(&outputs, method.whole().is_some(), &mut members).ok()?;
    serde_json::from_slice(&members.finish()).ok()
}

/// What a member is in a value that shows its object, or a list of such objects.
#[must_use]
pub fn of_member<'v>(shown: &'v Json, name: &str) -> Option<&'v Json> {
    match shown {
        Json::Object(members) => members.get(name),
        Json::Array(items) => items.iter().find_map(|item| of_member(item, name)),
        _ => None,
    }
}

/// Whether a value shows more of a parameter than its default does.
pub(super) fn is_beside_default(own: &Parameter) -> bool {
    own.default.is_none() || own.example.is_some()
}

/// What a parameter holds when it is left out, as JSON: where it is written as a text, what its type makes of that.
pub(super) fn default(own: &Parameter) -> Option<Json> {
    let default = own.default.as_ref()?;
    match default {
        Json::String(text) => serde_json::to_value(own.r#type.check.decode(Cow::Borrowed(text))).ok(),
        other => Some(other.clone()),
    }
}

/// A value that passes the check and fits.
fn made(check: &dyn Check, fits: impl Fn(&Value<'_>) -> bool) -> Option<Json> {
    if matches!(check.takes(), Takes::File | Takes::Files) {
        return None;
    }
    let passes = |value: &Value<'static>| fits(value) && check.check(value.clone()).is_ok();
    let example = check.example().filter(passes);
    let dashed = || dashed(check.example()?).filter(passes);
    let made = example.or_else(dashed).or_else(|| check.extremes().into_iter().find(|value| fits(value)));
    made.map(|value| value.to_json())
}

/// Whether the place of a parameter can hold a value: no segment is empty, cookies have no blanks, and null is no text.
pub(super) fn fits(from: From, value: &Value<'_>) -> bool {
    match value {
        Value::Text(text) => match from {
            From::Path | From::Position(_) => !text.is_empty(),
            From::Cookie => text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)),
            From::Header => text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && text.trim() == &**text,
            From::Query | From::Body | From::Any => true,
        },
        Value::List(items) => from == From::Body || (!items.is_empty() && items.iter().all(|item| fits(from, item))),
        Value::Null => from == From::Body,
        _ => true,
    }
}

/// A text with dashes in place of its blanks.
fn dashed(value: Value<'static>) -> Option<Value<'static>> {
    match value {
        Value::Text(text) => Some(Value::Text(Cow::Owned(text.replace(' ', "-")))),
        _ => None,
    }
}
