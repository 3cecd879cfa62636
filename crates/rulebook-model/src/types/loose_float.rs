//! The type `loose_float`: a `float` that may have a `+` or leading zeros, or be written as `.5` or `5.`. In JSON, the
//! number may also be a string.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::float::FloatCheck;
use super::formats::FLOAT_TEXT_FORMAT;
use super::{ArgumentError, Check, TypeArguments, TypeExpr, number};
use crate::call::{TypeMismatch, Value};

#[derive(Debug)]
struct LooseFloatCheck(FloatCheck);

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(LooseFloatCheck(FloatCheck::from_arguments("loose_float", arguments)?)))
}

/// A pattern that matches the texts that [`parse_loose_float`] accepts.
const LOOSE_FLOAT_PATTERN: &str = "^[+\\-]?(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(?:[Ee][+\\-]?[0-9]+)?$";

/// Parses a finite number with an optional sign and exponent. Returns `None` if the text is not such a number.
fn parse_loose_float(text: &str) -> Option<Value<'static>> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.is_empty() || number::has_only_digits(text);
    let is_number = digits(integer)
        && digits(fraction)
        && !(integer.is_empty() && fraction.is_empty())
        && exponent
            .is_none_or(|exponent| number::has_only_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    is_number.then(|| number::parse_finite_number(text)).flatten()
}

impl Check for LooseFloatCheck {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        parse_loose_float(&text).unwrap_or(Value::Text(text))
    }

    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, TypeMismatch> {
        match &value {
            Value::Text(text) => match parse_loose_float(text) {
                Some(number) => self.0.check(number).map_err(|inner| {
                    TypeMismatch::new(self.expected(), &value).with_violation(inner.into_details().violation)
                }),
                None => Err(TypeMismatch::new(self.expected(), &value)),
            },
            _ => self.0.check(value),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        self.0.expected()
    }

    fn schema(&self) -> Json {
        let mut text = Map::new();
        text.insert("type".to_owned(), json!("string"));
        text.insert("pattern".to_owned(), json!(LOOSE_FLOAT_PATTERN));
        // A pattern cannot exclude numbers that are too large, and cannot compare a number with a bound.
        text.insert("format".to_owned(), json!(FLOAT_TEXT_FORMAT));
        self.0.bounds().insert_keywords(&mut text, "formatMinimum", "formatMaximum");
        json!({ "anyOf": [self.0.schema(), text] })
    }

    fn type_expr(&self) -> TypeExpr {
        self.0.type_expr()
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        self.0.boundary_values()
    }

    fn example(&self) -> Option<Value<'static>> {
        self.0.example()
    }
}
