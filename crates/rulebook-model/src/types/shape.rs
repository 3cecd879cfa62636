//! The common check of types whose values are texts of a fixed form, such as `hash`, `mail` and `uuid`.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{ArgumentError, Check, TypeArguments, TypeExpr};
use crate::call::{TypeMismatch, Value};

/// A type without arguments whose values are texts of a fixed form.
#[derive(Debug)]
pub(super) struct TextShape {
    /// The name of the type.
    pub(super) name: &'static str,
    /// The description of a valid value, as it follows "expected" in an error message.
    pub(super) expected: &'static str,
    /// Returns `true` if a text is valid.
    pub(super) test: fn(&str) -> bool,
    /// Returns the JSON Schema of the type.
    pub(super) schema: fn() -> Json,
    /// Valid texts, from short to long.
    pub(super) samples: &'static [&'static str],
    /// A typical valid text, for documentation.
    pub(super) example: &'static str,
}

/// Compiles a term that names this type.
pub(super) fn compile(
    shape: &'static TextShape,
    arguments: &TypeArguments<'_>,
) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.expect_no_arguments()?;
    Ok(Arc::new(shape))
}

/// Returns the schema of texts that match `pattern`, which must have the same meaning in ECMA-262 and in other regex
/// engines.
pub(super) fn pattern_schema(pattern: &str) -> Json {
    json!({ "type": "string", "pattern": pattern })
}

impl Check for &'static TextShape {
    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, TypeMismatch> {
        match &value {
            Value::Text(text) if (self.test)(text) => Ok(value),
            _ => Err(TypeMismatch::new(self.expected, &value)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.expected)
    }

    fn schema(&self) -> Json {
        (self.schema)()
    }

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term(self.name)
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        self.samples.iter().map(|sample| Value::Text(Cow::Borrowed(sample))).collect()
    }

    fn example(&self) -> Option<Value<'static>> {
        Some(Value::Text(Cow::Borrowed(self.example)))
    }
}
