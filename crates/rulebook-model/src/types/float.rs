//! The type `float`: finite floating-point numbers of 64 bits.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::bounds::Bounds;
use super::check::{first_valid_value, keep_valid_values};
use super::{ArgumentError, Check, TypeArguments, TypeExpr, number};
use crate::call::{Measure, TypeMismatch, Value, Violation};

#[derive(Debug, Clone)]
pub(super) struct FloatCheck {
    type_name: &'static str,
    pub(super) bounds: Bounds<f64>,
}

/// The preferred examples. [`Check::example`] returns the first of these numbers that is between the bounds.
const PREFERRED_EXAMPLES: [f64; 6] = [1.5, 0.5, 42.0, 10.0, 100.0, -1.5];

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(FloatCheck::from_arguments("float", arguments)?))
}

impl FloatCheck {
    pub(super) fn from_arguments(name: &'static str, arguments: &TypeArguments<'_>) -> Result<Self, ArgumentError> {
        if arguments.positional.len() > 2 {
            return Err(arguments.error(format!("`{name}` has at most two bounds")));
        }
        let bounds = Bounds::from_arguments(arguments, false)?;
        Ok(Self { type_name: name, bounds })
    }

    /// Returns the error for an invalid value. If the value is a number, the error names the bound that it violates.
    #[cold]
    fn mismatch_error(&self, value: &Value<'_>) -> TypeMismatch {
        let number = match value {
            Value::Int(int) => Some(*int as f64),
            Value::Uint(uint) => Some(*uint as f64),
            Value::Float(float) => Some(*float),
            _ => None,
        };
        let bounds = |float| Violation::of_bounds(Measure::Value, self.bounds.min, self.bounds.max, float);
        TypeMismatch::new(self.expected(), value).with_violation(number.and_then(bounds))
    }
}

impl Check for FloatCheck {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        number::decode_number(text)
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        let is_outside = |bound: Option<f64>, side| {
            bound.is_some_and(|bound| number::compare_with_bound(value, bound).is_none_or(|order| order == side))
        };
        let is_valid = match value {
            Value::Float(float) => self.bounds.contains(*float),
            Value::Int(_) | Value::Uint(_) => {
                !is_outside(self.bounds.min, Ordering::Less) && !is_outside(self.bounds.max, Ordering::Greater)
            }
            _ => false,
        };
        if !is_valid {
            return Err(self.mismatch_error(value));
        }
        number::normalize_number(value);
        Ok(())
    }

    fn expected(&self) -> Cow<'static, str> {
        format!("a number{}", self.bounds.range_phrase()).into()
    }

    fn schema(&self) -> Json {
        let mut schema = json!({ "type": "number" });
        self.bounds.insert_keywords(&mut schema, "minimum", "maximum");
        schema
    }

    fn type_expr(&self) -> TypeExpr {
        self.bounds.type_expr(self.type_name, false)
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        let bounds = [self.bounds.min, self.bounds.max].into_iter().flatten();
        let candidates = bounds.chain([0.5, -1.5, 0.0, f64::MIN, f64::MAX]);
        keep_valid_values(self, candidates.map(Value::Float).map(number::normalized_number).collect())
    }

    fn example(&self) -> Option<Value<'static>> {
        let (min, max) = (self.bounds.min, self.bounds.max);
        let inside = |number: &f64| min.is_none_or(|min| min < *number) && max.is_none_or(|max| *number < max);
        let middle = min.zip(max).map(|(min, max)| min / 2.0 + max / 2.0);
        let candidates = PREFERRED_EXAMPLES.into_iter().filter(inside).chain(middle);
        first_valid_value(self, candidates.map(Value::Float).map(number::normalized_number))
    }
}
