//! Writes the keywords of schemas in the way that generators of code understand: a list of values has a type, an array
//! has `items`, and an empty array or object is not a constant. The schemas accept the same values as before.

use serde_json::{Map, Value as Json, json};

/// Rewrites a schema, and the schemas in it.
pub(super) fn use_plain_keywords(schema: &mut Json) {
    let Json::Object(keywords) = schema else { return };
    for (keyword, value) in keywords.iter_mut() {
        match (keyword.as_str(), value) {
            ("properties", Json::Object(inner)) => inner.values_mut().for_each(use_plain_keywords),
            ("anyOf" | "allOf" | "oneOf", Json::Array(inner)) => inner.iter_mut().for_each(use_plain_keywords),
            ("items" | "additionalProperties" | "not", inner) => use_plain_keywords(inner),
            _ => {}
        }
    }
    replace_empty_constant(keywords);
    let values: Vec<&Json> = match (keywords.get("const"), keywords.get("enum")) {
        (Some(value), _) => vec![value],
        (None, Some(Json::Array(values))) => values.iter().collect(),
        _ => Vec::new(),
    };
    if !values.is_empty() && !keywords.contains_key("type") {
        let has = |is_kind: fn(&Json) -> bool| values.iter().any(|value| is_kind(value));
        let is_integer = |value: &Json| value.is_i64() || value.is_u64();
        let is_other_number = |value: &Json| value.is_f64();
        let kinds = [
            ("string", has(Json::is_string)),
            ("number", has(is_other_number)),
            ("integer", has(is_integer) && !has(is_other_number)),
            ("boolean", has(Json::is_boolean)),
            ("null", has(Json::is_null)),
            ("array", has(Json::is_array)),
            ("object", has(Json::is_object)),
        ];
        let kinds: Vec<&str> = kinds.into_iter().filter(|(_, has)| *has).map(|(kind, _)| kind).collect();
        let has_both_booleans = values.contains(&&json!(true)) && values.contains(&&json!(false));
        let is_complete = kinds.iter().all(|kind| matches!(*kind, "boolean" | "null"));
        if kinds.contains(&"boolean") && has_both_booleans && is_complete {
            keywords.shift_remove("enum");
        }
        let kind = if let [kind] = kinds[..] { json!(kind) } else { json!(kinds) };
        add_first(keywords, "type", kind);
    }
    let is_array = keywords.get("type").is_some_and(|kind| match kind {
        Json::Array(kinds) => kinds.iter().any(|kind| kind == "array"),
        kind => kind == "array",
    });
    if is_array && !keywords.contains_key("items") && !keywords.contains_key("prefixItems") {
        keywords.insert("items".to_owned(), json!({}));
    }
}

/// Replaces the constants `[]` and `{}`, which few generators know.
fn replace_empty_constant(keywords: &mut Map<String, Json>) {
    let (kind, max) = match keywords.get("const") {
        Some(Json::Array(items)) if items.is_empty() => ("array", "maxItems"),
        Some(Json::Object(members)) if members.is_empty() => ("object", "maxProperties"),
        _ => return,
    };
    keywords.shift_remove("const");
    keywords.insert("type".to_owned(), kind.into());
    keywords.insert(max.to_owned(), 0.into());
}

fn add_first(keywords: &mut Map<String, Json>, keyword: &str, value: Json) {
    let others = std::mem::take(keywords);
    keywords.insert(keyword.to_owned(), value);
    keywords.extend(others);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_are_written_with_keywords_that_generators_know() {
        for (mut schema, expected) in [
            (json!({ "const": [] }), json!({ "type": "array", "maxItems": 0, "items": {} })),
            (json!({ "const": {} }), json!({ "type": "object", "maxProperties": 0 })),
            (json!({ "const": true }), json!({ "type": "boolean", "const": true })),
            (json!({ "enum": [0, 1] }), json!({ "type": "integer", "enum": [0, 1] })),
            (json!({ "enum": [0, 1.5] }), json!({ "type": "number", "enum": [0, 1.5] })),
            (json!({ "enum": ["a", null] }), json!({ "type": ["string", "null"], "enum": ["a", null] })),
            (json!({ "enum": [null, true, false] }), json!({ "type": ["boolean", "null"] })),
            (json!({ "type": ["array", "null"] }), json!({ "type": ["array", "null"], "items": {} })),
            (
                json!({ "properties": { "const": { "const": [] } }, "examples": [{ "const": [] }] }),
                json!({
                    "properties": { "const": { "type": "array", "maxItems": 0, "items": {} } },
                    "examples": [{ "const": [] }],
                }),
            ),
            (json!({ "anyOf": [{ "type": "array" }] }), json!({ "anyOf": [{ "type": "array", "items": {} }] })),
        ] {
            use_plain_keywords(&mut schema);
            assert_eq!(schema, expected);
        }
    }
}
