//! The members of OpenAPI and JSON Schema: what a description loses if the definition does not express them.

use serde_json::Value as Json;

use super::document::{items, members, reference_of};
use super::losses::{LossKind, Losses, Place};

/// The message about a member or an item that no part of a definition expresses.
pub(super) const NOT_EXPRESSED: &str = "nothing in a definition expresses it";

/// The members whose value is an object with names that the author of the description has chosen.
const WITH_NAMES: [&str; 26] = [
    "$defs",
    "callbacks",
    "content",
    "definitions",
    "dependentRequired",
    "dependentSchemas",
    "encoding",
    "examples",
    "headers",
    "links",
    "mapping",
    "mediaTypes",
    "parameters",
    "pathItems",
    "paths",
    "patternProperties",
    "properties",
    "requestBodies",
    "responses",
    "schemas",
    "scopes",
    "securitySchemes",
    "variables",
    "webhooks",
    "additionalOperations",
    "$vocabulary",
];

/// The flags whose absence means `false`.
const FLAGS: [&str; 10] = [
    "allowEmptyValue",
    "allowReserved",
    "deprecated",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "nullable",
    "readOnly",
    "required",
    "uniqueItems",
    "writeOnly",
];

/// The keywords that accept every value if they are `true` or an empty schema.
const OPEN_SCHEMAS: [&str; 6] =
    ["additionalItems", "additionalProperties", "items", "propertyNames", "unevaluatedItems", "unevaluatedProperties"];

/// The keywords that require something only of values of one type.
const KEYWORDS_OF_TYPES: [(&str, &[&str]); 4] = [
    (
        "array",
        &[
            "additionalItems",
            "contains",
            "items",
            "maxContains",
            "maxItems",
            "minContains",
            "minItems",
            "prefixItems",
            "unevaluatedItems",
            "uniqueItems",
        ],
    ),
    ("number", &["exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"]),
    (
        "object",
        &[
            "additionalProperties",
            "dependentRequired",
            "dependentSchemas",
            "maxProperties",
            "minProperties",
            "patternProperties",
            "properties",
            "propertyNames",
            "required",
            "unevaluatedProperties",
        ],
    ),
    ("string", &["contentEncoding", "contentMediaType", "contentSchema", "maxLength", "minLength", "pattern"]),
];

/// The keywords that limit the values of a schema, in addition to [`KEYWORDS_OF_TYPES`].
const LIMITS: [&str; 7] = ["$dynamicRef", "const", "else", "enum", "if", "not", "then"];

/// Returns `true` if the author of the description has chosen the names of the members of this member.
pub(super) fn has_names(key: &str) -> bool {
    WITH_NAMES.contains(&key)
}

/// Returns `true` if a member is for other programs.
pub(super) fn is_extension(key: &str) -> bool {
    key.starts_with("x-")
}

/// Returns `true` if a member of an object has no meaning because of its value: without it, the object would mean the
/// same.
pub(super) fn has_no_effect(object: &Json, key: &str) -> bool {
    let is_empty = |value: &Json| match value {
        Json::Bool(is_set) => {
            if *is_set {
                OPEN_SCHEMAS.contains(&key)
            } else {
                FLAGS.contains(&key)
            }
        }
        Json::Number(number) => number.as_u64() == Some(0) && ["minItems", "minLength", "minProperties"].contains(&key),
        Json::String(text) => {
            text.trim().is_empty() && ["description", "format", "pattern", "summary", "title"].contains(&key)
        }
        Json::Array(items) => {
            items.is_empty() && ["examples", "parameters", "required", "servers", "tags"].contains(&key)
        }
        Json::Object(members) => {
            members.is_empty() && (WITH_NAMES.contains(&key) || OPEN_SCHEMAS.contains(&key) || key == "components")
        }
        Json::Null => key == "default",
    };
    object.get(key).is_some_and(is_empty)
}

/// Returns `true` if a keyword can require something of the values of a schema.
fn applies_to_type(schema: &Json, key: &str) -> bool {
    let Some((of_type, _)) = KEYWORDS_OF_TYPES.iter().find(|(_, keywords)| keywords.contains(&key)) else {
        return true;
    };
    let names = schema
        .get("type")
        .map_or(&[][..], |name| if name.is_array() { items(Some(name)) } else { std::slice::from_ref(name) });
    let is_type = |name: &Json| {
        ["array", "boolean", "integer", "null", "number", "object", "string"].iter().any(|known| name == known)
    };
    let is_of_type = |name: &Json| name == of_type || (*of_type == "number" && name == "integer");
    names.is_empty() || !names.iter().all(is_type) || names.iter().any(is_of_type)
}

