//! Example values of parameters, outputs and schemas.
//!
//! The example of a parameter is its `example` in the definition, or otherwise its default. If the definition has
//! neither, an example is generated from the type of the parameter; this example is the same in every document. Every
//! example passes the check of its type.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::call::Value;
use crate::constraint::{Constraint, Given};
use crate::envelope::{Envelope, JsonMemberWriter};
use crate::model::{Location, Method, Output, OutputPlace, Parameter, Schema};
use crate::types::{Arity, Check, Structure};

/// Returns an example value of a parameter of a method. A request can carry this value in the location from which the
/// parameter is read, such as the query. If the constraints of the method compare the parameter with others, the
/// examples of all of them fulfill the constraints. Returns `None` if no such value exists, for example for files.
#[must_use]
pub fn parameter_example(method: &Method, parameter: &Parameter) -> Option<Json> {
    compared_example(method, parameter).or_else(|| independent_example(parameter))
}

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

/// The required parameters, and others that the constraints of the method require.
pub(super) fn necessary_parameters(method: &Method) -> Vec<&Parameter> {
    parameters_with(method, |parameter| !parameter.optional)
}

/// The preferred parameters, changed so that they fulfill the constraints of the method.
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

/// Documents show an example beside the default only if the definition contains one.
pub(super) fn has_additional_example(parameter: &Parameter) -> bool {
    parameter.default.is_none() || parameter.example.is_some()
}

/// If the definition contains the default as a string, the type of the parameter decodes the string.
pub(super) fn parameter_default(parameter: &Parameter) -> Option<Json> {
    let default = parameter.default.as_ref()?;
    match default {
        Json::String(text) => serde_json::to_value(parameter.r#type.check.decode(Cow::Borrowed(text))).ok(),
        other => Some(other.clone()),
    }
}

/// Returns `None` for files, and if no value passes `check` and is allowed.
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

// Examples of the parameters that the constraints of a method compare: together they fulfill the constraints.

const MAX_TRIES: usize = 10_000;

fn is_compared(method: &Method, parameter: &Parameter) -> bool {
    comparing(method).any(|constraint| constraint.names.contains(&parameter.name))
}

fn comparing(method: &Method) -> impl Iterator<Item = &Constraint> {
    method.constraints.iter().filter(|constraint| constraint.kind.compares_values())
}

/// `None` if no constraint compares the parameter with others, or if no value was found that fulfills the constraints.
fn compared_example(method: &Method, parameter: &Parameter) -> Option<Json> {
    if !is_compared(method, parameter) {
        return None;
    }
    let mut parameters: Vec<_> = method.parameters.iter().filter(|other| is_compared(method, other)).collect();
    // The values of these parameters are chosen last, because a request does not need them.
    parameters.sort_by_key(|parameter| can_be_omitted(parameter));
    let parameters: Vec<_> = parameters.into_iter().map(|parameter| (parameter, candidates(parameter))).collect();
    let mut search = Search { method, chosen: BTreeMap::new(), tries: 0 };
    search.choose(&parameters);
    search.chosen.remove(parameter.name.as_str()).map(|value| value.to_json())
}

fn can_be_omitted(parameter: &Parameter) -> bool {
    parameter.optional && parameter.example.is_none() && parameter.default.is_none()
}

/// Returns `true` if the definition chooses the value that is compared.
fn is_fixed(parameter: &Parameter) -> bool {
    parameter.example.is_some() || parameter.default.is_some()
}

fn is_possible(parameter: &Parameter, value: &Value<'static>) -> bool {
    is_sendable(parameter.from, value) && parameter.r#type.check.checked(value.clone()).is_ok()
}

/// Returns the values that can be the example of a parameter, the preferred value first. An example in the definition
/// is not replaced, nor is a default, which the server uses if a request does not contain the parameter.
fn candidates(parameter: &Parameter) -> Vec<Value<'static>> {
    let preferred = independent_example(parameter).as_ref().map(Value::from);
    if is_fixed(parameter) {
        return preferred.into_iter().collect();
    }
    let others = parameter.r#type.check.boundary_values().into_iter();
    preferred.into_iter().chain(others.filter(|value| is_possible(parameter, value))).collect()
}

struct Search<'m> {
    method: &'m Method,
    /// The chosen values, by the names of their parameters.
    chosen: BTreeMap<&'m str, Value<'static>>,
    tries: usize,
}

impl<'m> Search<'m> {
    /// Chooses a value for each parameter, which are given with their candidates. The values of other parameters are
    /// candidates, too. Returns `false` if no values were found.
    fn choose(&mut self, parameters: &[(&'m Parameter, Vec<Value<'static>>)]) -> bool {
        let Some(((parameter, candidates), others)) = parameters.split_first() else { return true };
        let equal = self.chosen.values().filter(|value| !is_fixed(parameter) && is_possible(parameter, value));
        let equal: Vec<_> = equal.cloned().collect();
        for candidate in candidates.iter().take(1).chain(&equal).chain(candidates.iter().skip(1)) {
            self.tries += 1;
            if self.tries > MAX_TRIES {
                break;
            }
            self.chosen.insert(&parameter.name, candidate.clone());
            if self.are_constraints_fulfilled() && self.choose(others) {
                return true;
            }
        }
        self.chosen.remove(parameter.name.as_str());
        can_be_omitted(parameter) && self.choose(others)
    }

    fn are_constraints_fulfilled(&self) -> bool {
        let given = |name: &str| self.chosen.get(name).map_or(Given::Absent, Given::Value);
        comparing(self.method).all(|constraint| constraint.check(&given, &str::to_owned).is_none())
    }
}

// Generated examples without optional members, with which the forms of the documentation pages begin.

/// Keeps optional members for which the definition gives an example, and the whole example if the type requires more.
pub(super) fn minimal_example(check: &dyn Check, example: Json) -> Json {
    let minimal = without_optional_members(check, example.clone());
    if check.checked(Value::from(&minimal)).is_ok() { minimal } else { example }
}

fn without_optional_members(check: &dyn Check, example: Json) -> Json {
    match (check.structure(), example) {
        (Structure::Nullable(inner), example) => without_optional_members(&*inner, example),
        (Structure::Schema(schema), example) if schema.example.is_none() => {
            without_optional_members(&*schema.check, example)
        }
        (Structure::Array(item), Json::Array(items)) => {
            items.into_iter().map(|value| without_optional_members(&*item, value)).collect()
        }
        (Structure::Map(inner), Json::Object(members)) => {
            let minimal = |(name, value)| (name, without_optional_members(&*inner, value));
            Json::Object(members.into_iter().map(minimal).collect())
        }
        (Structure::Object(shape), Json::Object(members)) => {
            let minimal = |(name, value)| match shape.fields.iter().find(|field| field.name == name) {
                Some(field) if field.example.is_some() => Some((name, value)),
                Some(field) if field.optional => None,
                Some(field) => Some((name, without_optional_members(&*field.check, value))),
                None => Some((name, value)),
            };
            Json::Object(members.into_iter().filter_map(minimal).collect())
        }
        (Structure::TaggedUnion { tag, branches }, example) => {
            let branch = branches.iter().find(|(value, _)| example.get(&tag).is_some_and(|tag| tag == value.as_str()));
            branch.map_or_else(|| example.clone(), |(_, branch)| without_optional_members(&**branch, example.clone()))
        }
        (Structure::Union(types), example) => {
            let branch = types.iter().find(|branch| branch.checked(Value::from(&example)).is_ok());
            branch.map_or_else(|| example.clone(), |branch| without_optional_members(&**branch, example.clone()))
        }
        (_, example) => example,
    }
}
