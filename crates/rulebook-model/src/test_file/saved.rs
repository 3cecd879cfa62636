//! Values of earlier responses, which texts of a test file refer to by a name in braces.

use std::ops::Range;

use serde_json::{Map, Value as Json};

use super::test_error;
use crate::definition::{JsonData, JsonNode};
use crate::diagnostic::Diagnostic;

/// A name in braces in a text.
pub(super) struct Reference<'t> {
    /// The name, without its braces.
    pub name: &'t str,
    /// The bytes of the text that the name and its braces occupy.
    pub range: Range<usize>,
    /// `true` if the braces are doubled, so that they are part of the text.
    is_escaped: bool,
}

/// Returns the names in braces in a text: `{note}`. Other braces are ordinary characters.
pub(super) fn references(text: &str) -> Vec<Reference<'_>> {
    let mut found: Vec<Reference<'_>> = Vec::new();
    for (start, _) in text.match_indices('{') {
        let inner = &text[start + 1..];
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
        let begins_with_letter = inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !begins_with_letter || !inner[end..].starts_with('}') {
            continue;
        }
        let is_escaped = text[..start].ends_with('{') && inner[end..].starts_with("}}");
        let more = usize::from(is_escaped);
        found.push(Reference { name: &inner[..end], range: start - more..start + end + 2 + more, is_escaped });
    }
    found
}

/// Returns the names in a text that are not escaped.
pub(super) fn names(text: &str) -> impl Iterator<Item = Reference<'_>> {
    references(text).into_iter().filter(|reference| !reference.is_escaped)
}

/// Returns a value of a test file with the values that earlier steps have saved. A text that consists of a name in
/// braces becomes the value itself, and not its text. With `{{name}}`, the text contains the braces. `write` writes a
/// value in a text.
///
/// # Errors
/// Fails if no step has saved a value with a name.
pub fn fill(node: &JsonNode, saved: &Map<String, Json>, write: fn(&str) -> String) -> Result<Json, Diagnostic> {
    match &node.data {
        JsonData::String(text) => fill_text(node, text, saved, write),
        JsonData::Array(items) => items.iter().map(|item| fill(item, saved, write)).collect(),
        JsonData::Object(members) => {
            let filled =
                members.list.iter().map(|member| Ok((member.key.value.clone(), fill(&member.value, saved, write)?)));
            filled.collect::<Result<Map<_, _>, _>>().map(Json::Object)
        }
        _ => Ok(node.json()),
    }
}

fn fill_text(
    node: &JsonNode,
    text: &str,
    saved: &Map<String, Json>,
    write: fn(&str) -> String,
) -> Result<Json, Diagnostic> {
    let (mut filled, mut end) = (String::with_capacity(text.len()), 0);
    for Reference { name, range, is_escaped } in references(text) {
        filled += &text[end..range.start];
        end = range.end;
        if is_escaped {
            filled += &text[range.start + 1..range.end - 1];
            continue;
        }
        let value = saved.get(name).ok_or_else(|| unknown_name(node, name, &range, saved.keys()))?;
        match value {
            value if range.len() == text.len() => return Ok(value.clone()),
            Json::String(value) => filled += &write(value),
            value => filled += &write(&value.to_string()),
        }
    }
    Ok(Json::String(filled + &text[end..]))
}

/// Returns the error about a name that no earlier step of the test has saved.
pub(super) fn unknown_name<'a>(
    node: &JsonNode,
    name: &str,
    range: &Range<usize>,
    known: impl IntoIterator<Item = &'a String>,
) -> Diagnostic {
    let mut error = test_error(node, format!("no earlier step of this test saves `{name}`"));
    error.span = node.part(range.start, range.end);
    let help = format!("save it with `\"save\": {{\"{name}\": …}}`, or write `{{{{{name}}}}}` for a text with braces");
    error.help(help).suggest(name, known.into_iter().map(String::as_str))
}
