//! Validators of JSON Schemas that are independent of rulebook: they use the crate `jsonschema`.

use jsonschema::{Draft, Validator};
use rulebook_model::types::{Check, SCHEMA_FORMATS, TypeExpr};
use serde_json::Value as Json;

/// Returns a validator that ignores the keyword `format`.
pub fn plain_validator(schema: &Json) -> Validator {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(false)
        .build(schema)
        .unwrap_or_else(|error| panic!("{schema} is not a schema: {error}"))
}

/// Returns a validator that supports the formats that rulebook's types use in their schemas.
pub fn validator(schema: &Json) -> Validator {
    let mut options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
    for format in SCHEMA_FORMATS {
        options = options.with_format(format.name, format.is_valid);
    }
    options.build(schema).unwrap_or_else(|error| panic!("{schema} is not a schema: {error}"))
}

/// Returns `true` if a check may reject a value that the schema of the type accepts, because JSON Schema has no keyword
/// for the reason: `docs/types.md` lists these values.
pub fn is_beyond_schemas(check: &dyn Check, value: &Json) -> bool {
    let TypeExpr { term, attributes } = check.type_expr();
    let notation = format!("{term} {}", Json::Object(attributes));
    let has = |name: &str| notation.contains(name);
    let has_bounds = has("\"min\"") || has("\"max\"");
    any_leaf(value, &|leaf| match leaf {
        Json::Number(number) => number.is_f64() && number.as_f64().is_some_and(|float| float.abs() >= 2_f64.powi(53)),
        Json::String(text) => {
            let is_bounded_number = has("loose_float(") || has("loose_float") && has_bounds;
            let is_inexact_moment = has("datetime") && (has_bounds || text.contains(":60"));
            let is_rare_file_name = has("filename") && (!text.is_ascii() || text.len() > 255);
            let is_bounded_number = is_bounded_number || has("decimal(") && has_bounds;
            is_rare_file_name || is_inexact_moment || is_bounded_number && text.parse::<f64>().is_ok()
        }
        _ => false,
    })
}

/// Returns `true` if a value, an item or a member at any depth has a property.
fn any_leaf(value: &Json, has_property: &dyn Fn(&Json) -> bool) -> bool {
    match value {
        Json::Array(items) => items.iter().any(|item| any_leaf(item, has_property)),
        Json::Object(members) => members.values().any(|member| any_leaf(member, has_property)),
        leaf => has_property(leaf),
    }
}

/// Keywords of JSON Schema 2020-12 that the schemas of types may use. Usual validators support all of them.
const STANDARD_KEYWORDS: &[&str] = &[
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contentMediaType",
    "default",
    "description",
    // A keyword of OpenAPI, which validators ignore.
    "discriminator",
    "enum",
    "examples",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "properties",
    "propertyNames",
    "required",
    "type",
];

/// Formats of JSON Schema 2020-12 (Validation, section 7.3), and of the registry of OpenAPI, that the schemas of types
/// may use.
const STANDARD_FORMATS: &[&str] = &["binary", "date", "decimal", "email", "ipv4", "ipv6", "uri", "uuid"];

/// Returns the first keyword or format in a schema that usual validators do not support, or `None`.
pub fn unusual_keyword(schema: &Json) -> Option<String> {
    let nested = |value: &Json| match value {
        Json::Array(schemas) => schemas.iter().find_map(unusual_keyword),
        other => unusual_keyword(other),
    };
    schema.as_object()?.iter().find_map(|(keyword, value)| match keyword.as_str() {
        keyword if !STANDARD_KEYWORDS.contains(&keyword) => Some(format!("{keyword}: {value}")),
        "format" => value.as_str().filter(|name| !STANDARD_FORMATS.contains(name)).map(|name| format!("format {name}")),
        "properties" => value.as_object()?.values().find_map(unusual_keyword),
        "additionalProperties" | "allOf" | "anyOf" | "items" | "not" | "oneOf" | "propertyNames" => nested(value),
        _ => None,
    })
}

/// Returns `true` if a validator that ignores formats checks a value completely: the schema has no format except
/// `decimal`, `uuid` and `email`, which are accompanied by equivalent patterns.
pub fn is_exact(schema: &Json) -> bool {
    match schema {
        Json::Object(keywords) => keywords.iter().all(|(keyword, value)| match keyword.as_str() {
            "format" => value == "decimal" || value == "uuid" || value == "email",
            _ => is_exact(value),
        }),
        Json::Array(items) => items.iter().all(is_exact),
        _ => true,
    }
}
