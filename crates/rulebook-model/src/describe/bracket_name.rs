//! The names with brackets, such as `x[]` and `x[key]`, under which a query or a form can contain a parameter that is
//! an array or an object.

use serde_json::Value as Json;

use crate::model::{Location, Parameter};

/// The key of a member in an example, if the type of the object declares no members.
const EXAMPLE_KEY: &str = "key";

/// Returns an example of a field name with brackets that contains an item or a member of the parameter's value. Returns
/// `None` if the parameter is neither an array nor an object, or is not in a query or a body.
pub(super) fn bracket_name(parameter: &Parameter) -> Option<String> {
    let is_field = matches!(parameter.from, Location::Query | Location::Body | Location::Any);
    let keys = keys_of_value(&parameter.r#type.check.schema());
    (is_field && !keys.is_empty()).then(|| format!("{}{keys}", parameter.key))
}

/// Returns the brackets in the name of a field for a text in a value with this JSON Schema; empty if the value itself
/// is a text.
fn keys_of_value(schema: &Json) -> String {
    let is = |kind: &str| match schema.get("type") {
        Some(Json::Array(kinds)) => kinds.iter().any(|name| name == kind),
        Some(name) => name == kind,
        None => false,
    };
    if is("array") {
        let inner = schema.get("items").map(keys_of_value).unwrap_or_default();
        return if inner.is_empty() { "[]".to_owned() } else { format!("[0]{inner}") };
    }
    if is("object") {
        let members = schema.get("properties").and_then(Json::as_object);
        return match members.and_then(|members| members.iter().next()) {
            Some((name, member)) => format!("[{name}]{}", keys_of_value(member)),
            None => format!("[{EXAMPLE_KEY}]"),
        };
    }
    let branches = schema.get("anyOf").and_then(Json::as_array).into_iter().flatten();
    branches.map(keys_of_value).find(|keys| !keys.is_empty()).unwrap_or_default()
}
