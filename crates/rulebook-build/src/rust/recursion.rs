//! Finds the places where the type of a recursive schema needs a `Box`: a value cannot contain a value of its type
//! without one, except in a list or a map.

use std::collections::HashSet;
use std::sync::Arc;

use rulebook_model::types::{Check, NamedSchema, Structure};

/// Which parts of a value are considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parts {
    /// Those that the value contains without a list or map around them.
    Direct,
    All,
}

/// Returns `true` if values of the type `check` contain values of the schema with this key.
pub(super) fn contains_schema(check: &Arc<dyn Check>, key: &str, parts: Parts) -> bool {
    let (mut seen, mut pending) = (HashSet::new(), Vec::new());
    add_schemas(check, parts, &mut pending);
    while let Some(schema) = pending.pop() {
        if schema.key() == key {
            return true;
        }
        if seen.insert(schema.key().to_owned()) {
            add_schemas(&schema.check, parts, &mut pending);
        }
    }
    false
}

/// Adds the schemas whose values the values of a type contain.
fn add_schemas(check: &Arc<dyn Check>, parts: Parts, schemas: &mut Vec<Arc<NamedSchema>>) {
    match check.structure() {
        Structure::Schema(schema) => schemas.push(schema),
        Structure::Nullable(check) => add_schemas(&check, parts, schemas),
        Structure::Object(shape) => shape.fields.iter().for_each(|field| add_schemas(&field.check, parts, schemas)),
        Structure::Union(branches) => branches.iter().for_each(|branch| add_schemas(branch, parts, schemas)),
        Structure::TaggedUnion { branches, .. } => {
            branches.iter().for_each(|(_, branch)| add_schemas(branch, parts, schemas));
        }
        Structure::Array(check) | Structure::Map(check) if parts == Parts::All => add_schemas(&check, parts, schemas),
        _ => {}
    }
}
