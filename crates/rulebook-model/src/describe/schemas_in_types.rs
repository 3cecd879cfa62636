//! Finds the schemas of a definition that types contain.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::types::{Check, NamedSchema};

/// Returns the schemas to which several types refer, directly or through other schemas, by their keys. The time that
/// this takes is proportional to the number of references.
pub(super) fn schemas_in_types<'c>(
    types: impl IntoIterator<Item = &'c dyn Check>,
) -> BTreeMap<String, Arc<NamedSchema>> {
    let mut all: BTreeMap<String, Arc<NamedSchema>> = BTreeMap::new();
    let mut waiting: Vec<Arc<NamedSchema>> = Vec::new();
    for check in types {
        waiting.extend(check.referenced_schemas());
        while let Some(schema) = waiting.pop() {
            if !all.contains_key(schema.key()) {
                waiting.extend(schema.check.referenced_schemas());
                all.insert(schema.key().to_owned(), schema);
            }
        }
    }
    all
}
