//! The values that the server reads as the only item of a list. If a list is serialized as JSON, a client can also send
//! a single item instead of the list.

use serde_json::{Map, Value as Json, json};

use super::serialization::{accepts_anything, any_of_branches};

/// Returns the schemas of the values that the server decodes as a list with a single item if their JSON text is the
/// text of the parameter. `list` is the schema of the list, and `attributes` are the attributes of its type.
///
/// A text in JSON has quotes, which become part of the item. Few types of items accept such a text, so that these
/// schemas contain no texts unless the items can be any text.
pub(super) fn single_item_schemas(list: &Json, attributes: &Map<String, Json>) -> Vec<Json> {
    let branches = any_of_branches(list);
    // If the type accepts lists and objects, its schema has `anyOf`.
    let (array, accepts_objects) = match branches {
        [array, _] => (array, true),
        _ => (list, false),
    };
    let count = |keyword: &str| array.get(keyword).and_then(Json::as_u64);
    // A list with another `format` than the usual one is not read from a single text.
    let is_split = attributes.contains_key("format");
    if is_split || count("minItems").is_some_and(|min| min > 1) || count("maxItems") == Some(0) {
        return Vec::new();
    }
    let items = array.get("items").cloned().unwrap_or_else(|| json!({}));
    if accepts_anything(&items) || items == json!({ "type": "string" }) {
        let mut kinds = vec!["string", "number", "boolean", "null"];
        if !accepts_objects {
            kinds.push("object");
        }
        return vec![json!({ "type": kinds })];
    }
    let empty = Map::new();
    let item_attributes = attributes.get("items").and_then(Json::as_object).unwrap_or(&empty);
    item_schemas(&items, item_attributes, accepts_objects)
}

/// Returns the schemas of the items whose JSON text the server decodes as this item. If `skips_objects` is `true`, the
/// text of an object is not an item.
fn item_schemas(item: &Json, attributes: &Map<String, Json>, skips_objects: bool) -> Vec<Json> {
    let branches = any_of_branches(item);
    if !branches.is_empty() {
        let is_loose_array = branches.iter().any(|branch| branch.get("type") == Some(&json!("array")));
        if is_loose_array && !branches.iter().any(|branch| branch.get("type") == Some(&json!("null"))) {
            let mut schemas = single_item_schemas(item, attributes);
            schemas.extend(branches.iter().filter(|branch| is_of_type(branch, "object") && !skips_objects).cloned());
            return schemas;
        }
        return branches.iter().flat_map(|branch| item_schemas(branch, attributes, skips_objects)).collect();
    }
    match item.get("type") {
        Some(Json::String(kind)) => match kind.as_str() {
            "array" => single_item_schemas(item, attributes),
            "object" if skips_objects => Vec::new(),
            "string" | "null" => Vec::new(),
            _ => vec![item.clone()],
        },
        // The type `?T`, or a type that accepts several kinds of values.
        Some(Json::Array(kinds)) => kinds
            .iter()
            .flat_map(|kind| {
                let mut one = item.clone();
                one["type"] = kind.clone();
                item_schemas(&one, attributes, skips_objects)
            })
            .collect(),
        _ if item.get("enum").and_then(Json::as_array).is_some_and(|values| !values.iter().any(Json::is_string)) => {
            vec![item.clone()]
        }
        _ => Vec::new(),
    }
}

fn is_of_type(schema: &Json, kind: &str) -> bool {
    schema.get("type") == Some(&json!(kind))
}
