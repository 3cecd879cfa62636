//! The check that stands for a type with an error, so that the other errors around the type are found. It is never a
//! part of a model, because a definition with errors has no model.

use std::sync::{Arc, LazyLock};

use serde_json::json;

use super::named_schema::is_unresolved_reference;
use super::simple_type::{SimpleType, keep_text};
use super::{Check, Structure};
use crate::call::Value;

static FAILED: SimpleType = SimpleType {
    name: "",
    expected: "a value of a valid type",
    decode: keep_text,
    check: |_| false,
    schema: || json!({}),
    boundary_values: &[],
    example: Value::Null,
};

static FAILED_TYPE: LazyLock<Arc<dyn Check>> = LazyLock::new(|| Arc::new(&FAILED));

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
