//! Changes the descriptions in JSON Schemas, and their references to schemas of the definition.

use serde_json::{Map, Value as Json};

use super::SCHEMA_REFERENCE_PREFIX;

/// Replaces each reference to a schema by the text that `reference` returns for its key. Examples are not changed.
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

/// Adds the description that the definition gives for a value, before the description of the value's type.
pub(crate) fn add_info(schema: &mut Map<String, Json>, info: &str) {
    let description = info_with_type_description(info, schema);
    if !description.is_empty() {
        schema.insert("description".to_owned(), Json::String(description));
    }
}

/// Returns the description of a value, with the description of its type (in `schema`) in another paragraph.
pub(crate) fn info_with_type_description(info: &str, schema: &Map<String, Json>) -> String {
    match schema.get("description").and_then(Json::as_str) {
        Some(of_type) if !info.contains(of_type) => {
            let separator = if info.trim().is_empty() { "" } else { "\n\n" };
            format!("{info}{separator}{of_type}.")
        }
        _ => info.to_owned(),
    }
}
