//! The type `loose_string`: a `string`. In JSON, the value may also be a number.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::bounds::BoundValue;
use super::string::StringCheck;
use super::{ArgumentError, Check, TypeArguments, TypeExpr, number};
use crate::call::{TypeMismatch, Value};

/// The shortest text of a number with a fraction.
const SHORTEST_FRACTION: &str = "0.1";

/// The check of `loose_string`, which converts a whole number of 64 bits to a text of its digits, and a number with a
/// fraction to a decimal number. The number is valid if the length of this text is allowed. If the type has a pattern,
/// numbers are invalid, because a JSON Schema cannot describe which numbers match the pattern.
#[derive(Debug)]
struct LooseStringCheck(StringCheck);

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(LooseStringCheck(StringCheck::from_arguments("loose_string", arguments)?)))
}

impl LooseStringCheck {
    /// Converts a number to the text of its digits. Returns `None` if the value is not a valid whole number.
    fn number_to_digits(&self, value: &Value<'_>) -> Option<Value<'static>> {
        let whole = number::to_whole_number(value).filter(|whole| number::whole_number_value(*whole).is_some())?;
        let digits = whole.to_string();
        (self.0.checks_only_length() && self.0.length().contains_count(digits.len()))
            .then_some(Value::Text(Cow::Owned(digits)))
    }

    /// Returns `true` if numbers with a fraction are valid. They are invalid if the length has a maximum, because a
    /// JSON Schema cannot describe which of them have a shorter text.
    fn accepts_fractions(&self) -> bool {
        let length = self.0.length();
        self.0.checks_only_length() && length.max.is_none() && length.min.unwrap_or(0) <= SHORTEST_FRACTION.len() as u64
    }

    /// Converts a number with a fraction to the shortest decimal number that has the same value. Returns `None` if the
    /// value is another number, or numbers with a fraction are invalid.
    fn fraction_to_text(&self, value: &Value<'_>) -> Option<Value<'static>> {
        match value {
            Value::Float(float) if self.accepts_fractions() && float.is_finite() && float.fract() != 0.0 => {
                Some(Value::Text(Cow::Owned(float.to_string())))
            }
            _ => None,
        }
    }

    /// Returns the JSON Schemas of the whole numbers whose text, including the sign, has an allowed length.
    fn number_schemas(&self) -> Vec<Json> {
        let power = |exponent: u64| 10_i128.pow(exponent.min(25) as u32);
        let length = self.0.length();
        let (min, max) = (length.min.unwrap_or(0).max(1), length.max.unwrap_or(u64::MAX).min(25));
        // A number has at least one digit, and at most 20 characters.
        if max < min {
            return Vec::new();
        }
        let positive = (if min == 1 { 0 } else { power(min - 1) }, power(max) - 1);
        let negative = (1 - power(max.saturating_sub(1)), -power(min.saturating_sub(2)));
        [negative, positive]
            .into_iter()
            .map(|(low, high)| (low.max(i64::MIN.into()), high.min(u64::MAX.into())))
            .filter(|(low, high)| low <= high)
            .map(|(low, high)| json!({ "type": "integer", "minimum": low.to_json(), "maximum": high.to_json() }))
            .collect()
    }
}

impl Check for LooseStringCheck {
    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        match value {
            Value::Int(_) | Value::Uint(_) | Value::Float(_) => {
                let text = self.number_to_digits(value).or_else(|| self.fraction_to_text(value));
                *value = text.ok_or_else(|| TypeMismatch::new(self.expected(), value))?;
                Ok(())
            }
            _ => self.0.check(value),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        self.0.expected()
    }

    fn in_words(&self) -> Cow<'static, str> {
        self.0.in_words()
    }

    fn schema(&self) -> Json {
        if !self.0.checks_only_length() {
            return self.0.schema();
        }
        let mut any = vec![self.0.schema()];
        any.extend(self.number_schemas());
        if self.accepts_fractions() {
            any.push(json!({ "type": "number", "not": { "type": "integer" } }));
        }
        json!({ "anyOf": any })
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
