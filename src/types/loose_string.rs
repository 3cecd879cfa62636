//! `loose_string`: a `string`, also as a whole number in JSON.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::bounds::Bound;
use super::string::Text;
use super::{ArgumentError, Arguments, Check, Written, number};
use crate::call::{Mismatch, Value};

/// A whole number of 64 bits passes as its digits, as far as the length allows
/// and unless there is a pattern: no schema can say which numbers match one.
#[derive(Debug)]
struct LooseString(Text);

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(LooseString(Text::read("loose_string", arguments)?)))
}

impl LooseString {
    fn digits(&self, value: &Value<'_>) -> Option<Value<'static>> {
        let whole = number::whole(value).filter(|whole| number::value_of(*whole).is_some())?;
        let digits = whole.to_string();
        (self.0.is_plain() && self.0.length().holds(digits.len())).then_some(Value::Text(Cow::Owned(digits)))
    }

    /// The whole numbers whose digits, with the sign, are as many as the length allows.
    fn numbers(&self) -> Vec<Json> {
        let power = |exponent: u64| 10_i128.pow(exponent.min(25) as u32);
        let length = self.0.length();
        let (min, max) = (length.min.unwrap_or(0).max(1), length.max.unwrap_or(u64::MAX).min(25));
        let positive = (if min == 1 { 0 } else { power(min - 1) }, power(max) - 1);
        let negative = (1 - power(max.saturating_sub(1)), -power(min.saturating_sub(2)));
        [negative, positive]
            .into_iter()
            .map(|(low, high)| (low.max(i64::MIN.into()), high.min(u64::MAX.into())))
            .filter(|(low, high)| low <= high)
            .map(|(low, high)| json!({ "type": "integer", "minimum": low.json(), "maximum": high.json() }))
            .collect()
    }
}

impl Check for LooseString {
    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        match &value {
            Value::Int(_) | Value::Uint(_) | Value::Float(_) => {
                self.digits(&value).ok_or_else(|| Mismatch::new(self.expected(), &value))
            }
            _ => self.0.check(value),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        self.0.expected()
    }

    fn schema(&self) -> Json {
        if !self.0.is_plain() {
            return self.0.schema();
        }
        let mut any = vec![self.0.schema()];
        any.extend(self.numbers());
        json!({ "anyOf": any })
    }

    fn written(&self) -> Written {
        self.0.written()
    }

    fn extremes(&self) -> Vec<Value<'static>> {
        self.0.extremes()
    }

    fn example(&self) -> Option<Value<'static>> {
        self.0.example()
    }
}
