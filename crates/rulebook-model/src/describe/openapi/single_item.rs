//! The values that the server reads as the only item of a list. If a list is serialized as JSON, a client can also send
//! a single item instead of the list.

use serde_json::{Map, Value as Json, json};

use super::kinds::accepts_anything;
use crate::types::Check;

/// Returns the schemas of the values that the server decodes as a list with a single item if their JSON text is the
/// text of the parameter. `list` is the schema of the list, and `attributes` are the attributes of its type.
///
/// A text in JSON has quotes, which become part of the item. Few types of items accept such a text, so that these
/// schemas contain no texts unless the items can be any text.
pub(super) fn single_item_schemas(list: &Json, attributes: &Map<String, Json>) -> Vec<Json> {
    let branches = branches_under(list, "anyOf");
    // If the type accepts lists and objects, its schema has `anyOf`.
    let (array, accepts_objects) = match branches {
        [array, _] => (array, true),
        _ => (list, false),
    };
    let count = |keyword: &str| array.get(keyword).and_then(Json::as_u64);
    // Each text of a list with the format `json` is a list.
    let is_json = attributes.get("format").is_some_and(|format| format == "json");
    if is_json || count("minItems").is_some_and(|min| min > 1) || count("maxItems") == Some(0) {
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

/// Keeps, of the schemas of single items, the numbers and words, whose texts do not contain the separator of the list.
pub(super) fn without_separator(schemas: Vec<Json>, separator: &str) -> Vec<Json> {
    if separator.contains(|char: char| char.is_ascii_alphanumeric() || "+-.".contains(char)) {
        return Vec::new();
    }
    let is_scalar = |kind: &Json| matches!(kind.as_str(), Some("integer" | "number" | "boolean" | "null"));
    let keep = |mut schema: Json| {
        if let Some(Json::Array(kinds)) = schema.get_mut("type") {
            kinds.retain(is_scalar);
            return (!kinds.is_empty()).then_some(schema);
        }
        schema.get("type").is_none_or(is_scalar).then_some(schema)
    };
    schemas.into_iter().filter_map(keep).collect()
}

/// Returns the schema of the words of JSON that the server decodes as a list with a single item, because an item can be
/// a text and such a word has no quotes: `true`, `false`, `null`, and the integers of an enumeration of texts. `list`
/// is the schema of the list, and `described` contains the schemas of other single items. Returns `None` if there are
/// no such words.
pub(super) fn word_schema(check: &dyn Check, list: &Json, described: &[Json]) -> Option<Json> {
    let is_described = |kinds: &[&str]| {
        described.iter().any(|schema| match schema.get("type") {
            Some(Json::Array(names)) => names.iter().any(|name| kinds.iter().any(|kind| name == kind)),
            Some(name) => kinds.iter().any(|kind| name == kind),
            None => false,
        })
    };
    let mut words = Vec::new();
    if !is_described(&["null"]) {
        words.push(Json::Null);
    }
    if !is_described(&["boolean"]) {
        words.extend([json!(true), json!(false)]);
    }
    let enumeration = list.pointer("/items/enum").and_then(Json::as_array);
    let texts = enumeration.into_iter().flatten().filter_map(Json::as_str);
    let integers = texts.filter_map(|text| text.parse::<i64>().ok().filter(|number| number.to_string() == text));
    if !is_described(&["integer", "number"]) {
        words.extend(integers.map(|number| json!(number)));
    }
    words.retain(|word| check.checked(check.decode(word.to_string().into())).is_ok());
    (!words.is_empty()).then(|| json!({ "enum": words }))
}

/// Returns the schemas of the items whose JSON text the server decodes as this item. If `skips_objects` is `true`, the
/// text of an object is not an item.
fn item_schemas(item: &Json, attributes: &Map<String, Json>, skips_objects: bool) -> Vec<Json> {
    // The text of an item that is a union is never the only item of a list inside the union.
    let of_union = branches_under(item, "oneOf").iter().filter(|branch| !is_of_type(branch, "array"));
    let mut schemas: Vec<Json> = of_union.flat_map(|branch| item_schemas(branch, &Map::new(), skips_objects)).collect();
    if !schemas.is_empty() || item.get("oneOf").is_some() {
        schemas.dedup();
        return schemas;
    }
    let branches = branches_under(item, "anyOf");
    if !branches.is_empty() {
        let is_loose_array = branches.iter().any(|branch| branch.get("type") == Some(&json!("array")));
        if is_loose_array && !branches.iter().any(|branch| branch.get("type") == Some(&json!("null"))) {
            let mut schemas = single_item_schemas(item, attributes);
            schemas.extend(branches.iter().filter(|branch| is_of_type(branch, "object") && !skips_objects).cloned());
            return schemas;
        }
        return branches.iter().flat_map(|branch| item_schemas(branch, attributes, skips_objects)).collect();
    }
    if is_tagged_object(item) {
        return if skips_objects { Vec::new() } else { vec![item.clone()] };
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

/// Returns `true` for the branch of a union with a tag whose schema does not contain the tag. Such a branch consists of
/// the schema and the tag.
pub(super) fn is_tagged_object(schema: &Json) -> bool {
    schema.get("type").is_none() && schema.get("allOf").is_some()
}

fn branches_under<'s>(schema: &'s Json, keyword: &str) -> &'s [Json] {
    schema.get(keyword).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

fn is_of_type(schema: &Json, kind: &str) -> bool {
    schema.get("type") == Some(&json!(kind))
}
