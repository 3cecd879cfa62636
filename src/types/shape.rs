//! Texts of a fixed shape: what `hash`, `mail`, `uuid` and their like have in common.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{ArgumentError, Arguments, Check, Written};
use crate::call::{Mismatch, Value};

/// A shape of texts that takes no arguments.
#[derive(Debug)]
pub(super) struct Shape {
    /// The type's name.
    pub(super) name: &'static str,
    /// What passes, behind "expected".
    pub(super) expected: &'static str,
    /// Whether a text has the shape.
    pub(super) test: fn(&str) -> bool,
    /// The type as JSON Schema.
    pub(super) schema: fn() -> Json,
    /// Short and long texts of this shape.
    pub(super) samples: &'static [&'static str],
    /// One that shows it.
    pub(super) example: &'static str,
}

/// Makes the check for a term of this shape.
pub(super) fn compile(shape: &'static Shape, arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.no_terms()?;
    Ok(Arc::new(shape))
}

/// The schema of texts that match a pattern, written so that ECMA-262 and other engines agree.
pub(super) fn pattern_schema(pattern: &str) -> Json {
    json!({ "type": "string", "pattern": pattern })
}

impl Check for &'static Shape {
    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        match &value {
            Value::Text(text) if (self.test)(text) => Ok(value),
            _ => Err(Mismatch::new(self.expected, &value)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.expected)
    }

    fn schema(&self) -> Json {
        (self.schema)()
    }

    fn written(&self) -> Written {
        Written::term(self.name)
    }

    fn extremes(&self) -> Vec<Value<'static>> {
        self.samples.iter().map(|sample| Value::Text(Cow::Borrowed(sample))).collect()
    }

    fn example(&self) -> Option<Value<'static>> {
        Some(Value::Text(Cow::Borrowed(self.example)))
    }
}
