//! The type `time`: a time of day, with or without seconds.

use std::sync::Arc;

use super::text_type::{self, TextType, pattern_schema};
use super::{ArgumentError, Check, TypeArguments};

static TIME: TextType = TextType {
    name: "time",
    expected_phrase: "a time of day (hh:mm or hh:mm:ss)",
    is_valid: is_time,
    schema: || pattern_schema("^(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){1,2}$"),
    boundary_texts: &["00:00", "23:59:59"],
    example: "14:30",
};

fn is_time(text: &str) -> bool {
    let two_digits = |text: &str, limit: u8| {
        text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse().is_ok_and(|n: u8| n < limit)
    };
    let mut parts = text.split(':');
    parts.next().is_some_and(|hour| two_digits(hour, 24))
        && parts.next().is_some_and(|minute| two_digits(minute, 60))
        && parts.next().is_none_or(|second| two_digits(second, 60))
        && parts.next().is_none()
}

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    text_type::compile(&TIME, arguments)
}
