//! The type `any`: any JSON value.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::object::refuse_repeated_members_within;
use super::{ArgumentError, Check, TypeArguments, TypeExpr};
use crate::call::{JsonLimits, TypeMismatch, Value, value_from_json};

/// The maximum nesting depth of a JSON value that is parsed from a text of the request.
pub(super) const MAX_JSON_DEPTH: u64 = 64;

/// The maximum number of items or members, or of parts of a separated list, that are parsed from a text.
pub(super) const MAX_DECODED_ITEMS: u64 = 10_000;

#[derive(Debug)]
struct AnyCheck;

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.expect_no_arguments()?;
    Ok(any_check())
}

pub(super) fn any_check() -> Arc<dyn Check> {
    Arc::new(AnyCheck)
}

/// Parses a text as JSON if it begins with one of the characters `openings`. Invalid JSON is returned unchanged.
pub(super) fn decode_json<'a>(text: Cow<'a, str>, openings: &[char]) -> Value<'a> {
    if !text.trim_start().starts_with(openings) {
        return Value::Text(text);
    }
    let limits = JsonLimits::new(MAX_JSON_DEPTH, MAX_DECODED_ITEMS).keeping_last(true);
    match text {
        Cow::Borrowed(borrowed) => value_from_json(borrowed, &limits).unwrap_or(Value::Text(text)),
        Cow::Owned(owned) => match value_from_json(&owned, &limits).map(Value::into_owned) {
            Some(value) => value,
            None => Value::Text(owned.into()),
        },
    }
}

impl Check for AnyCheck {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        decode_json(text, &['[', '{'])
    }

    fn decode_item<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        Value::Text(text)
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        match value {
            Value::File(_) => Err(TypeMismatch::new(self.expected(), value)),
            _ => refuse_repeated_members_within(value),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        Cow::Borrowed("a value")
    }

    fn schema(&self) -> Json {
        json!({})
    }

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term("any")
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
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

    fn accepts_null(&self) -> bool {
        true
    }
}
