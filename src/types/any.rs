//! `any`: whatever JSON can say.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{ArgumentError, Arguments, Check, Written};
use crate::call::{JsonLimits, Mismatch, Value, value_from_json};

/// How deep JSON in a text may nest.
const NESTING: u64 = 64;

/// How many items or members an array or object, and how many parts a list in a text may have.
pub(super) const ITEMS: u64 = 10_000;

#[derive(Debug)]
struct Any;

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.no_terms()?;
    Ok(any())
}

/// The check that lets anything pass.
pub(super) fn any() -> Arc<dyn Check> {
    Arc::new(Any)
}

/// A text that begins with one of `openings` as the JSON that it is; any other text as it is.
pub(super) fn decode_json<'a>(text: Cow<'a, str>, openings: &[char]) -> Value<'a> {
    if !text.trim_start().starts_with(openings) {
        return Value::Text(text);
    }
    let limits = JsonLimits::new(NESTING, ITEMS);
    match text {
        Cow::Borrowed(borrowed) => value_from_json(borrowed, &limits).unwrap_or(Value::Text(text)),
        Cow::Owned(owned) => match value_from_json(&owned, &limits).map(Value::into_owned) {
            Some(value) => value,
            None => Value::Text(owned.into()),
        },
    }
}

impl Check for Any {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        decode_json(text, &['[', '{'])
    }

    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        match value {
            Value::File(_) => Err(Mismatch::new(self.expected(), &value)),
            value => Ok(value),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        Cow::Borrowed("a value")
    }

    fn schema(&self) -> Json {
        json!({})
    }

    fn written(&self) -> Written {
        Written::term("any")
    }

    fn extremes(&self) -> Vec<Value<'static>> {
        vec![
            Value::Null,
            Value::Bool(true),
            Value::Int(0),
            Value::Float(0.5),
            Value::Text(Cow::Borrowed("")),
            Value::List(Vec::new()),
            Value::Map(Vec::new()),
        ]
    }

    fn example(&self) -> Option<Value<'static>> {
        Some(Value::Text(Cow::Borrowed("anything")))
    }

    fn takes_null(&self) -> bool {
        true
    }
}
