//! Example values of parameters and outputs.
//!
//! The example is the one in the definition, or else the default. If a definition has neither, a value is generated
//! from the type; it is the same in every document. Every example passes the check of its type.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::call::Value;
use crate::envelope::{Envelope, JsonMemberWriter};
use crate::model::{Location, Method, Output, Parameter};
use crate::types::{Arity, Check};

/// Returns an example value of a parameter that a request can carry in the parameter's location, or `None` if no such
/// value exists, as for files.
#[must_use]
pub fn of_parameter(parameter: &Parameter) -> Option<Json> {
    let is_sendable = |value: &Value<'_>| is_sendable(parameter.from, value);
    let declared = parameter.example.clone().or_else(|| default_of_parameter(parameter));
    let declared = declared.filter(|declared| is_sendable(&Value::from(declared)));
    declared.or_else(|| generate(&*parameter.r#type.check, is_sendable))
}

/// Returns an example value of an output, or `None` if no value can be generated.
#[must_use]
pub fn of_output(output: &Output) -> Option<Json> {
    output.example.clone().or_else(|| generate(&*output.r#type.check, |_| true))
}

/// Returns an example of the JSON body of a method's success response, or `None` if a required output has no example
/// value, as for methods that return a file.
#[must_use]
pub fn of_success(envelope: &dyn Envelope, method: &Method) -> Option<Json> {
    let outputs = match method.whole() {
        Some(output) => of_output(output)?,
        None => {
            let examples = method.outputs.iter().map(|output| (output, of_output(output)));
            let examples = examples.filter(|(output, example)| example.is_some() || !output.optional);
            let members = examples.map(|(output, example)| Some((output.name.clone(), example?)));
            Json::Object(members.collect::<Option<_>>()?)
        }
    };
    let mut members = JsonMemberWriter::new();
    envelope.success(&outputs, method.whole().is_some(), &mut members).ok()?;
    serde_json::from_slice(&members.finish()).ok()
}

/// Returns the member with this name in an example of an object, or of a list of objects.
#[must_use]
pub fn of_member<'v>(example: &'v Json, name: &str) -> Option<&'v Json> {
    match example {
        Json::Object(members) => members.get(name),
        Json::Array(items) => items.iter().find_map(|item| of_member(item, name)),
        _ => None,
    }
}

/// Returns `true` if documents show an example of a parameter in addition to its default: if the parameter has no
/// default, or if the definition has an example.
pub(super) fn has_additional_example(parameter: &Parameter) -> bool {
    parameter.default.is_none() || parameter.example.is_some()
}

/// Returns the default of a parameter as JSON. A default that is written as text is decoded by the type.
pub(super) fn default_of_parameter(parameter: &Parameter) -> Option<Json> {
    let default = parameter.default.as_ref()?;
    match default {
        Json::String(text) => serde_json::to_value(parameter.r#type.check.decode(Cow::Borrowed(text))).ok(),
        other => Some(other.clone()),
    }
}

/// Generates a value that passes the check and that `is_allowed` accepts.
fn generate(check: &dyn Check, is_allowed: impl Fn(&Value<'_>) -> bool) -> Option<Json> {
    if matches!(check.arity(), Arity::File | Arity::Files) {
        return None;
    }
    let passes = |value: &Value<'static>| is_allowed(value) && check.check(value.clone()).is_ok();
    let example = check.example().filter(passes);
    let dashed = || with_dashes(check.example()?).filter(passes);
    let boundary_value = || check.boundary_values().into_iter().find(|value| is_allowed(value));
    let of_allowed_items = || {
        let mut lists = check.boundary_values().into_iter().filter_map(|value| with_allowed_items(value, &is_allowed));
        lists.find(passes)
    };
    let value = example.or_else(dashed).or_else(boundary_value).or_else(of_allowed_items);
    value.map(|value| value.to_json())
}

/// Returns `true` if a request can carry a value in this location: a path segment must not be empty, a cookie has no
/// spaces (RFC 6265 section 4.1.1), and only a body can contain null.
pub(super) fn is_sendable(from: Location, value: &Value<'_>) -> bool {
    match value {
        Value::Text(text) => match from {
            Location::Path | Location::Position(_) => !text.is_empty(),
            Location::Cookie => text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)),
            Location::Header => text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && text.trim() == &**text,
            Location::Query | Location::Body | Location::Any => true,
        },
        Value::List(items) => {
            from == Location::Body || (!items.is_empty() && items.iter().all(|item| is_sendable(from, item)))
        }
        Value::Null => from == Location::Body,
        _ => true,
    }
}

/// Replaces the spaces in a text by hyphens.
fn with_dashes(value: Value<'static>) -> Option<Value<'static>> {
    match value {
        Value::Text(text) => Some(Value::Text(Cow::Owned(text.replace(' ', "-")))),
        _ => None,
    }
}

/// Replaces the items of a list that are not allowed by the first one that is. Returns `None` if no item is allowed.
fn with_allowed_items(value: Value<'static>, is_allowed: impl Fn(&Value<'_>) -> bool) -> Option<Value<'static>> {
    let Value::List(items) = value else { return None };
    let first = items.iter().find(|item| is_allowed(item))?.clone();
    let allowed = |item: Value<'static>| if is_allowed(&item) { item } else { first.clone() };
    Some(Value::List(items.into_iter().map(allowed).collect()))
}
