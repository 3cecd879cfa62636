//! `text_id`: an `id`, also as a text in JSON.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::int::Int;
use super::{ArgumentError, Arguments, Check, Written, decimal};
use crate::call::{Mismatch, Value};

#[derive(Debug)]
struct TextId(Int);

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(TextId(Int::text_id(arguments)?)))
}

impl Check for TextId {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        self.0.decode(text)
    }

    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        match value {
            // What was expected and what came is told of the text, not of the number that it may be.
            Value::Text(text) => self
                .0
                .check(self.0.decode(Cow::Borrowed(&*text)))
                .map(Value::into_owned)
                .map_err(|_| Mismatch::new(self.expected(), &Value::Text(text.clone()))),
            value => self.0.check(value),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        self.0.expected()
    }

    fn schema(&self) -> Json {
        let pattern = decimal::strict_pattern(self.0.min(), self.0.max());
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
