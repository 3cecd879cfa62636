//! The names with brackets, such as `x[]` and `x[key]`, under which a query or a form can contain a parameter that is an
//! array or an object.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::model::{Location, Parameter};
use crate::types::{NamedSchema, SCHEMA_REFERENCE_PREFIX, all_referenced_schemas};

/// The key of a member in an example, if the type of the object declares no members.
const EXAMPLE_KEY: &str = "key";
/// The maximum number of references to schemas that lead from one to the next. Recursive schemas have no end.
const MAX_DEPTH: usize = 8;

/// Returns an example of a field name with brackets that contains an item or a member of the parameter's value. Returns
/// `None` if the parameter is neither an array nor an object, or is not in a query or a body.
pub(super) fn bracket_name(parameter: &Parameter) -> Option<String> {
    let is_field = matches!(parameter.from, Location::Query | Location::Body | Location::Any);
    let check = &*parameter.r#type.check;
    let keys = keys_of_value(&check.schema(), &all_referenced_schemas(check), 0);
    (is_field && !keys.is_empty()).then(|| format!("{}{keys}", parameter.key))
}

/// Returns the brackets in the name of a field for a text in a value with this JSON Schema; empty if the value itself is
/// a text. `referenced` contains the schemas to which the JSON Schema refers, and `depth` is the number of references
/// that led to it.
fn keys_of_value(schema: &Json, referenced: &[Arc<NamedSchema>], depth: usize) -> String {
    let reference = schema.get("$ref").and_then(Json::as_str);
    if let Some(key) = reference.and_then(|text| text.strip_prefix(SCHEMA_REFERENCE_PREFIX)) {
        let target = referenced.iter().find(|schema| schema.key() == key).filter(|_| depth < MAX_DEPTH);
        return target.map(|target| keys_of_value(&target.check.schema(), referenced, depth + 1)).unwrap_or_default();
    }
    let keys_of_value = |schema: &Json| keys_of_value(schema, referenced, depth);
    let is = |kind: &str| match schema.get("type") {
        Some(Json::Array(kinds)) => kinds.iter().any(|name| name == kind),
        Some(name) => name == kind,
        None => false,
    };
    if is("array") {
        let inner = schema.get("items").map(&keys_of_value).unwrap_or_default();
        return if inner.is_empty() { "[]".to_owned() } else { format!("[0]{inner}") };
    }
    if is("object") {
        let members = schema.get("properties").and_then(Json::as_object);
        return match members.and_then(|members| members.iter().next()) {
            Some((name, member)) => format!("[{name}]{}", keys_of_value(member)),
            None => format!("[{EXAMPLE_KEY}]"),
        };
    }
    let branches = ["anyOf", "oneOf", "allOf"].iter().filter_map(|keyword| schema.get(*keyword)?.as_array()).flatten();
    branches.map(keys_of_value).find(|keys| !keys.is_empty()).unwrap_or_default()
}
