//! Reads single settings from the definition.

use std::ops::RangeInclusive;
use std::time::Duration;

use rulebook::handler_kind::{HandlerError, JsonData, JsonMembers, JsonNode};
use rulebook_model::span::Spanned;
use rulebook_model::suggest::closest_word;

/// The range of all time limits, in seconds.
const SECONDS: RangeInclusive<f64> = 0.01..=86_400.0;

/// Returns an error for a value of the wrong kind or size.
pub(crate) fn wrong_value(node: &JsonNode, key: &str, expected: &str) -> HandlerError {
    let message = format!("`{key}` must be {expected}, but this is {}", node.describe_kind());
    HandlerError::new(message).at(node.span)
}

pub(crate) fn text(node: &JsonNode, key: &str) -> Result<Spanned<String>, HandlerError> {
    node.string().ok_or_else(|| wrong_value(node, key, "a text"))
}

/// Reads a whole number in a range.
pub(crate) fn whole(node: &JsonNode, key: &str, range: RangeInclusive<u64>) -> Result<u64, HandlerError> {
    let value = node.integer().map(|value| value.value).filter(|value| range.contains(value));
    value.ok_or_else(|| wrong_value(node, key, &format!("a whole number from {} to {}", range.start(), range.end())))
}

/// Reads a size in bytes, such as `16MB`.
pub(crate) fn bytes(node: &JsonNode, key: &str, range: RangeInclusive<u64>) -> Result<u64, HandlerError> {
    let value = node.byte_size().map(|value| value.value).filter(|value| range.contains(value));
    value.ok_or_else(|| {
        wrong_value(node, key, &format!("a size such as `16MB`, from {} to {} bytes", range.start(), range.end()))
    })
}

/// Reads a time limit in seconds, which may have a fraction.
pub(crate) fn seconds(node: &JsonNode, key: &str) -> Result<Duration, HandlerError> {
    let number = match &node.data {
        JsonData::Number(number) => number.as_f64(),
        _ => None,
    };
    let expected = || format!("a number of seconds from {} to {}", SECONDS.start(), SECONDS.end());
    let seconds = number.filter(|seconds| SECONDS.contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| wrong_value(node, key, &expected()))
}

pub(crate) fn object<'a>(node: &'a JsonNode, key: &str) -> Result<&'a JsonMembers, HandlerError> {
    match &node.data {
        JsonData::Object(members) => Ok(members),
        _ => Err(wrong_value(node, key, "an object")),
    }
}

/// Adds "did you mean" and the list of known names to an error about an unknown name.
pub(crate) fn with_suggestion(error: HandlerError, word: &str, what: &str, known: &[&str]) -> HandlerError {
    let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let list = if known.is_empty() { format!("there are no {what}") } else { format!("the {what} are {list}") };
    error.help(match closest_word(word, known.iter().copied()) {
        Some(closest) => format!("did you mean `{closest}`? {list}"),
        None => list,
    })
}
