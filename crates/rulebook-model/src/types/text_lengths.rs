//! The lengths of the texts of a type, which are found in its JSON Schema.

use serde_json::Value as Json;

use super::pattern::lengths_of_pattern;
use super::{Check, Structure};

/// Returns the smallest and the largest number of characters of the texts of a type; `None` if no text is valid. The
/// type may have no text with these numbers, because keywords that are not known here are ignored.
pub(super) fn lengths_of_type(check: &dyn Check) -> Option<(u64, u64)> {
    match check.structure() {
        Structure::Schema(schema) => lengths_of_type(&*schema.check),
        _ => lengths_of_schema(&check.schema()),
    }
}

fn lengths_of_schema(schema: &Json) -> Option<(u64, u64)> {
    let list = |keyword: &str| schema.get(keyword).and_then(Json::as_array).map(Vec::as_slice);
    let number = |keyword: &str| schema.get(keyword).and_then(Json::as_u64);
    let is_text = match schema.get("type") {
        Some(Json::Array(names)) => names.iter().any(|name| name == "string"),
        Some(name) => name == "string",
        None => true,
    };
    if !is_text {
        return None;
    }
    let mut lengths = (number("minLength").unwrap_or(0), number("maxLength").unwrap_or(u64::MAX));
    let mut limit = |(min, max): (u64, u64)| lengths = (lengths.0.max(min), lengths.1.min(max));
    // A pattern with look-arounds is not parsed.
    if let Some(pattern) = schema.get("pattern").and_then(Json::as_str)
        && let Ok(hir) = regex_syntax::parse(pattern)
    {
        limit(lengths_of_pattern(&hir)?);
    }
    for part in list("allOf").unwrap_or_default() {
        limit(lengths_of_schema(part)?);
    }
    if let Some(constants) = schema.get("const").map(std::slice::from_ref).or_else(|| list("enum")) {
        let of_text = |text: &str| {
            let count = text.chars().count() as u64;
            (count, count)
        };
        limit(widest(constants.iter().filter_map(Json::as_str).map(of_text))?);
    }
    if let Some(branches) = list("anyOf").or_else(|| list("oneOf")) {
        limit(widest(branches.iter().filter_map(lengths_of_schema))?);
    }
    Some(lengths)
}

fn widest(all: impl Iterator<Item = (u64, u64)>) -> Option<(u64, u64)> {
    all.reduce(|(min, max), (other_min, other_max)| (min.min(other_min), max.max(other_max)))
}
