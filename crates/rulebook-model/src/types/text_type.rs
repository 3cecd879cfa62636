//! The check that types have in common whose values are texts of a fixed form, such as `hash`, `mail` and `uuid`.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{ArgumentError, Check, TypeArguments, TypeExpr};
use crate::call::{TypeMismatch, Value};

/// A type without arguments whose values are texts of a fixed form.
#[derive(Debug)]
pub(super) struct TextType {
    /// The name of the type in terms.
    pub(super) name: &'static str,
    /// A description of the valid values, which an error message inserts after the word "expected".
    pub(super) expected_phrase: &'static str,
    /// Returns `true` if a text is a valid value of the type.
    pub(super) is_valid: fn(&str) -> bool,
    /// Returns the JSON Schema of the type.
    pub(super) schema: fn() -> Json,
    /// Valid texts from short to long, which are the boundary values of the type.
    pub(super) boundary_texts: &'static [&'static str],
    /// A typical valid text, which the documentation shows as an example.
    pub(super) example: &'static str,
}

/// Compiles a term that names the type `text_type`. The term must not have arguments.
pub(super) fn compile(
    text_type: &'static TextType,
    arguments: &TypeArguments<'_>,
) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.expect_no_arguments()?;
    Ok(Arc::new(text_type))
}

/// Returns the JSON Schema of texts that match `pattern`. Write only patterns that ECMA-262 and other regex engines
/// interpret alike.
pub(super) fn pattern_schema(pattern: &str) -> Json {
    json!({ "type": "string", "pattern": pattern })
}

impl Check for &'static TextType {
    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        match value {
            Value::Text(text) if (self.is_valid)(text) => Ok(()),
            _ => Err(TypeMismatch::new(self.expected_phrase, value)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.expected_phrase)
    }

    fn schema(&self) -> Json {
        (self.schema)()
    }

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term(self.name)
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        self.boundary_texts.iter().map(|text| Value::Text(Cow::Borrowed(text))).collect()
    }

    fn example(&self) -> Option<Value<'static>> {
        Some(Value::Text(Cow::Borrowed(self.example)))
    }
}
