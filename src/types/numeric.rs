//! `numeric`: a number, also as a text in JSON, null or the text `null`.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::formats::FLOAT_TEXT;
use super::{ArgumentError, Arguments, Check, Written, number};
use crate::call::{Mismatch, Value};

#[derive(Debug)]
struct Numeric;

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.no_terms()?;
    Ok(Arc::new(Numeric))
}

/// JSON's grammar of numbers (RFC 8259 section 6) as a pattern, and null.
const PATTERN: &str = "^(?:null|-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[Ee][+\\-]?[0-9]+)?)$";

impl Check for Numeric {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        match &*text {
            "null" => Value::Null,
            _ => number::decode_float(text),
        }
    }

    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        let value = match value {
            Value::Text(text) => self.decode(text),
            value => value,
        };
        match value {
            Value::Null => Ok(Value::Null),
            Value::Int(_) | Value::Uint(_) | Value::Float(_) => Ok(number::normal(value)),
            _ => Err(Mismatch::new(self.expected(), &value)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        Cow::Borrowed("a number or null")
    }

    fn schema(&self) -> Json {
        json!({ "anyOf": [
            { "type": ["number", "null"] },
            { "type": "string", "pattern": PATTERN, "format": FLOAT_TEXT },
        ] })
    }

    fn written(&self) -> Written {
        Written::term("numeric")
    }

    fn extremes(&self) -> Vec<Value<'static>> {
        vec![Value::Null, Value::Int(0), Value::Float(0.5), Value::Float(-1.5), Value::Float(f64::MAX)]
    }

    fn example(&self) -> Option<Value<'static>> {
        Some(Value::Int(42))
    }

    fn takes_null(&self) -> bool {
        true
    }
}
