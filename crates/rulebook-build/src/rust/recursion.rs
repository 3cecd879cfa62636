//! Finds the places where the type of a recursive schema needs a `Box`: a value cannot contain a value of its type
//! without one, except in a list or a map.

use std::collections::HashSet;
use std::sync::Arc;

use rulebook_model::types::{Check, NamedSchema, Structure};

/// The schema whose type is written.
#[derive(Debug)]
pub(super) struct DirectSchemas {
    key: String,
}

/// Which parts of a value are considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parts {
    /// Those that the value contains without a list or map around them.
    Direct,
    All,
}

impl DirectSchemas {
    pub(super) fn new(schema: &NamedSchema) -> Self {
        Self { key: schema.key().to_owned() }
    }

    /// Returns `true` if values of the type `check` contain values of this schema.
    pub(super) fn is_in(&self, check: &Arc<dyn Check>) -> bool {
        let mut schemas = Vec::new();
        add_schemas(check, Parts::All, &mut schemas);
        self.is_reached(schemas, Parts::All)
    }

    fn is_reached(&self, mut pending: Vec<Arc<NamedSchema>>, parts: Parts) -> bool {
        let mut seen = HashSet::new();
        while let Some(schema) = pending.pop() {
            if schema.key() == self.key {
                return true;
            }
            if seen.insert(schema.key().to_owned()) {
                add_schemas(&schema.check, parts, &mut pending);
            }
        }
        false
    }
}

/// Returns `true` if the values of `schema` contain values of the schema `within` without a list or map around them.
pub(super) fn is_direct(within: &DirectSchemas, schema: &Arc<NamedSchema>) -> bool {
    within.is_reached(vec![Arc::clone(schema)], Parts::Direct)
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
