//! Finds schemas of which no value can end.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::types::{NamedSchema, SCHEMA_REFERENCE_PREFIX};

/// Returns `true` if every value of a JSON Schema would contain a value of one of the schemas with the keys `outer`.
/// `schemas` contains all schemas to which the JSON Schema refers.
pub(super) fn is_endless<'s>(schema: &Json, schemas: &'s [Arc<NamedSchema>], outer: &mut Vec<&'s str>) -> bool {
    let items = |keyword: &str| schema.get(keyword).and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    if let Some(key) =
        schema.get("$ref").and_then(Json::as_str).and_then(|text| text.strip_prefix(SCHEMA_REFERENCE_PREFIX))
    {
        let Some(target) = schemas.iter().find(|schema| schema.key() == key) else { return false };
        if outer.contains(&key) {
            return true;
        }
        outer.push(target.key());
        let is_endless = is_endless(&target.check.schema(), schemas, outer);
        outer.pop();
        return is_endless;
    }
    let branches = [items("anyOf"), items("oneOf")].concat();
    if !branches.is_empty() && branches.iter().all(|branch| is_endless(branch, schemas, outer)) {
        return true;
    }
    let is_filled = schema.get("minItems").and_then(Json::as_u64).is_some_and(|min| min > 0);
    if is_filled && schema.get("items").is_some_and(|items| is_endless(items, schemas, outer)) {
        return true;
    }
    let properties = schema.get("properties").and_then(Json::as_object);
    items("required")
        .iter()
        .filter_map(|name| properties?.get(name.as_str()?))
        .any(|property| is_endless(property, schemas, outer))
}
