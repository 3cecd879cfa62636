//! Converts request bodies to parameters in the body.

use serde_json::Value as Json;

use super::OperationContext;
use super::parameter::Parameters;
use crate::import::document::{items, members};
use crate::import::losses::{LossKind, Place};
use crate::import::names::is_read;
use crate::import::schema::{Converter, Member, Type, described, description, is_binary};

/// The media type of a form with files.
const MULTIPART: &str = "multipart/form-data";
const FORM: &str = "application/x-www-form-urlencoded";

/// Converts the request body of an operation.
pub(super) fn convert_body<'a>(
    converter: &mut Converter<'a>,
    operation: &'a Json,
    place: &Place,
    context: &OperationContext<'a, '_>,
    parameters: &mut Parameters,
) {
    let place = place.member("requestBody");
    let Some(body) = operation.get("requestBody") else { return };
    let (body, place) = match converter.document.resolve(body, &place) {
        Ok(resolved) => resolved,
        Err(reference) => {
            converter.losses.add(LossKind::Reference, &place, format!("`{reference}` leads nowhere"));
            return;
        }
    };
    if context.method == "GET" {
        let is_empty = |content: &Json| {
            let schema = content.get("schema");
            schema.is_some_and(|schema| schema.get("$ref").is_none())
                && members(schema.and_then(|s| s.get("properties"))).is_empty()
        };
        if members(body.get("content")).values().all(is_empty) {
            return;
        }
        converter.losses.add(LossKind::Body, &place, "a GET request has no body");
        return;
    }
    let content = members(body.get("content"));
    let is_json = |media_type: &str| is_json_media_type(media_type);
    let rank = |media_type: &str| match media_type.split(';').next().unwrap_or_default().trim() {
        MULTIPART => 1,
        FORM => 2,
        other if is_json(other) => 0,
        _ => 3,
    };
    let Some((media_type, chosen)) = content.iter().min_by_key(|(media_type, _)| rank(media_type)) else { return };
    let content_place = place.member("content");
    for (other, other_content) in content.iter().filter(|(other, _)| *other != media_type) {
        // The server reads JSON and forms for each method.
        if rank(other) == 3 || other_content.get("schema") != chosen.get("schema") {
            let message = format!("the body is imported as `{media_type}`");
            converter.losses.add(LossKind::ContentType, &content_place.member(other), message);
        }
    }
    let media_place = content_place.member(media_type);
    report_examples(converter, chosen, &media_place);
    if rank(media_type) == 3 {
        converter.losses.add(LossKind::Body, &media_place, "the body is neither JSON nor a form: it is omitted");
        return;
    }
    if !members(chosen.get("encoding")).is_empty() {
        let message = "how single fields are encoded is not described";
        converter.losses.add(LossKind::ContentType, &media_place.member("encoding"), message);
    }
    let Some(schema) = chosen.get("schema") else { return };
    let schema_place = media_place.member("schema");
    let parts = converter.object_parts(schema, &schema_place);
    let Some(parts) = parts.filter(|parts| !parts.members.is_empty() || parts.others.is_none()) else {
        let message = "the body is not an object with fields, which would be parameters: it is omitted";
        converter.losses.add(LossKind::Body, &schema_place, message);
        return;
    };
    converter.report_parts(&parts);
    if parts.members.is_empty() {
        converter.losses.add(LossKind::Body, &schema_place, "the fields of the body are not described: it is omitted");
    }
    for keyword in ["oneOf", "anyOf", "not", "if", "dependentRequired", "dependentSchemas"] {
        if schema.get(keyword).is_some() {
            let message = "a definition has no conditions between parameters";
            converter.losses.add(LossKind::Constraint, &schema_place.member(keyword), message);
        }
    }
    if parts.is_closed {
        let message = "unknown fields are handled as the setting `unknown` says";
        converter.losses.add(LossKind::Keyword, &schema_place.member("additionalProperties"), message);
    }
    if let Some((_, others)) = parts.others.as_ref().filter(|(others, _)| !members(Some(others)).is_empty()) {
        converter.losses.add(LossKind::Keyword, others, "a body has no other fields than parameters");
    }
    let is_required = body.get("required").and_then(Json::as_bool) == Some(true);
    if !is_required && parts.members.iter().any(|member| member.is_required) {
        converter.losses.add(LossKind::Body, &place, "a request without the body lacks required parameters");
    }
    for member in &parts.members {
        insert_field(converter, member, rank(media_type) == 1, context, parameters);
    }
}

/// Adds a field of the body.
fn insert_field<'a>(
    converter: &mut Converter<'a>,
    member: &Member<'a>,
    can_be_file: bool,
    context: &OperationContext<'a, '_>,
    parameters: &mut Parameters,
) {
    let file = if can_be_file { file_type(converter, member) } else { None };
    let field = match file {
        Some(file) => {
            let info = description(member.schema).unwrap_or(member.name);
            Some(described(info, file, !member.is_required))
        }
        None => converter.parameter_of_member(member, &context.method.to_ascii_lowercase()),
    };
    let is_key = !member.name.starts_with('{') && !member.name.contains(['@', '#', '[', ']']) && is_read(member.name);
    if !is_key {
        converter.losses.add(LossKind::Name, &member.place, "a field cannot have this name");
        return;
    }
    if let Some(field) = field {
        parameters.insert(member.name.to_owned(), member.name, field);
    }
}

/// Returns the type of a field that contains a file, or a list of files.
fn file_type(converter: &Converter<'_>, member: &Member<'_>) -> Option<Type> {
    let (schema, _) = converter.document.resolve(member.schema, &member.place).ok()?;
    if is_binary(schema) {
        return Some(Type::new("file"));
    }
    let item = schema.get("items").filter(|_| schema.get("type").is_some_and(|name| name == "array"))?;
    let (item, _) = converter.document.resolve(item, &member.place).ok()?;
    is_binary(item).then(|| Type::new("array<file>"))
}

/// Returns `true` for the media types of JSON, and for `*/*`, which descriptions use for JSON.
pub(super) fn is_json_media_type(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(essence.as_str(), "*/*" | "application/*" | "application/json" | "text/json") || essence.ends_with("+json")
}

/// Reports the examples of a whole body.
pub(super) fn report_examples(converter: &mut Converter<'_>, content: &Json, place: &Place) {
    for key in ["example", "examples"] {
        if content.get(key).is_some_and(|examples| !items(Some(examples)).is_empty() || !examples.is_array()) {
            converter.losses.add(LossKind::Example, &place.member(key), "a whole body has no example");
        }
    }
}
