//! Objects that a query contains with a field for each member, such as `place[city]=Paris` (`style: deepObject` in
//! OpenAPI). Most generators of code can send such objects, but not objects in JSON.

use serde_json::{Value as Json, json};

use super::kinds::{accepts_arrays_or_objects, without_null};

/// The keywords of objects whose members can be sent in fields.
const KEYWORDS: [&str; 8] = [
    "type",
    "properties",
    "required",
    "additionalProperties",
    "description",
    "minProperties",
    "maxProperties",
    "examples",
];

/// Returns the schema of an object as it can be sent with a field for each member. Returns `None` if a member can be an
/// array or an object, which OpenAPI does not define for this style. An object without members has no fields, which is
/// the same as a missing parameter. Therefore the object needs a member if `required` is `true`.
pub(super) fn schema_of_members(schema: &Json, required: bool) -> Option<Json> {
    let Json::Object(mut object) = without_null(schema.clone()) else { return None };
    let is_plain = object.get("type")? == "object" && object.keys().all(|keyword| KEYWORDS.contains(&keyword.as_str()));
    let is_closed = object.get("additionalProperties").is_none_or(Json::is_boolean);
    let members = object.get_mut("properties")?.as_object_mut()?;
    let can_be_field = |(name, member): (&String, &Json)| {
        // A member without a type, which has at most a description, can be anything.
        let has_type = ["type", "enum", "const", "anyOf", "oneOf"].iter().any(|keyword| member.get(*keyword).is_some());
        let is_scalar = has_type && !accepts_arrays_or_objects(member);
        is_scalar && !name.is_empty() && !name.contains(['[', ']'])
    };
    if !is_plain || !is_closed || members.is_empty() || !members.iter().all(can_be_field) {
        return None;
    }
    members.values_mut().for_each(|member| *member = without_null(member.take()));
    let min = object.get("minProperties").and_then(Json::as_u64).unwrap_or(0);
    if required && min == 0 && !object.contains_key("required") {
        object.insert("minProperties".to_owned(), json!(1));
    }
    Some(Json::Object(object))
}
