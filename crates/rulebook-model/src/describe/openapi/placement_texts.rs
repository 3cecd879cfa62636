//! Restricts schemas to the texts that a part of a request can carry.

use std::sync::LazyLock;

use regex::Regex;
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
    if schema.get("type") != Some(&json!("string")) {
        return Json::Object(schema);
    }
    if let Some(Json::Array(words)) = schema.get_mut("enum") {
        let can_be_sent = |word: &&Json| word.as_str().is_some_and(|word| can_carry(placement, word));
        let sent: Vec<_> = words.iter().filter(can_be_sent).cloned().collect();
        // A schema must have at least one value.
        if !sent.is_empty() {
            *words = sent;
        }
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

/// Returns `true` if the part `placement` of a request can carry a text.
fn can_carry(placement: Placement, text: &str) -> bool {
    static PATTERNS: LazyLock<[Option<Regex>; 2]> =
        LazyLock::new(|| [HEADER_VALUE_PATTERN, COOKIE_VALUE_PATTERN].map(|pattern| Regex::new(pattern).ok()));
    let matches = |pattern: &Option<Regex>| pattern.as_ref().is_some_and(|pattern| pattern.is_match(text));
    match placement {
        Placement::Query | Placement::Form => true,
        Placement::Path => !text.is_empty(),
        Placement::Header => matches(&PATTERNS[0]),
        Placement::Cookie => matches(&PATTERNS[1]),
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