/// Reports a member of an object that no part of the definition expresses.
pub(super) fn report_member(losses: &mut Losses, object: &Json, key: &str, place: &Place) {
    let is_limit = KEYWORDS_OF_TYPES.iter().any(|(_, keywords)| keywords.contains(&key)) || LIMITS.contains(&key);
    let is_limit = is_limit || ["allOf", "anyOf", "format", "oneOf", "type"].contains(&key);
    let text = |value: &Json| value.as_str().unwrap_or_default().escape_debug().to_string();
    match key {
        _ if !applies_to_type(object, key) => {
            losses.add(LossKind::Keyword, place, "the keyword has no effect on values of this type");
        }
        _ if is_limit && reference_of(object).is_some() => {
            losses.widen(LossKind::Keyword, place, "the keyword is next to a reference");
        }
        "format" => losses.widen(LossKind::Format, place, format!("`{}` is not checked", text(&object[key]))),
        "allOf" => losses.widen(LossKind::AllOf, place, "the parts limit the values of the schema next to them"),
        "anyOf" | "oneOf" => {
            let message = "the branches limit the values of the schema next to them";
            losses.widen(LossKind::Constraint, place, message);
        }
        "type" => losses.widen(LossKind::Keyword, place, "values of other types are accepted, too"),
        "dependentRequired" | "dependentSchemas" | "required" => {
            losses.widen(LossKind::Constraint, place, "which members are required is not checked");
        }
        _ if is_limit => losses.widen(LossKind::Keyword, place, "the type has no attribute for this keyword"),
        "default" => losses.add(LossKind::Default, place, "the default is not applied"),
        "example" | "examples" => losses.add(LossKind::Example, place, "a definition has no such example here"),
        "additionalOperations" | "head" | "options" | "query" | "trace" => report_method(losses, key, place),
        "callbacks" => losses.add(LossKind::Callback, place, "a definition has no callbacks"),
        "links" => losses.add(LossKind::Link, place, "a definition has no links"),
        "headers" => {
            losses.add(LossKind::ResponseHeader, place, "a definition does not describe header fields of responses");
        }
        "servers" => losses.add(LossKind::Server, place, "servers belong to the whole API"),
        "allowEmptyValue" | "allowReserved" => losses.add(LossKind::Style, place, "a parameter has no such key"),
        "encoding" if members(Some(&object[key])).values().any(|part| part.get("contentType").is_some()) => {
            losses.widen(LossKind::ContentType, place, "the media types of the parts of a body are not checked");
        }
        "contentType" => losses.widen(LossKind::ContentType, place, "the media type of a field is not checked"),
        "encoding" | "itemEncoding" | "prefixEncoding" => {
            losses.add(LossKind::ContentType, place, "how parts of a body are encoded is not described");
        }
        "itemSchema" => losses.add(LossKind::ContentType, place, "a definition does not describe items of a stream"),
        "title" if object.get("description").is_some() => {
            losses.add(LossKind::Annotation, place, "there is a description, too");
        }
        "bearerFormat" => losses.add(LossKind::Security, place, "the format of the tokens is not described"),
        "$anchor" | "$comment" | "$dynamicAnchor" | "$id" | "$schema" | "contentEncoding" | "contentMediaType"
        | "contentSchema" | "deprecated" | "description" | "discriminator" | "externalDocs" | "readOnly"
        | "summary" | "termsOfService" | "title" | "writeOnly" | "xml" => {
            losses.add(LossKind::Annotation, place, "a definition has no such note here");
        }
        _ => losses.add(LossKind::Unknown, place, NOT_EXPRESSED),
    }
}

fn report_method(losses: &mut Losses, key: &str, place: &Place) {
    let message = match key {
        "head" => "a HEAD request is handled as a GET request: the description of the operation is omitted",
        "options" => "the server responds to OPTIONS requests itself: the operation is omitted",
        _ => "a definition has no such HTTP method: the operation is omitted",
    };
    losses.add(LossKind::Method, place, message);
}
