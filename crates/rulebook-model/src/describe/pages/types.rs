//! Types and values as text: types with their attributes, and the members of objects as nested lists.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use super::document::{Inline, Inlines, ListItem};
use super::phrases::wire_name;
use crate::describe::escape::is_control;
use crate::describe::example;
use crate::model::{Output, Parameter};

/// Describes an output and its members.
pub(super) fn output(output: &Output) -> ListItem<'_> {
    let written = &output.r#type.written;
    let name = if output.is_whole() { Inline::text("the whole body") } else { Inline::code(&output.name) };
    let example = example::of_output(output);
    // The members have their own examples.
    let has_members = written.attributes.contains_key("fields");
    let direct_example = example.as_ref().filter(|_| output.example.is_some() || !has_members);
    let inlines = item(name, &written.term, &written.attributes, output.optional, &output.info, direct_example);
    ListItem { below: members(&written.attributes, example.as_ref()), ..ListItem::new(inlines) }
}

/// Describes the members of a parameter that is an object. Returns `None` for other types.
pub(super) fn parameter(parameter: &Parameter) -> Option<ListItem<'_>> {
    let example = example::of_parameter(parameter);
    let below = members(&parameter.r#type.written.attributes, example.as_ref());
    let name = vec![Inline::code(wire_name(parameter)), Inline::text(":")];
    (!below.is_empty()).then(|| ListItem { below, ..ListItem::new(name) })
}

/// Describes the members of an object and of nested objects, in the order of the definition. `example` is the example
/// of the object.
fn members<'a>(attributes: &'a Map<String, Json>, example: Option<&Json>) -> Vec<ListItem<'a>> {
    let Some(Json::Object(fields)) = attributes.get("fields") else { return Vec::new() };
    fields.iter().filter_map(|(name, field)| Some(member(name, field.as_object()?, example))).collect()
}

fn member<'a>(name: &'a str, field: &'a Map<String, Json>, of_object: Option<&Json>) -> ListItem<'a> {
    let text = |key: &str| field.get(key).and_then(Json::as_str).unwrap_or_default();
    let written = text("type");
    let (term, optional) = written.strip_prefix('?').map_or((written, false), |term| (term, true));
    let example = field.get("example").or_else(|| example::of_member(of_object?, name));
    let direct_example = example.filter(|_| field.contains_key("example") || !field.contains_key("fields"));
    let inlines = item(Inline::code(name), term, field, optional, text("info"), direct_example);
    ListItem { below: members(field, example), ..ListItem::new(inlines) }
}

fn item<'a>(
    name: Inline<'a>,
    term: &'a str,
    attributes: &'a Map<String, Json>,
    optional: bool,
    info: &'a str,
    example: Option<&Json>,
) -> Inlines<'a> {
    let mut inlines = vec![name, Inline::text(" (")];
    inlines.extend(r#type(term, attributes));
    inlines.push(Inline::text(if optional { ", optional): " } else { "): " }));
    inlines.push(Inline::quoted(info));
    if let Some(example) = example {
        inlines.extend([Inline::text(" (example: "), Inline::code(value(example)), Inline::text(")")]);
    }
    inlines
}

/// Describes a type with its attributes.
pub(super) fn r#type<'a>(term: &'a str, attributes: &'a Map<String, Json>) -> Inlines<'a> {
    let mut inlines = vec![Inline::code(term)];
    let has_other_text = |name: &str| matches!(name, "fields" | "info" | "type" | "example");
    for (name, attribute) in attributes.iter().filter(|(name, _)| !has_other_text(name)) {
        inlines.extend([Inline::text(", "), Inline::quoted(name), Inline::text(" ")]);
        inlines.push(match attribute {
            Json::String(text) => Inline::code(text),
            other => Inline::code(value(other)),
        });
    }
    inlines
}

/// Formats a value as JSON on one line.
pub(super) fn value<'a>(json: &Json) -> Cow<'a, str> {
    json.to_string().into()
}

/// Formats a value as JSON on several lines.
pub(super) fn pretty(json: &Json) -> String {
    // A JSON value can always be serialized.
    escape_controls(serde_json::to_string_pretty(json).unwrap_or_default())
}

/// Escapes characters in JSON that would change the direction of the text around them (RFC 8259 section 7). Such
/// characters occur only in strings.
fn escape_controls(json: String) -> String {
    let is_kept = |c: char| matches!(c, '\n') || !is_control(c);
    if json.chars().all(is_kept) {
        return json;
    }
    let escaped = |c: char| if is_kept(c) { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) };
    json.chars().map(escaped).collect()
}
