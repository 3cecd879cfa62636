//! The type `loose_int`: an `int` that may have a `+` or leading zeros. In JSON, the number may also be a string.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::int::IntCheck;
use super::{ArgumentError, Check, TypeArguments, TypeExpr, decimal_pattern, number};
use crate::call::{TypeMismatch, Value};

#[derive(Debug)]
struct LooseIntCheck(IntCheck);

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(LooseIntCheck(IntCheck::for_loose_int(arguments)?)))
}

/// Parses a whole number: an optional sign and decimal digits. Returns `None` if the text is not such a number.
fn parse_loose_int(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !number::has_only_digits(digits) {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let magnitude: i128 = significant.parse().ok()?;
    Some(if text.starts_with('-') { -magnitude } else { magnitude })
}

impl Check for LooseIntCheck {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        parse_loose_int(&text).and_then(number::whole_number_value).unwrap_or(Value::Text(text))
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        let whole = match &*value {
            Value::Text(text) => parse_loose_int(text),
            other => number::to_whole_number(other),
        };
        *value =
            whole.and_then(|whole| self.0.to_valid_value(whole)).ok_or_else(|| self.0.mismatch_error(value, whole))?;
        Ok(())
    }

    fn expected(&self) -> Cow<'static, str> {
        self.0.expected()
    }

    fn schema(&self) -> Json {
        let pattern = decimal_pattern::loose_pattern(self.0.min(), self.0.max());
        json!({ "anyOf": [self.0.schema(), { "type": "string", "pattern": pattern }] })
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
