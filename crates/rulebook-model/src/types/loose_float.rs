//! The type `loose_float`: a `float` that may have a `+` or leading zeros, or be written as `.5` or `5.`. In JSON, the
//! number may also be a string.
//!
//! In a JSON string, the number has at most 200 characters and an exponent of at most two digits, so that the pattern
//! in the JSON Schema accepts only finite numbers. The JSON Schema also accepts texts of numbers outside the bounds,
//! because a pattern cannot compare numbers. The description in the schema names the bounds.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::float::FloatCheck;
use super::{ArgumentError, Check, TypeArguments, TypeExpr, number};
use crate::call::{TypeMismatch, Value};

#[derive(Debug)]
struct LooseFloatCheck(FloatCheck);

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(LooseFloatCheck(FloatCheck::from_arguments("loose_float", arguments)?)))
}

/// Returns a pattern that matches the short texts that [`parse_loose_float`] accepts.
fn loose_float_pattern() -> String {
    format!(r"^[+\-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:{})?$", number::EXPONENT_PATTERN)
}

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

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        let Value::Text(text) = value else { return self.0.check(value) };
        let number = number::is_short_number_text(text).then(|| parse_loose_float(text)).flatten();
        let checked = match number {
            Some(number) => self.0.checked(number).map_err(|inner| inner.into_details().violation),
            None => Err(None),
        };
        *value = checked.map_err(|violation| TypeMismatch::new(self.expected(), value).with_violation(violation))?;
        Ok(())
    }

    fn expected(&self) -> Cow<'static, str> {
        self.0.expected()
    }

    fn schema(&self) -> Json {
        let mut text = Map::new();
        text.insert("type".to_owned(), json!("string"));
        text.insert("pattern".to_owned(), json!(loose_float_pattern()));
        text.insert("maxLength".to_owned(), json!(number::MAX_NUMBER_TEXT_LEN));
        if self.0.has_bounds() {
            text.insert("description".to_owned(), json!(format!("{}, written as text", self.0.expected())));
        }
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
