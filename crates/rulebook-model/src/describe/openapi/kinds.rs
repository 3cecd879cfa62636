//! Determines which kinds of values a schema accepts, and excludes null, which no text is decoded as.

use serde_json::{Value as Json, json};

use super::single_item;

/// Returns `true` if a schema accepts arrays or objects.
pub(super) fn accepts_arrays_or_objects(schema: &Json) -> bool {
    let structured = |name: &Json| matches!(name.as_str(), Some("array" | "object"));
    let by_type = match schema.get("type") {
        Some(Json::Array(names)) => names.iter().any(structured),
        Some(name) => structured(name),
        None => false,
    };
    by_type || single_item::is_tagged_object(schema) || branches(schema).iter().any(accepts_arrays_or_objects)
}

/// Returns `true` if a schema accepts any value, or any value except null.
pub(super) fn accepts_anything(schema: &Json) -> bool {
    *schema == json!({}) || *schema == json!({ "not": { "type": "null" } })
}

pub(super) fn accepts_text(schema: &Json) -> bool {
    match schema.get("type") {
        Some(Json::Array(names)) => names.contains(&json!("string")),
        Some(name) => name == "string",
        None => branches(schema).is_empty() || branches(schema).iter().any(accepts_text),
    }
}

/// Returns the branches of a type that accepts several kinds of values. Those of a union are under `oneOf`.
fn branches(schema: &Json) -> &[Json] {
    let branches = ["anyOf", "oneOf"].iter().find_map(|keyword| schema.get(*keyword)?.as_array());
    branches.map_or(&[], Vec::as_slice)
}

/// Removes null from the values that a schema accepts, because no text is decoded as null, except for the text `null`
/// in a union that contains the type `null`. A schema that accepts every value is replaced by the schema of texts.
pub(super) fn without_null(schema: Json) -> Json {
    if accepts_anything(&schema) {
        return json!({ "type": "string" });
    }
    let null = json!("null");
    let Json::Object(mut schema) = schema else { return schema };
    if let Some(Json::Array(names)) = schema.get_mut("type") {
        names.retain(|name| *name != null);
        if let [name] = names.as_slice() {
            let name = name.clone();
            schema.insert("type".to_owned(), name);
        }
    }
    if let Some(Json::Array(branches)) = schema.get_mut("anyOf") {
        branches.retain(|branch| branch.get("type") != Some(&null));
        let all = std::mem::take(branches).into_iter().map(without_null);
        branches.extend(all);
        if schema.len() == 1
            && let Some(Json::Array(branches)) = schema.get_mut("anyOf")
            && branches.len() == 1
        {
            return branches.swap_remove(0);
        }
    }
    if let Some(Json::Array(branches)) = schema.remove("oneOf") {
        let is_null = |branch: &Json| branch.get("type") == Some(&null);
        // The text `null` can also be a value of another branch.
        let keyword = if branches.iter().any(is_null) { "anyOf" } else { "oneOf" };
        let of_texts = |branch: Json| if is_null(&branch) { json!({ "const": "null" }) } else { without_null(branch) };
        schema.insert(keyword.to_owned(), branches.into_iter().map(of_texts).collect());
    }
    Json::Object(schema)
}
