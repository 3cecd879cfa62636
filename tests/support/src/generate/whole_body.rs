//! Makes random definitions valid in which a parameter is the whole body: no other parameter can be in the body then.

use rulebook_model::model::WHOLE_BODY_KEY;
use serde_json::{Map, Value as Json};

/// Moves the common parameter `shared` from the body to the query if a method has a parameter that is the whole body,
/// because the method inherits `shared`.
pub(super) fn move_common_parameter_to_query(
    files: &[(String, Json)],
    other_dialects: &[(String, Json)],
    app: &mut Map<String, Json>,
) {
    let has_whole_body = |(_, module): &(String, Json)| has_whole_body(module);
    if let Some(Json::Object(common)) = app.get_mut("common")
        && files.iter().chain(other_dialects).any(has_whole_body)
        && let Some(shared) = common.remove("shared")
    {
        common.insert("GET@shared".to_owned(), shared);
    }
}

/// Returns `true` if a method in this part of a definition has a parameter that is the whole body.
fn has_whole_body(part: &Json) -> bool {
    let Json::Object(members) = part else { return false };
    let is_key = |key: &str| members.get(key).is_some_and(|parameters| parameters.get(WHOLE_BODY_KEY).is_some());
    let is_source = |source: &Json| source.as_str().is_some_and(|source| source.eq_ignore_ascii_case("body"));
    is_key("in")
        || is_key("parameters")
        || members.get("source").is_some_and(is_source)
        || members.values().any(has_whole_body)
}
