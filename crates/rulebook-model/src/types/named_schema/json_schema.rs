//! Changes the references in JSON Schemas to schemas of the definition.

use serde_json::{Map, Value as Json};

use super::SCHEMA_REFERENCE_PREFIX;

/// Replaces each reference to a schema in a JSON Schema by the text that `reference` returns for the key of the schema.
/// Values in the JSON Schema, such as examples, are not changed.
pub(crate) fn replace_references(schema: &mut Json, reference: &mut dyn FnMut(&str) -> String) {
    let Json::Object(members) = schema else { return };
    for (keyword, value) in members {
        match (keyword.as_str(), value) {
            ("$ref", value) => replace_reference(value, reference),
            ("properties", Json::Object(schemas)) => {
                schemas.values_mut().for_each(|schema| replace_references(schema, reference));
            }
            ("anyOf" | "allOf" | "oneOf", Json::Array(schemas)) => {
                schemas.iter_mut().for_each(|schema| replace_references(schema, reference));
            }
            ("discriminator", Json::Object(members)) => {
                for value in
                    members.get_mut("mapping").and_then(Json::as_object_mut).into_iter().flat_map(Map::values_mut)
                {
                    replace_reference(value, reference);
                }
            }
            ("items" | "additionalProperties" | "not" | "propertyNames", schema) => {
                replace_references(schema, reference);
            }
            _ => {}
        }
    }
}

fn replace_reference(value: &mut Json, reference: &mut dyn FnMut(&str) -> String) {
    if let Some(key) = value.as_str().and_then(|text| text.strip_prefix(SCHEMA_REFERENCE_PREFIX)) {
        *value = Json::String(reference(key));
    }
}
