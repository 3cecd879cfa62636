//! The type `text_id`: an `id`. In JSON, the number may also be a string.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::int::IntCheck;
use super::{ArgumentError, Check, TypeArguments, TypeExpr, decimal_pattern};
use crate::call::{TypeMismatch, Value};

#[derive(Debug)]
struct TextIdCheck(IntCheck);

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(TextIdCheck(IntCheck::for_text_id(arguments)?)))
}

impl Check for TextIdCheck {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        self.0.decode(text)
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        let Value::Text(text) = value else { return self.0.check(value) };
        // The error must quote the text of the request, not the number to which the text was converted.
        let checked = self.0.checked(self.0.decode(Cow::Borrowed(&**text))).map(Value::into_owned);
        *value = checked.map_err(|_| TypeMismatch::new(self.expected(), value))?;
        Ok(())
    }

    fn expected(&self) -> Cow<'static, str> {
        self.0.expected()
    }

    fn schema(&self) -> Json {
        let pattern = decimal_pattern::strict_pattern(self.0.min(), self.0.max());
        json!({ "anyOf": [self.0.schema(), { "type": "string", "pattern": pattern }] })
    }

    fn type_expr(&self) -> TypeExpr {
        self.0.type_expr()
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        self.0.boundary_values()
    }

    fn example(&self) -> Option<Value<'static>> {
        self.0.example()
    }
}
