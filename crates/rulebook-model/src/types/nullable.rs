//! The check of a nullable type, `?T`, within an array or an attribute such as `of`.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{Check, ObjectShape, Structure, TypeExpr};
use crate::call::{TypeMismatch, Value};

#[derive(Debug)]
struct NullableCheck(Arc<dyn Check>);

pub(super) fn nullable_check(check: Arc<dyn Check>) -> Arc<dyn Check> {
    if check.accepts_null() { check } else { Arc::new(NullableCheck(check)) }
}

/// Returns a JSON Schema that accepts null and every value that `schema` accepts.
pub(crate) fn nullable_schema(mut schema: Json) -> Json {
    // If the schema has one of these keywords, adding "null" to the keyword `type` is not enough to make null valid.
    let only_type = ["enum", "const", "anyOf", "allOf", "oneOf"].iter().all(|keyword| schema.get(keyword).is_none());
    match schema.get_mut("type") {
        Some(name @ Json::String(_)) if only_type => {
            *name = json!([name.take(), "null"]);
            schema
        }
        _ => {
            let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            let mut nullable = json!({ "anyOf": [schema, { "type": "null" }] });
            if let Some(description) = description {
                nullable["description"] = description;
            }
            nullable
        }
    }
}

impl Check for NullableCheck {
    fn base(&self) -> Option<&dyn Check> {
        Some(&*self.0)
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        if let Value::Null = value {
            return Ok(());
        }
        self.0.check(value).map_err(|mut mismatch| {
            if mismatch.path.is_empty() {
                mismatch.expected = self.expected();
            }
            mismatch
        })
    }

    fn expected(&self) -> Cow<'static, str> {
        let expected = self.0.expected();
        // A schema in itself may accept null, which is known only after this check has been compiled.
        let is_named = self.0.checked(Value::Null).is_ok();
        if is_named { expected } else { format!("{expected} or null").into() }
    }

    fn in_words(&self) -> Cow<'static, str> {
        let words = self.0.in_words();
        let is_list_or_object = words.contains(", ") || words.contains("; ");
        // Without "either", null would look like an alternative to the items.
        let either = if is_list_or_object && !words.starts_with("either ") { "either " } else { "" };
        let comma = if is_list_or_object || words.starts_with("either ") { "," } else { "" };
        format!("{either}{words}{comma} or null").into()
    }

    fn object_shape(&self) -> Option<ObjectShape> {
        None
    }

    fn structure(&self) -> Structure {
        Structure::Nullable(Arc::clone(&self.0))
    }

    fn schema(&self) -> Json {
        nullable_schema(self.0.schema())
    }

    fn type_expr(&self) -> TypeExpr {
        let written = self.0.type_expr();
        TypeExpr { term: format!("?{}", written.term), attributes: written.attributes }
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        let mut boundary_values = self.0.boundary_values();
        boundary_values.push(Value::Null);
        boundary_values
    }

    fn example(&self) -> Option<Value<'static>> {
        self.0.example().or(Some(Value::Null))
    }

    fn accepts_null(&self) -> bool {
        true
    }
}
