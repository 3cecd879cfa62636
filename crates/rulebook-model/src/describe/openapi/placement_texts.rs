//! Restricts schemas to the texts that a part of a request can carry.

use serde_json::{Map, Value as Json, json};

use super::serialization::Placement;

/// The pattern of header field values: visible ASCII characters, between which spaces and tabs are allowed (RFC 9110
/// section 5.5).
const HEADER_VALUE_PATTERN: &str = r"^(?:[!-~](?:[\t -~]*[!-~])?)?$";
/// The pattern of cookie values (RFC 6265 section 4.1.1).
const COOKIE_VALUE_PATTERN: &str = r"^[!#-+\--:<-\[\]-~]*$";

/// Restricts a schema to the texts that the part `placement` of a request can carry.
pub(super) fn restrict_to_placement(schema: Json, placement: Placement) -> Json {
    let Json::Object(mut schema) = schema else { return schema };
    for keyword in ["anyOf", "oneOf"] {
        if let Some(Json::Array(branches)) = schema.get_mut(keyword) {
            let all = std::mem::take(branches).into_iter().map(|branch| restrict_to_placement(branch, placement));
            branches.extend(all);
        }
    }
    if schema.get("type") != Some(&json!("string")) || schema.contains_key("enum") {
        return Json::Object(schema);
    }
    match placement {
        Placement::Query | Placement::Form => Json::Object(schema),
        Placement::Path => {
            let min_length = schema.get("minLength").and_then(Json::as_u64).unwrap_or(0);
            schema.insert("minLength".to_owned(), json!(min_length.max(1)));
            Json::Object(schema)
        }
        Placement::Header => with_pattern_if_unrestricted(schema, HEADER_VALUE_PATTERN),
        Placement::Cookie => with_pattern_if_unrestricted(schema, COOKIE_VALUE_PATTERN),
    }
}

/// Adds a pattern to a schema, unless the schema already restricts the characters of its texts. Most of these
/// restrictions only allow ASCII characters.
fn with_pattern_if_unrestricted(mut schema: Map<String, Json>, pattern: &str) -> Json {
    let is_unrestricted = ["pattern", "format", "allOf"].iter().all(|keyword| !schema.contains_key(*keyword));
    if is_unrestricted {
        schema.insert("pattern".to_owned(), json!(pattern));
    }
    Json::Object(schema)
}
