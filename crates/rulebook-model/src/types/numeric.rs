//! The type `numeric`: a number, which in JSON may also be a string, or null, which may also be the string `null`.
//!
//! In a JSON string, the number has at most 200 characters and an exponent of at most two digits, so that the pattern
//! in the JSON Schema accepts only finite numbers.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{ArgumentError, Check, TypeArguments, TypeExpr, number};
use crate::call::{TypeMismatch, Value};

#[derive(Debug)]
struct NumericCheck;

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.expect_no_arguments()?;
    Ok(Arc::new(NumericCheck))
}

/// Returns a pattern for `null` and for numbers by the grammar of JSON (RFC 8259 section 6).
fn numeric_pattern() -> String {
    format!(r"^(?:null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:{})?)$", number::EXPONENT_PATTERN)
}

impl Check for NumericCheck {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        match &*text {
            "null" => Value::Null,
            _ => number::decode_number(text),
        }
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        let decoded = match value {
            Value::Text(text) if number::is_short_number_text(text) => Some(self.decode(std::mem::take(text))),
            _ => None,
        };
        if let Some(decoded) = decoded {
            *value = decoded;
        }
        match value {
            Value::Null => Ok(()),
            Value::Int(_) | Value::Uint(_) | Value::Float(_) => {
                number::normalize_number(value);
                Ok(())
            }
            _ => Err(TypeMismatch::new(self.expected(), value)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        Cow::Borrowed("a number or null")
    }

    fn schema(&self) -> Json {
        json!({ "anyOf": [
            { "type": ["number", "null"] },
            { "type": "string", "pattern": numeric_pattern(), "maxLength": number::MAX_NUMBER_TEXT_LEN },
        ] })
    }

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term("numeric")
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        vec![Value::Null, Value::Int(0), Value::Float(0.5), Value::Float(-1.5), Value::Float(f64::MAX)]
    }

    fn example(&self) -> Option<Value<'static>> {
        Some(Value::Int(42))
    }

    fn accepts_null(&self) -> bool {
        true
    }
}
