//! Numbers as JSON has them: read from text, compared and held exactly.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value as Json;

use crate::call::Value;

/// The integers that every `f64` up to them can say.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The whole number that a value is, however it was written: 10, 10.0, 1e1.
pub(super) fn whole(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Int(int) => Some((*int).into()),
        Value::Uint(uint) => Some((*uint).into()),
        // Whole numbers that are too small for 64 bits are read as this very float; which one was written is lost.
        Value::Float(float) if *float == i64::MIN as f64 => None,
        Value::Float(float) => whole_float(*float),
        _ => None,
    }
}

/// [`whole`] of a number in a definition.
pub(super) fn whole_json(json: &Json) -> Option<i128> {
    json.as_i64()
        .map(i128::from)
        .or_else(|| json.as_u64().map(i128::from))
        .or_else(|| json.as_f64().and_then(whole_float))
}

/// Far more than 64 bits hold, and far less than the 128 that the conversion is exact for.
const WIDE: f64 = 1e30;

fn whole_float(float: f64) -> Option<i128> {
    (float.fract() == 0.0 && float.abs() < WIDE).then_some(float as i128)
}

/// A whole number of 64 bits as the one value that holds it.
pub(super) fn value_of(whole: i128) -> Option<Value<'static>> {
    i64::try_from(whole).map(Value::Int).ok().or_else(|| u64::try_from(whole).map(Value::Uint).ok())
}

/// A finite number as the one value that holds it: whole numbers of 64 bits
/// are no floats, and -0 is 0.
pub(super) fn normal(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Float(float) => whole_float(float).and_then(value_of).unwrap_or(Value::Float(float)),
        other => other,
    }
}

/// Compares a number with a bound, exactly where the number is beyond what an `f64` holds.
pub(super) fn compare(value: &Value<'_>, bound: f64) -> Option<Ordering> {
    match value {
        Value::Float(float) => float.partial_cmp(&bound),
        other => whole(other).map(|whole| {
            if bound.abs() >= WIDE {
                0.0_f64.total_cmp(&bound)
            } else {
                whole.cmp(&(bound.trunc() as i128)).then(0.0_f64.partial_cmp(&bound.fract()).unwrap_or(Ordering::Equal))
            }
        }),
    }
}

/// A float of a definition as JSON: whole ones without a fraction.
pub(super) fn float_json(float: f64) -> Json {
    if float.fract() == 0.0 && float.abs() <= EXACT { Json::from(float as i64) } else { Json::from(float) }
}

/// Whether a text is a whole number: `-?(0|[1-9][0-9]*)`.
fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    match digits {
        [] => false,
        [b'0', rest @ ..] => rest.is_empty(),
        _ => digits.iter().all(u8::is_ascii_digit),
    }
}

/// Whether a text is a number of JSON's grammar (RFC 8259 section 6).
pub(super) fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (integer, fraction) = match mantissa.split_once('.') {
        Some((integer, fraction)) => (integer, Some(fraction)),
        None => (mantissa, None),
    };
    is_whole(integer)
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(|exponent| is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// Whether a text is one or more ASCII digits.
pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A whole number's text as the number; any other text as it is.
pub(super) fn decode_whole(text: Cow<'_, str>) -> Value<'_> {
    if !is_whole(&text) {
        return Value::Text(text);
    }
    match (text.parse(), text.parse()) {
        (Ok(int), _) => Value::Int(int),
        (Err(_), Ok(uint)) => Value::Uint(uint),
        _ => Value::Text(text),
    }
}

/// The finite number that a text of digits, sign, point and exponent says.
pub(super) fn parse_float(text: &str) -> Option<Value<'static>> {
    if let Some(whole) = text.parse().ok().and_then(value_of) {
        return Some(whole);
    }
    let float: f64 = text.parse().ok()?;
    float.is_finite().then(|| normal(Value::Float(float)))
}

/// A number's text as the number; any other text as it is.
pub(super) fn decode_float(text: Cow<'_, str>) -> Value<'_> {
    match is_number(&text).then(|| parse_float(&text)).flatten() {
        Some(number) => number,
        None => Value::Text(text),
    }
}
