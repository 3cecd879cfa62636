//! Numbers of requests and definitions: parsing from text, exact comparison, and conversion to one canonical form.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Number, Value as Json};

use crate::call::Value;

/// 2^53, up to which an `f64` represents every whole number exactly.
pub(super) const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;

/// Returns a value as a whole number. From 2^53, only numbers without fraction and exponent are whole numbers, because
/// a float does not represent every whole number exactly.
pub(super) fn to_whole_number(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Int(int) => Some((*int).into()),
        Value::Uint(uint) => Some((*uint).into()),
        // Different numbers above 2^53 are parsed as the same float, so the number that the request contains is
        // unknown.
        Value::Float(float) if float.abs() >= MAX_EXACT_INTEGER => None,
        Value::Float(float) => float_to_whole_number(*float),
        _ => None,
    }
}

/// Returns a JSON value of a definition as a whole number, or `None` if the value is not a whole number.
pub(super) fn json_to_whole_number(json: &Json) -> Option<i128> {
    json.as_i64()
        .map(i128::from)
        .or_else(|| json.as_u64().map(i128::from))
        .or_else(|| json.as_f64().and_then(float_to_whole_number))
}

/// The limit up to which floats are converted to `i128`, far above the range of 64 bits.
const MAX_CONVERTED_FLOAT: f64 = 1e30;

fn float_to_whole_number(float: f64) -> Option<i128> {
    // Most floats are small, and conversion to 64 bits is fast.
    if float.abs() < MAX_EXACT_INTEGER {
        let whole = float as i64;
        return (whole as f64 == float).then(|| whole.into());
    }
    (float.fract() == 0.0 && float.abs() < MAX_CONVERTED_FLOAT).then_some(float as i128)
}

/// Converts a whole number to a value. Returns `None` if the number does not fit into 64 bits.
pub(super) fn whole_number_value(whole: i128) -> Option<Value<'static>> {
    i64::try_from(whole).map(Value::Int).ok().or_else(|| u64::try_from(whole).map(Value::Uint).ok())
}

/// Changes a number to its canonical form: floats that are whole numbers of 64 bits become integers, and -0 becomes 0.
pub(super) fn normalize_number(value: &mut Value<'_>) {
    if let Value::Float(float) = value
        && let Some(whole) = float_to_whole_number(*float).and_then(whole_number_value)
    {
        *value = whole;
    }
}

pub(super) fn normalized_number(mut value: Value<'_>) -> Value<'_> {
    normalize_number(&mut value);
    value
}

/// Compares a number exactly with a bound. Returns `None` if the value is not a number.
pub(super) fn compare_with_bound(value: &Value<'_>, bound: f64) -> Option<Ordering> {
    match value {
        Value::Float(float) => float.partial_cmp(&bound),
        other => to_whole_number(other).map(|whole| {
            if bound.abs() >= MAX_CONVERTED_FLOAT {
                0.0_f64.total_cmp(&bound)
            } else {
                whole.cmp(&(bound.trunc() as i128)).then(0.0_f64.partial_cmp(&bound.fract()).unwrap_or(Ordering::Equal))
            }
        }),
    }
}

/// Compares two numbers of any types exactly. Returns `None` if a value is not a number.
#[must_use]
pub fn compare_numbers(one: &Value<'_>, other: &Value<'_>) -> Option<Ordering> {
    match (one, other) {
        (Value::Float(_), Value::Int(_) | Value::Uint(_)) => compare_numbers(other, one).map(Ordering::reverse),
        (_, Value::Float(float)) => compare_with_bound(one, *float),
        _ => Some(to_whole_number(one)?.cmp(&to_whole_number(other)?)),
    }
}

/// Converts a float to a JSON number. A whole number is written without a fraction.
pub(super) fn float_to_json(float: f64) -> Json {
    if float.fract() == 0.0 && float.abs() <= MAX_EXACT_INTEGER { Json::from(float as i64) } else { Json::from(float) }
}

/// Returns `true` if a text is a whole number in the notation `-?(0|[1-9][0-9]*)`.
fn is_whole_number_text(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    match digits {
        [] => false,
        [b'0', more @ ..] => more.is_empty(),
        _ => digits.iter().all(u8::is_ascii_digit),
    }
}

pub(super) fn has_only_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Converts a text to a number if the text is a whole number of 64 bits. Any other text is returned unchanged.
pub(super) fn decode_whole_number(text: Cow<'_, str>) -> Value<'_> {
    if !is_whole_number_text(&text) {
        return Value::Text(text);
    }
    match (text.parse(), text.parse()) {
        (Ok(int), _) => Value::Int(int),
        (Err(_), Ok(uint)) => Value::Uint(uint),
        _ => Value::Text(text),
    }
}

/// Parses a number with an optional sign, decimal point and exponent. Returns `None` if the number is not finite.
pub(super) fn parse_finite_number(text: &str) -> Option<Value<'static>> {
    if let Some(whole) = text.parse().ok().and_then(whole_number_value) {
        return Some(whole);
    }
    let float: f64 = text.parse().ok()?;
    float.is_finite().then(|| normalized_number(Value::Float(float)))
}

pub(super) const MAX_NUMBER_TEXT_LEN: usize = 200;

/// The pattern of an exponent in a JSON string, which has at most two digits unless it is negative.
pub(super) const EXPONENT_PATTERN: &str = "[Ee](?:-[0-9]+|\\+?[0-9]{1,2})";

/// Returns `true` if the number in a JSON string is short enough to be finite. JSON Schema has no keyword for numbers
/// in strings, so the types limit the length and the exponent, which a pattern can do.
pub(super) fn is_short_number_text(text: &str) -> bool {
    let has_small_exponent = |(_, exponent): (&str, &str)| {
        exponent.starts_with('-') || exponent.strip_prefix('+').unwrap_or(exponent).len() <= 2
    };
    text.len() <= MAX_NUMBER_TEXT_LEN && text.split_once(['e', 'E']).is_none_or(has_small_exponent)
}

/// Converts a text to a number if the text is a finite number in the notation of JSON (RFC 8259 section 6). Any other
/// text is returned unchanged.
pub(super) fn decode_number(text: Cow<'_, str>) -> Value<'_> {
    match parse_json_number(&text) {
        Some(number) => normalized_number(Value::from(&Json::Number(number))),
        None => Value::Text(text),
    }
}

/// Parses a finite number in the notation of JSON, without white space around it.
pub(super) fn parse_json_number(text: &str) -> Option<Number> {
    let is_surrounded = text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace);
    if is_surrounded { None } else { serde_json::from_str(text).ok() }
}
