//! Types and values in words: terms with what stands beside them, members of objects as a tree.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use super::sheet::{Item, Span, Words};
use super::words::wire_name;
use crate::describe::example;
use crate::describe::visible::is_hidden;
use crate::model::{Output, Parameter};

/// An output and its members.
pub(super) fn output(own: &Output) -> Item<'_> {
    let written = &own.r#type.written;
    let name = if own.is_whole() { Span::own("the whole answer") } else { Span::code(&own.name) };
    let shown = example::of_output(own);
    // What has members is shown by them.
    let whole = shown.as_ref().filter(|_| own.example.is_some() || !written.attributes.contains_key("fields"));
    let words = item(name, &written.term, &written.attributes, own.optional, &own.info, whole);
    Item { below: members(&written.attributes, shown.as_ref()), ..Item::new(words) }
}

/// The members of a parameter that is an object, under its name; none of another.
pub(super) fn parameter(own: &Parameter) -> Option<Item<'_>> {
    let below = members(&own.r#type.written.attributes, example::of_parameter(own).as_ref());
    (!below.is_empty()).then(|| Item { below, ..Item::new(vec![Span::code(wire_name(own)), Span::own(":")]) })
}

/// The members of an object, and theirs, as the definition writes them. `shown` is a value that shows the object.
fn members<'a>(attributes: &'a Map<String, Json>, shown: Option<&Json>) -> Vec<Item<'a>> {
    let Some(Json::Object(fields)) = attributes.get("fields") else { return Vec::new() };
    fields.iter().filter_map(|(name, field)| Some(member(name, field.as_object()?, shown))).collect()
}

fn member<'a>(name: &'a str, field: &'a Map<String, Json>, shown: Option<&Json>) -> Item<'a> {
    let said = |key: &str| field.get(key).and_then(Json::as_str).unwrap_or_default();
    let written = said("type");
    let (term, optional) = written.strip_prefix('?').map_or((written, false), |term| (term, true));
    let own = field.get("example").or_else(|| example::of_member(shown?, name));
    let whole = own.filter(|_| field.contains_key("example") || !field.contains_key("fields"));
    let words = item(Span::code(name), term, field, optional, said("info"), whole);
    Item { below: members(field, own), ..Item::new(words) }
}

fn item<'a>(
    name: Span<'a>,
    term: &'a str,
    attributes: &'a Map<String, Json>,
    optional: bool,
    info: &'a str,
    example: Option<&Json>,
) -> Words<'a> {
    let mut words = vec![name, Span::own(" (")];
    words.extend(r#type(term, attributes));
    words.push(Span::own(if optional { ", may be missing): " } else { "): " }));
    words.push(Span::said(info));
    if let Some(example) = example {
        words.extend([Span::own(" (example: "), Span::code(value(example)), Span::own(")")]);
    }
    words
}

/// A type: its term, and what stands beside it.
pub(super) fn r#type<'a>(term: &'a str, attributes: &'a Map<String, Json>) -> Words<'a> {
    let mut words = vec![Span::code(term)];
    let is_beside = |name: &str| !matches!(name, "fields" | "info" | "type" | "example");
    for (name, attribute) in attributes.iter().filter(|(name, _)| is_beside(name)) {
        words.extend([Span::own(", "), Span::said(name), Span::own(" ")]);
        words.push(match attribute {
            Json::String(text) => Span::code(text),
            other => Span::code(value(other)),
        });
    }
    words
}

/// A value, in JSON on one line.
pub(super) fn value<'a>(json: &Json) -> Cow<'a, str> {
    json.to_string().into()
}

/// A value, in JSON on several lines.
pub(super) fn pretty(json: &Json) -> String {
    // A JSON value always serialises.
    escaped(serde_json::to_string_pretty(json).unwrap_or_default())
}

/// JSON with what would turn the direction of the text around it as escapes (RFC 8259 section 7): these characters
/// stand in strings alone.
fn escaped(json: String) -> String {
    let is_seen = |c: char| matches!(c, '\n') || !is_hidden(c);
    if json.chars().all(is_seen) {
        return json;
    }
    let shown = |c: char| if is_seen(c) { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) };
    json.chars().map(shown).collect()
}
