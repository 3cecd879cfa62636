//! Describes types in words, for readers of the documentation.

use std::borrow::Cow;

use crate::types::{Check, Structure};

/// Describes the values of a type in words. If the type is the name of a schema, the words are those of the schema.
/// Within other types, a schema is described by its name only, so that the length of the words is bounded by the length
/// of the definition of one type.
pub(super) fn type_in_words(check: &dyn Check) -> Cow<'static, str> {
    match check.structure() {
        Structure::Schema(schema) => schema.check.in_words(),
        _ => check.in_words(),
    }
}
