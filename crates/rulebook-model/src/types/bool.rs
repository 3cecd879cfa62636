//! The type `bool`: `true` or `false`.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{ArgumentError, Check, TypeArguments, TypeExpr};
use crate::call::{TypeMismatch, Value};

#[derive(Debug)]
struct BoolCheck;

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.expect_no_arguments()?;
    Ok(Arc::new(BoolCheck))
}

impl Check for BoolCheck {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        match &*text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::Text(text),
        }
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        match value {
            Value::Bool(_) => Ok(()),
            _ => Err(TypeMismatch::new(self.expected(), value)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        Cow::Borrowed("true or false")
    }

    fn schema(&self) -> Json {
        json!({ "type": "boolean" })
    }

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term("bool")
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        vec![Value::Bool(false), Value::Bool(true)]
    }

    fn example(&self) -> Option<Value<'static>> {
        Some(Value::Bool(true))
    }
}
