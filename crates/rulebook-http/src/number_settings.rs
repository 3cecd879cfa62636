//! Reads settings that are numbers, with their ranges.

use std::ops::RangeInclusive;
use std::time::Duration;

use rulebook::handler_kind::{HandlerError, JsonData, JsonNode};

/// The range of times in seconds.
const SECONDS: RangeInclusive<f64> = 0.001..=3600.0;

/// Returns a time. The setting is a number of seconds, which may have a fraction.
pub fn read_seconds(name: &str, node: &JsonNode, errors: &mut Vec<HandlerError>) -> Option<Duration> {
    let seconds = match &node.data {
        JsonData::Number(number) => number.as_f64().filter(|seconds| SECONDS.contains(seconds)),
        _ => None,
    };
    if seconds.is_none() {
        let (min, max) = (SECONDS.start(), SECONDS.end());
        errors.push(range_error(name, node, &format!("a number of seconds from {min} to {max}")));
    }
    seconds.map(Duration::from_secs_f64)
}

/// Returns a whole number in a range.
pub fn read_count(
    name: &str,
    range: RangeInclusive<u64>,
    node: &JsonNode,
    errors: &mut Vec<HandlerError>,
) -> Option<usize> {
    let count = node.integer().map(|count| count.value).filter(|count| range.contains(count));
    if count.is_none() {
        errors.push(range_error(name, node, &format!("a whole number from {} to {}", range.start(), range.end())));
    }
    count.and_then(|count| usize::try_from(count).ok())
}

/// Returns a size in bytes in a range: a whole number, or a text such as `5MB`.
pub fn read_size(
    name: &str,
    range: RangeInclusive<u64>,
    node: &JsonNode,
    errors: &mut Vec<HandlerError>,
) -> Option<usize> {
    let size = node.byte_size().map(|size| size.value).filter(|size| range.contains(size));
    if size.is_none() {
        let expected = format!("a size from {} to {} bytes, such as `5MB`", range.start(), range.end());
        errors.push(range_error(name, node, &expected));
    }
    size.and_then(|size| usize::try_from(size).ok())
}

/// Returns a boolean.
pub fn read_bool(name: &str, node: &JsonNode, errors: &mut Vec<HandlerError>) -> Option<bool> {
    if let JsonData::Bool(value) = node.data {
        return Some(value);
    }
    errors.push(range_error(name, node, "`true` or `false`"));
    None
}

fn range_error(name: &str, node: &JsonNode, expected: &str) -> HandlerError {
    let got = node.describe_kind();
    HandlerError::new(format!("`{name}` must be {expected}, but this is {got}")).at(node.span)
}
