//! The check of a nullable type, `?T`, within an array or an attribute such as `of`, and that of an optional value that
//! can be left out, but cannot be null.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{ArgumentError, ArgumentErrorKind, Check, ObjectShape, Structure, TypeExpr};
use crate::call::{TypeMismatch, Value};

pub(super) const NULLABLE_ATTRIBUTE: &str = "nullable";

#[derive(Debug)]
struct NullableCheck(Arc<dyn Check>);

/// The check of a value that cannot be null. If it is optional, it can only be left out.
#[derive(Debug)]
struct NotNullCheck(Arc<dyn Check>);

/// Returns the check of a value beside the attribute `nullable`. An optional value can be null unless it says
/// otherwise.
pub(super) fn with_nullable(
    check: Arc<dyn Check>,
    is_optional: bool,
    attribute: &Json,
) -> Result<Arc<dyn Check>, ArgumentError> {
    let error = |message| ArgumentError::new(ArgumentErrorKind::Invalid, message).at(NULLABLE_ATTRIBUTE);
    match attribute {
        Json::Bool(true) if is_optional => Ok(check),
        Json::Bool(false) => Ok(not_null_check(check)),
        Json::Bool(true) => Err(error("a required value cannot be null").help("write the type with `?`")),
        _ => Err(error("`nullable` must be true or false")),
    }
}

pub(super) fn not_null_check(check: Arc<dyn Check>) -> Arc<dyn Check> {
    Arc::new(NotNullCheck(check))
}

pub(super) fn nullable_check(check: Arc<dyn Check>) -> Arc<dyn Check> {
    if check.accepts_null() { check } else { Arc::new(NullableCheck(check)) }
}

/// Returns the JSON Schema of an optional value, which can be null unless its type refuses it.
pub(crate) fn optional_schema(check: &dyn Check, schema: Json) -> Json {
    if check.accepts_null() || check.refuses_null() { schema } else { nullable_schema(schema) }
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

impl Check for NotNullCheck {
    fn base(&self) -> Option<&dyn Check> {
        Some(&*self.0)
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        self.0.check(value)?;
        // A type that accepts null can also read a text as null.
        if *value == Value::Null { Err(TypeMismatch::new(self.expected(), value)) } else { Ok(()) }
    }

    fn expected(&self) -> Cow<'static, str> {
        if self.0.accepts_null() { "a value other than null".into() } else { self.0.expected() }
    }

    fn schema(&self) -> Json {
        self.0.schema()
    }

    fn type_expr(&self) -> TypeExpr {
        self.0.type_expr().with(NULLABLE_ATTRIBUTE, Some(false))
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        self.0.boundary_values()
    }

    fn accepts_null(&self) -> bool {
        false
    }

    fn refuses_null(&self) -> bool {
        true
    }
}
