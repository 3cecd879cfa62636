//! Replaces references to schemas at the outermost level of JSON Schemas.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{NamedSchema, SCHEMA_REFERENCE_PREFIX};
use crate::types::Check;

/// Returns the JSON Schema of a type without references at the outermost level and as the type of items.
pub(crate) fn schema_without_outer_references(check: &dyn Check) -> Json {
    let mut schema = check.schema();
    let referenced = check.referenced_schemas();
    if !referenced.is_empty() {
        replace_outer_references(&mut schema, &referenced, 0);
    }
    schema
}

const MAX_CHAIN: usize = 32;

fn replace_outer_references(schema: &mut Json, referenced: &[Arc<NamedSchema>], depth: usize) {
    let key = schema.get("$ref").and_then(Json::as_str).and_then(|text| text.strip_prefix(SCHEMA_REFERENCE_PREFIX));
    if let Some(target) = key.and_then(|key| referenced.iter().find(|schema| schema.key() == key)) {
        *schema = target.check.schema();
        let referenced = target.check.referenced_schemas();
        if depth < MAX_CHAIN && !referenced.is_empty() && schema.get("properties").is_none() {
            replace_outer_references(schema, &referenced, depth + 1);
        }
        return;
    }
    if let Some(items) = schema.get_mut("items") {
        replace_outer_references(items, referenced, depth);
    }
    for keyword in ["anyOf", "oneOf"] {
        for branch in schema.get_mut(keyword).and_then(Json::as_array_mut).into_iter().flatten() {
            replace_outer_references(branch, referenced, depth);
        }
    }
}
