//! Finds schemas of which no value can end.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use serde_json::Value as Json;

use crate::types::{NamedSchema, SCHEMA_REFERENCE_PREFIX, replace_references};

/// Returns the indexes of the schemas whose values would all contain a value that never ends.
///
/// A schema has a finite value if its other values contain only schemas that have one. Each time that a schema turns
/// out to have one, the schemas that refer to it are examined again.
pub(super) fn endless_schemas(schemas: &[Arc<NamedSchema>]) -> Vec<usize> {
    let json: Vec<Json> = schemas.iter().map(|schema| schema.check.schema()).collect();
    let known: HashSet<&str> = schemas.iter().map(|schema| schema.key()).collect();
    let mut users: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, schema) in json.iter().enumerate() {
        replace_references(&mut schema.clone(), &mut |key| {
            users.entry(key.to_owned()).or_default().push(index);
            String::new()
        });
    }
    let mut endless = known;
    let mut waiting: VecDeque<usize> = (0..schemas.len()).collect();
    while let Some(index) = waiting.pop_front() {
        let key = schemas[index].key();
        if endless.contains(key) && !is_endless(&json[index], &endless) {
            endless.remove(key);
            waiting.extend(users.remove(key).into_iter().flatten());
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
