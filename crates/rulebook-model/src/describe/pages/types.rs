//! Describes types with their attributes, and formats values in JSON.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use super::document::{Inline, Inlines};
use crate::constraint::{CONSTRAINTS_KEY, Constraint};
use crate::invisible::escape_controls_in_json;

/// The attribute with the attributes of a list's items.
const ITEMS_KEY: &str = "items";

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

pub(super) fn json_line<'a>(json: &Json) -> Cow<'a, str> {
    json.to_string().into()
}

/// Formats a JSON value on several lines, with indentation. Characters that would change the direction of the text
/// around them are escaped; they occur only in JSON strings.
pub(super) fn pretty_json(json: &Json) -> String {
    // Serializing a JSON value cannot fail.
    escape_controls_in_json(&serde_json::to_string_pretty(json).unwrap_or_default())
}
