//! Example values of parameters, outputs and schemas.
//!
//! The example of a parameter is its `example` in the definition, or otherwise its default. If the definition has
//! neither, an example is generated from the type of the parameter; this example is the same in every document. Every
//! example passes the check of its type.

pub(super) mod compared;
mod minimal;

use std::borrow::Cow;

use serde_json::Value as Json;

pub(super) use minimal::minimal_example;

use crate::call::Value;
use crate::constraint::Given;
use crate::envelope::{Envelope, JsonMemberWriter};
use crate::model::{Location, Method, Output, OutputPlace, Parameter, Schema};
use crate::types::{Arity, Check};

/// Returns an example value of a parameter of a method. A request can carry this value in the location from which the
/// parameter is read, such as the query. If the constraints of the method compare the parameter with others, the
/// examples of all of them fulfill the constraints. Returns `None` if no such value exists, for example for files.
#[must_use]
pub fn parameter_example(method: &Method, parameter: &Parameter) -> Option<Json> {
    compared::example(method, parameter).or_else(|| independent_example(parameter))
}

/// Returns an example value of a parameter without regard to other parameters.
fn independent_example(parameter: &Parameter) -> Option<Json> {
    let is_sendable = |value: &Value<'_>| is_sendable(parameter.from, value);
    let declared = parameter.example.clone().or_else(|| parameter_default(parameter));
    let declared = declared.filter(|declared| is_sendable(&Value::from(declared)));
    declared.or_else(|| generate_example(&*parameter.r#type.check, is_sendable))
}

/// Returns the parameters that an example request contains: the required parameters, those with an example in the
/// definition, and others that the constraints of the method require. A parameter that the constraints exclude is
/// omitted.
#[must_use]
pub fn sent_parameters(method: &Method) -> Vec<&Parameter> {
    parameters_with(method, |parameter| !parameter.optional || parameter.example.is_some())
}

/// Returns the parameters without which a request is invalid: the required parameters, and others that the constraints
/// of the method require.
pub(super) fn necessary_parameters(method: &Method) -> Vec<&Parameter> {
    parameters_with(method, |parameter| !parameter.optional)
}

/// Returns the parameters for which `is_preferred` returns `true`, changed so that they fulfill the constraints of the
/// method.
fn parameters_with(method: &Method, is_preferred: impl Fn(&Parameter) -> bool) -> Vec<&Parameter> {
    let mut sent: Vec<bool> = method.parameters.iter().map(is_preferred).collect();
    let values: Vec<Option<Value<'static>>> = match method.constraints.as_slice() {
        [] => Vec::new(),
        _ => method.parameters.iter().map(|p| parameter_example(method, p).as_ref().map(Value::from)).collect(),
    };
    let index = |name: &str| method.parameters.iter().position(|parameter| parameter.name == name);
    // Each parameter changes at most once, so that constraints without a solution end the loop.
    let mut unchanged = vec![true; sent.len()];
    loop {
        let given = |name: &str| match index(name).map(|index| (sent[index], &values[index])) {
            Some((true, Some(value))) => Given::Value(value),
            Some((true, None)) => Given::Invalid,
            _ => Given::Absent,
        };
        let broken = method.constraints.iter().find_map(|constraint| constraint.check(&given, &str::to_owned));
        let Some((index, is_missing)) = broken.and_then(|broken| Some((index(broken.name)?, broken.is_missing))) else {
            break;
        };
        if !unchanged[index] || !is_missing && !method.parameters[index].optional {
            break;
        }
        (sent[index], unchanged[index]) = (is_missing, false);
    }
    method.parameters.iter().zip(sent).filter(|(_, sent)| *sent).map(|(parameter, _)| parameter).collect()
}

/// Returns an example value of an output, or `None` if no value can be generated.
#[must_use]
pub fn output_example(output: &Output) -> Option<Json> {
    output.example.clone().or_else(|| generate_example(&*output.r#type.check, |_| true))
}

/// Returns an example value of a schema, or `None` if no value can be generated.
#[must_use]
pub fn schema_example(schema: &Schema) -> Option<Json> {
    schema.example.clone().or_else(|| generate_example(&*schema.r#type.check, |_| true))
}

/// Returns an example value of a type, or `None` if no value can be generated.
pub(super) fn type_example(check: &dyn Check) -> Option<Json> {
    generate_example(check, |_| true)
}

/// Returns an example of the outputs in the body of a response. Returns `None` if no example value exists for a
/// required output.
#[must_use]
pub fn outputs_example(method: &Method) -> Option<Json> {
    match method.whole() {
        Some(whole) => whole_example(whole),
        None => members_example(method.body_outputs()),
    }
}

/// Returns an example of the value that the handler of a method returns. Returns `None` if no example value exists for
/// a required output.
#[must_use]
pub fn returned_example(method: &Method) -> Option<Json> {
    match method.returned_whole() {
        Some(whole) => whole_example(whole),
        None => members_example(method.returned_outputs().filter(|output| output.place != OutputPlace::Status)),
    }
}

fn whole_example(whole: &Output) -> Option<Json> {
    output_example(whole).or(whole.optional.then_some(Json::Null))
}

fn members_example<'m>(outputs: impl Iterator<Item = &'m Output>) -> Option<Json> {
    let examples = outputs.map(|output| (output, output_example(output)));
    let examples = examples.filter(|(output, example)| example.is_some() || !output.optional);
    let members = examples.map(|(output, example)| Some((output.name.clone(), example?)));
    members.collect::<Option<_>>().map(Json::Object)
}

/// Returns the required outputs of a handler for which no example value exists.
pub fn outputs_without_example(method: &Method) -> impl Iterator<Item = &Output> {
    method.returned_outputs().filter(|output| !output.optional && output_example(output).is_none())
}

/// Returns an example of the JSON body of a method's success response. Returns `None` if no example value exists for a
/// required output, for example if the method returns a file.
#[must_use]
pub fn success_example(envelope: &dyn Envelope, method: &Method) -> Option<Json> {
    let outputs = outputs_example(method)?;
    let mut members = JsonMemberWriter::new();
    envelope.success(&outputs, method.whole().is_some(), &mut members).ok()?;
    serde_json::from_slice(&members.finish()).ok()
}

/// Returns the member `name` of an example that is an object, or of the first object that has the member in an example
/// that is a list of objects.
#[must_use]
pub fn member_example<'v>(example: &'v Json, name: &str) -> Option<&'v Json> {
    match example {
        Json::Object(members) => members.get(name),
        Json::Array(items) => items.iter().find_map(|item| member_example(item, name)),
        _ => None,
    }
}

/// Returns `true` if documents show an example of a parameter beside its default. This is the case if the parameter has
/// no default, or if the definition contains an example of the parameter.
pub(super) fn has_additional_example(parameter: &Parameter) -> bool {
    parameter.default.is_none() || parameter.example.is_some()
}

/// Returns the default of a parameter as JSON. If the definition contains the default as a string, the type of the
/// parameter decodes the string.
pub(super) fn parameter_default(parameter: &Parameter) -> Option<Json> {
    let default = parameter.default.as_ref()?;
    match default {
        Json::String(text) => serde_json::to_value(parameter.r#type.check.decode(Cow::Borrowed(text))).ok(),
        other => Some(other.clone()),
    }
}

/// Generates an example that passes the check `check` and for which `is_allowed` returns `true`. Returns `None` for
/// files, and if no such value is found.
fn generate_example(check: &dyn Check, is_allowed: impl Fn(&Value<'_>) -> bool) -> Option<Json> {
    if matches!(check.arity(), Arity::File | Arity::Files) {
        return None;
    }
    let passes = |value: &Value<'static>| is_allowed(value) && check.checked(value.clone()).is_ok();
    let example = check.example().filter(passes);
    let without_spaces = || replace_spaces(check.example()?).filter(passes);
    let boundary_value = || check.boundary_values().into_iter().find(|value| is_allowed(value));
    let list_of_allowed_items = || {
        let mut lists =
            check.boundary_values().into_iter().filter_map(|value| replace_forbidden_items(value, &is_allowed));
        lists.find(passes)
    };
    let value = example.or_else(without_spaces).or_else(boundary_value).or_else(list_of_allowed_items);
    value.map(|value| value.to_json())
}

/// Returns `true` if a request can carry a value in the location `from`. For example, a path segment must not be empty,
/// a cookie must not contain spaces (RFC 6265 section 4.1.1), and only a request body can contain null.
pub(super) fn is_sendable(from: Location, value: &Value<'_>) -> bool {
    let is_json = matches!(from, Location::Body | Location::WholeBody);
    match value {
        Value::Text(text) => match from {
            Location::Path | Location::Position(_) => !text.is_empty(),
            Location::Cookie => text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)),
            Location::Header => text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && text.trim() == &**text,
            Location::Query | Location::Body | Location::WholeBody | Location::Any => true,
        },
        Value::List(items) => is_json || (!items.is_empty() && items.iter().all(|item| is_sendable(from, item))),
        // An object is sent as JSON, but programs cannot send other characters in these parts of a request.
        Value::Map(_) if matches!(from, Location::Header | Location::Cookie) => value.to_json().to_string().is_ascii(),
        Value::Null => is_json,
        _ => true,
    }
}

/// Replaces the spaces in a text by hyphens. Returns `None` if the value is not a text.
fn replace_spaces(value: Value<'static>) -> Option<Value<'static>> {
    match value {
        Value::Text(text) => Some(Value::Text(Cow::Owned(text.replace(' ', "-")))),
        _ => None,
    }
}

/// Replaces each item of a list that is not allowed by the first allowed item. Items that are lists are changed in the
/// same way. Returns `None` if the value is not a list, or if no item is allowed.
fn replace_forbidden_items(value: Value<'static>, is_allowed: &impl Fn(&Value<'_>) -> bool) -> Option<Value<'static>> {
    let Value::List(items) = value else { return None };
    let allowed = |item| if is_allowed(&item) { Some(item) } else { replace_forbidden_items(item, is_allowed) };
    let items: Vec<_> = items.into_iter().map(allowed).collect();
    let first = items.iter().flatten().next()?.clone();
    Some(Value::List(items.into_iter().map(|item| item.unwrap_or_else(|| first.clone())).collect()))
}
