//! The check that stands for a type with an error, so that the other errors around the type are found. It is never a
//! part of a model, because a definition with errors has no model.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use serde_json::{Value as Json, json};

use super::named_schema::is_unresolved_reference;
use super::{Check, Structure, TypeExpr};
use crate::call::{TypeMismatch, Value};

#[derive(Debug)]
struct FailedType;

static FAILED_TYPE: LazyLock<Arc<dyn Check>> = LazyLock::new(|| Arc::new(FailedType));

pub(crate) fn failed_type() -> Arc<dyn Check> {
    Arc::clone(&FAILED_TYPE)
}

/// Returns `true` if the check stands for a type with an error, about which nothing more is reported.
pub(crate) fn is_failed_type(check: &Arc<dyn Check>) -> bool {
    Arc::ptr_eq(check, &FAILED_TYPE)
}

/// Returns `true` if the values of a type are, or can be, those of a type with an error. The result is correct only
/// when all schemas are compiled: before that, every reference to a later schema looks like one with an error.
pub(super) fn contains_failed_type(check: &Arc<dyn Check>) -> bool {
    if is_failed_type(check) {
        return true;
    }
    // The recursion ends, because schemas that refer to themselves without an object between are never compiled.
    match check.structure() {
        Structure::Scalar => is_unresolved_reference(&**check),
        Structure::Schema(schema) => contains_failed_type(&schema.check),
        Structure::Nullable(inner) => contains_failed_type(&inner),
        Structure::Union(branches) => branches.iter().any(contains_failed_type),
        Structure::Array(_) | Structure::Map(_) | Structure::Object(_) | Structure::TaggedUnion { .. } => false,
    }
}

impl Check for FailedType {
    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        Err(TypeMismatch::new(self.expected(), value))
    }

    fn expected(&self) -> Cow<'static, str> {
        "a value of a valid type".into()
    }

    fn schema(&self) -> Json {
        json!({})
    }

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::default()
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        Vec::new()
    }
}
