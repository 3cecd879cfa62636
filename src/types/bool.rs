//! `bool`: true or false.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{ArgumentError, Arguments, Check, Written};
use crate::call::{Mismatch, Value};

#[derive(Debug)]
struct Bool;

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.no_terms()?;
    Ok(Arc::new(Bool))
}

impl Check for Bool {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        match &*text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::Text(text),
        }
    }

    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        match value {
            Value::Bool(_) => Ok(value),
            _ => Err(Mismatch::new(self.expected(), &value)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        Cow::Borrowed("true or false")
    }

    fn schema(&self) -> Json {
        json!({ "type": "boolean" })
    }

    fn written(&self) -> Written {
        Written::term("bool")
    }

    fn extremes(&self) -> Vec<Value<'static>> {
        vec![Value::Bool(false), Value::Bool(true)]
    }

    fn example(&self) -> Option<Value<'static>> {
        Some(Value::Bool(true))
    }
}
