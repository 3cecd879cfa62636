//! Describes types and values in documentation pages: types with their attributes, and the members of objects in nested
//! lists.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use super::document::{Inline, Inlines, ListItem};
use crate::constraint::{CONSTRAINTS_KEY, Constraint};
use crate::describe::escape::escape_like_json;
use crate::describe::example;
use crate::invisible::is_control_character;
use crate::model::{Method, Output, Parameter};

/// The attribute with the attributes of a list's items.
const ITEMS_KEY: &str = "items";

/// Describes an output. If the output is an object, its members are nested items.
pub(super) fn output_item(output: &Output) -> ListItem<'_> {
    let written = &output.r#type.written;
    let name = if output.is_whole() { Inline::text("the whole body") } else { Inline::code(&output.name) };
    let example = example::output_example(output);
    // If the type declares members, the examples of the members are shown instead.
    let has_members = written.attributes.contains_key("fields");
    let direct_example = example.as_ref().filter(|_| output.example.is_some() || !has_members);
    let inlines =
        describe_with_type(name, &written.term, &written.attributes, output.optional, &output.info, direct_example);
    ListItem { nested_items: member_items(&written.attributes, example.as_ref()), ..ListItem::new(inlines) }
}

/// Describes the members of a parameter that is an object. Returns `None` if the type of the parameter declares no
/// members.
pub(super) fn parameter_item<'p>(method: &Method, parameter: &'p Parameter) -> Option<ListItem<'p>> {
    let example = example::parameter_example(method, parameter);
    let nested_items = member_items(&parameter.r#type.written.attributes, example.as_ref());
    let name = vec![Inline::code(parameter.request_name()), Inline::text(":")];
    (!nested_items.is_empty()).then(|| ListItem { nested_items, ..ListItem::new(name) })
}

/// Describes the members of an object and of the objects nested in it, in the order of the definition. `attributes` are
/// the attributes of the object's type, and `example` is the example of the object.
pub(super) fn member_items<'a>(attributes: &'a Map<String, Json>, example: Option<&Json>) -> Vec<ListItem<'a>> {
    let Some(Json::Object(fields)) = attributes.get("fields") else { return Vec::new() };
    fields.iter().filter_map(|(name, field)| Some(member_item(name, field.as_object()?, example))).collect()
}

fn member_item<'a>(name: &'a str, field: &'a Map<String, Json>, of_object: Option<&Json>) -> ListItem<'a> {
    let text = |key: &str| field.get(key).and_then(Json::as_str).unwrap_or_default();
    let written = text("type");
    let (term, optional) = written.strip_prefix('?').map_or((written, false), |term| (term, true));
    let example = field.get("example").or_else(|| example::member_example(of_object?, name));
    let direct_example = example.filter(|_| field.contains_key("example") || !field.contains_key("fields"));
    let inlines = describe_with_type(Inline::code(name), term, field, optional, text("info"), direct_example);
    ListItem { nested_items: member_items(field, example), ..ListItem::new(inlines) }
}

fn describe_with_type<'a>(
    name: Inline<'a>,
    term: &'a str,
    attributes: &'a Map<String, Json>,
    optional: bool,
    info: &'a str,
    example: Option<&Json>,
) -> Inlines<'a> {
    let mut inlines = vec![name, Inline::text(" (")];
    inlines.extend(describe_type(term, attributes));
    inlines.extend(describe_constraints(attributes));
    inlines.push(Inline::text(if optional { ", optional): " } else { "): " }));
    inlines.push(Inline::quoted(info));
    if let Some(example) = example {
        inlines.extend([Inline::text(" (example: "), Inline::code(json_line(example)), Inline::text(")")]);
    }
    inlines
}

/// Describes a type: its term, which is its text in the definition without attributes, and its attributes, without
/// those that have another description: members and constraints.
pub(super) fn describe_type<'a>(term: &'a str, attributes: &'a Map<String, Json>) -> Inlines<'a> {
    let mut inlines = vec![Inline::code(term)];
    let has_other_text = |name: &str| matches!(name, "fields" | "info" | "type" | "example") || name == CONSTRAINTS_KEY;
    for (name, attribute) in attributes.iter().filter(|(name, _)| !has_other_text(name)) {
        let value = match attribute {
            Json::String(text) => Inline::code(text),
            Json::Object(inner) if name == ITEMS_KEY => {
                let described: Map<_, _> =
                    inner.clone().into_iter().filter(|(name, _)| !has_other_text(name)).collect();
                if described.is_empty() {
                    continue;
                }
                Inline::code(json_line(&Json::Object(described)))
            }
            other => Inline::code(json_line(other)),
        };
        inlines.extend([Inline::text(", "), Inline::quoted(name), Inline::text(" "), value]);
    }
    inlines
}

/// Describes the constraints between the members of a type's objects, each after a semicolon.
pub(super) fn describe_constraints(attributes: &Map<String, Json>) -> Inlines<'static> {
    let sentences = constraints_in_words(attributes);
    sentences.into_iter().flat_map(|sentence| [Inline::text("; "), Inline::quoted(sentence)]).collect()
}

/// Describes the constraints between the members of a type's objects, or of the objects in a list or a map.
pub(super) fn constraints_in_words(attributes: &Map<String, Json>) -> Vec<String> {
    let constraints = attributes.get(CONSTRAINTS_KEY).and_then(Json::as_array).into_iter().flatten();
    let mut sentences: Vec<String> =
        constraints.filter_map(Constraint::from_json).map(|constraint| constraint.in_words(&str::to_owned)).collect();
    sentences.extend(attributes.get(ITEMS_KEY).and_then(Json::as_object).into_iter().flat_map(constraints_in_words));
    sentences
}

/// Formats a JSON value on one line.
pub(super) fn json_line<'a>(json: &Json) -> Cow<'a, str> {
    json.to_string().into()
}

/// Formats a JSON value on several lines, with indentation. Characters that would change the direction of the text
/// around them are escaped; they occur only in JSON strings.
pub(super) fn pretty_json(json: &Json) -> String {
    // Serializing a JSON value cannot fail.
    let json = serde_json::to_string_pretty(json).unwrap_or_default();
    escape_like_json(&json, |character| character != '\n' && is_control_character(character))
}
