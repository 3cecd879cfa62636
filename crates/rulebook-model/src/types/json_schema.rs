//! Reads the keywords of the JSON Schemas that types return.

use serde_json::{Map, Value as Json};

use super::SCHEMA_REFERENCE_PREFIX;

/// Returns the key of the schema of the definition to which a JSON Schema refers.
pub(crate) fn reference_key(schema: &Json) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(SCHEMA_REFERENCE_PREFIX)
}

/// Returns the kinds of values in the keyword `type`, which is one kind or a list; none without this keyword.
pub(crate) fn kinds(keyword: Option<&Json>) -> Vec<&str> {
    match keyword {
        Some(Json::String(kind)) => vec![kind],
        Some(Json::Array(kinds)) => kinds.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Returns the values of a JSON Schema that lists all of them.
pub(crate) fn constants(schema: &Json) -> Option<&[Json]> {
    match schema.get("const") {
        Some(constant) => Some(std::slice::from_ref(constant)),
        None => schema.get("enum")?.as_array().map(Vec::as_slice),
    }
}

/// Returns the schemas in a list, such as `allOf`; none without this keyword.
pub(crate) fn schemas_in<'s>(schema: &'s Json, keyword: &str) -> &'s [Json] {
    schema.get(keyword).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// Returns the alternatives of a JSON Schema. Those of a union are under `oneOf`.
pub(crate) fn branches(schema: &Json) -> Option<&[Json]> {
    ["anyOf", "oneOf"].iter().find_map(|keyword| schema.get(*keyword)?.as_array()).map(Vec::as_slice)
}

/// Calls a function with each schema in the keywords of a schema: with the name of the member that it describes, if
/// it is in `properties`.
pub(crate) fn for_each_inner_schema(keywords: &mut Map<String, Json>, mut visit: impl FnMut(Option<&str>, &mut Json)) {
    for (keyword, value) in keywords {
        match (keyword.as_str(), value) {
            ("properties", Json::Object(inner)) => {
                inner.iter_mut().for_each(|(name, schema)| visit(Some(name), schema));
            }
            ("anyOf" | "allOf" | "oneOf", Json::Array(inner)) => {
                inner.iter_mut().for_each(|schema| visit(None, schema));
            }
            ("items" | "additionalProperties" | "not", schema) => visit(None, schema),
            _ => {}
        }
    }
}
