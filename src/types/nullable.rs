//! `?` in front of an item: null passes too.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{Check, Most, Takes, Written};
use crate::call::{Mismatch, Value};

#[derive(Debug)]
struct Nullable(Arc<dyn Check>);

/// `check`, or null. A check that takes null anyway is that already.
pub(super) fn nullable(check: Arc<dyn Check>) -> Arc<dyn Check> {
    if check.takes_null() { check } else { Arc::new(Nullable(check)) }
}

/// The schema of null beside what `schema` lets pass.
pub(crate) fn nullable_schema(mut schema: Json) -> Json {
    // Other keywords may forbid null although `type` lets it pass.
    let only_type = ["enum", "const", "anyOf", "allOf"].iter().all(|keyword| schema.get(keyword).is_none());
    match schema.get_mut("type") {
        Some(kind @ Json::String(_)) if only_type => {
            *kind = json!([kind.take(), "null"]);
            schema
        }
        _ => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

impl Check for Nullable {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        self.0.decode(text)
    }

    fn decode_many<'a>(&self, texts: Vec<Cow<'a, str>>) -> Value<'a> {
        self.0.decode_many(texts)
    }

    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        match value {
            Value::Null => Ok(Value::Null),
            value => self.0.check(value).map_err(|mut mismatch| {
                if mismatch.at.is_empty() {
                    mismatch.expected = self.expected();
                }
                mismatch
            }),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        format!("{} or null", self.0.expected()).into()
    }

    fn schema(&self) -> Json {
        nullable_schema(self.0.schema())
    }

    fn written(&self) -> Written {
        let written = self.0.written();
        Written { term: format!("?{}", written.term), attributes: written.attributes }
    }

    fn extremes(&self) -> Vec<Value<'static>> {
        let mut extremes = self.0.extremes();
        extremes.push(Value::Null);
        extremes
    }

    fn example(&self) -> Option<Value<'static>> {
        self.0.example().or(Some(Value::Null))
    }

    fn text_for(&self, value: &str) -> Option<String> {
        self.0.text_for(value)
    }

    fn takes(&self) -> Takes {
        self.0.takes()
    }

    fn takes_null(&self) -> bool {
        true
    }

    fn most(&self) -> Most {
        self.0.most()
    }

    fn is_early(&self) -> bool {
        self.0.is_early()
    }

    fn may_take(&self, filename: &str, media_type: &str) -> bool {
        self.0.may_take(filename, media_type)
    }
}
