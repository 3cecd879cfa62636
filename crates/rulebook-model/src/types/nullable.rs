//! The check of a nullable type, `?T`: a `?` before the type of an array's items, or before a type in an attribute such
//! as `of`, makes null a valid value.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{ArgumentError, Arity, Check, MaxSize, NamedSchema, ObjectField, Structure, TypeExpr};
use crate::call::{PhpArray, TypeMismatch, Value};

#[derive(Debug)]
struct NullableCheck(Arc<dyn Check>);

/// Returns a check that accepts null and every value that `check` accepts.
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
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        self.0.decode(text)
    }

    fn decode_item<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        self.0.decode_item(text)
    }

    fn decode_many<'a>(&self, texts: Vec<Cow<'a, str>>) -> Value<'a> {
        self.0.decode_many(texts)
    }

    fn decode_array<'a>(&self, array: PhpArray<'a>) -> Value<'a> {
        self.0.decode_array(array)
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
        match () {
            () if words.starts_with("either ") => format!("{words}, or null"),
            // Otherwise, null would look like an alternative to the items.
            () if is_list_or_object => format!("either {words}, or null"),
            () => format!("{words} or null"),
        }
        .into()
    }

    fn members(&self) -> &[ObjectField] {
        self.0.members()
    }

    fn compare(&self, one: &Value<'_>, other: &Value<'_>) -> Option<Ordering> {
        self.0.compare(one, other)
    }

    fn point_in_time(&self, value: &Value<'_>) -> Option<(i64, u32)> {
        self.0.point_in_time(value)
    }

    fn late_error(&self) -> Option<ArgumentError> {
        self.0.late_error()
    }

    fn referenced_schemas(&self) -> Vec<Arc<NamedSchema>> {
        self.0.referenced_schemas()
    }

    fn field_count(&self) -> usize {
        self.0.field_count()
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

    fn text_for(&self, value: &str) -> Option<String> {
        self.0.text_for(value)
    }

    fn arity(&self) -> Arity {
        self.0.arity()
    }

    fn accepts_null(&self) -> bool {
        true
    }

    fn max_size(&self) -> MaxSize {
        self.0.max_size()
    }

    fn can_check_early(&self) -> bool {
        self.0.can_check_early()
    }

    fn accepts_file(&self, filename: &str, media_type: &str) -> bool {
        self.0.accepts_file(filename, media_type)
    }
}
