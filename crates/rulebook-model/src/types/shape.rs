//! The check that types have in common whose values are texts of a fixed form, such as `hash`, `mail` and `uuid`.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{ArgumentError, Check, TypeArguments, TypeExpr};
use crate::call::{TypeMismatch, Value};

/// A type without arguments whose values are texts of a fixed form.
#[derive(Debug)]
pub(super) struct TextShape {
    /// The name of the type in terms.
    pub(super) name: &'static str,
    /// A description of the valid values, which an error message inserts after the word "expected".
    pub(super) expected: &'static str,
    /// Returns `true` if a text is a valid value of the type.
    pub(super) test: fn(&str) -> bool,
    /// Returns the JSON Schema of the type.
    pub(super) schema: fn() -> Json,
    /// Valid texts from short to long, which are the boundary values of the type.
    pub(super) samples: &'static [&'static str],
    /// A typical valid text, which the documentation shows as an example.
    pub(super) example: &'static str,
}

/// Compiles a term that names the type `text_type`. The term must not have arguments.
pub(super) fn compile(
    shape: &'static TextShape,
    arguments: &TypeArguments<'_>,
) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.expect_no_arguments()?;
    Ok(Arc::new(shape))
}

/// Returns the JSON Schema of texts that match `pattern`. Write only patterns that ECMA-262 and other regex engines
/// interpret alike.
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
