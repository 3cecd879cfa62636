//! Finds schemas of which no value can end.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::types::{NamedSchema, SCHEMA_REFERENCE_PREFIX};

/// Returns the indexes of the schemas whose values would all contain a value that never ends. The schemas are examined
/// until no other one turns out to have a finite value; a schema is usually listed after those to which it refers.
pub(super) fn endless_schemas(schemas: &[Arc<NamedSchema>]) -> Vec<usize> {
    let json: Vec<Json> = schemas.iter().map(|schema| schema.check.schema()).collect();
    let mut endless: HashSet<&str> = schemas.iter().map(|schema| schema.key()).collect();
    let mut count = usize::MAX;
    while endless.len() < count {
        count = endless.len();
        for (schema, json) in schemas.iter().zip(&json) {
            if !is_endless(json, &endless) {
                endless.remove(schema.key());
            }
        }
    }
    (0..schemas.len()).filter(|index| endless.contains(schemas[*index].key())).collect()
}

/// Returns `true` if every value of a JSON Schema would contain a value of one of the schemas with the keys `endless`.
fn is_endless(schema: &Json, endless: &HashSet<&str>) -> bool {
    let items = |keyword: &str| schema.get(keyword).and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    let reference = schema.get("$ref").and_then(Json::as_str);
    if let Some(key) = reference.and_then(|text| text.strip_prefix(SCHEMA_REFERENCE_PREFIX)) {
        return endless.contains(key);
    }
    let mut branches = items("anyOf").iter().chain(items("oneOf")).peekable();
    if branches.peek().is_some() && branches.all(|branch| is_endless(branch, endless)) {
        return true;
    }
    if items("allOf").iter().any(|part| is_endless(part, endless)) {
        return true;
    }
    let is_filled = schema.get("minItems").and_then(Json::as_u64).is_some_and(|min| min > 0);
    if is_filled && schema.get("items").is_some_and(|items| is_endless(items, endless)) {
        return true;
    }
    let is_filled = schema.get("minProperties").and_then(Json::as_u64).is_some_and(|min| min > 0);
    if is_filled && schema.get("additionalProperties").is_some_and(|values| is_endless(values, endless)) {
        return true;
    }
    let properties = schema.get("properties").and_then(Json::as_object);
    items("required")
        .iter()
        .filter_map(|name| properties?.get(name.as_str()?))
        .any(|property| is_endless(property, endless))
}
