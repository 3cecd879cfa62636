//! `loose_int`: an `int`, also as a text in JSON, with a `+` or leading zeros.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::int::Int;
use super::{ArgumentError, Arguments, Check, Written, decimal, number};
use crate::call::{Mismatch, Value};

#[derive(Debug)]
struct LooseInt(Int);

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(LooseInt(Int::loose(arguments)?)))
}

/// The whole number that a text says: a sign or none, and digits.
fn read(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !number::is_digits(digits) {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let magnitude: i128 = significant.parse().ok()?;
    Some(if text.starts_with('-') { -magnitude } else { magnitude })
}

impl Check for LooseInt {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        read(&text).and_then(number::value_of).unwrap_or(Value::Text(text))
    }

    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        let whole = match &value {
            Value::Text(text) => read(text),
            other => number::whole(other),
        };
        whole.and_then(|whole| self.0.value(whole)).ok_or_else(|| self.0.mismatch(&value, whole))
    }

    fn expected(&self) -> Cow<'static, str> {
        self.0.expected()
    }

    fn schema(&self) -> Json {
        let pattern = decimal::loose_pattern(self.0.min(), self.0.max());
        json!({ "anyOf": [self.0.schema(), { "type": "string", "pattern": pattern }] })
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
