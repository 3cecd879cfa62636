//! The descriptions in JSON Schemas: that of the definition, and that of the type.
//!
//! Types describe the rules that their JSON Schemas cannot express, such as constraints that compare members.

use serde_json::{Map, Value as Json};

/// The keyword with the description.
const DESCRIPTION_KEYWORD: &str = "description";

/// Adds the description that the definition gives for a value, before the description of the value's type.
pub(crate) fn add_info(schema: &mut Map<String, Json>, info: &str) {
    let description = info_with_type_description(info, schema);
    if !description.is_empty() {
        schema.insert(DESCRIPTION_KEYWORD.to_owned(), Json::String(description));
    }
}

/// Returns the description of a value, with the description of its type (in `schema`) in another paragraph.
pub(crate) fn info_with_type_description(info: &str, schema: &Map<String, Json>) -> String {
    match schema.get(DESCRIPTION_KEYWORD).and_then(Json::as_str) {
        Some(of_type) if !info.contains(of_type) => {
            let separator = if info.trim().is_empty() { "" } else { "\n\n" };
            format!("{info}{separator}{of_type}.")
        }
        _ => info.to_owned(),
    }
}
