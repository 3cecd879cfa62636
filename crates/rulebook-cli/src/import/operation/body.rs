//! Converts request bodies to parameters in the body.

use rulebook_model::model::{WHOLE_BODY_KEY, default_parameter_name};
use serde_json::Value as Json;

use super::OperationContext;
use super::parameter::Parameters;
use crate::import::document::{items, members, text};
use crate::import::losses::{LossKind, Place};
use crate::import::names::is_read;
use crate::import::schema::{Converter, Member, ORIGIN_KEY, Type, described, description, is_binary};

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
    let media_place = content_place.member(media_type);
    let schema_place = media_place.member("schema");
    let schema = chosen.get("schema");
    let parts = schema.and_then(|schema| converter.object_parts(schema, &schema_place));
    let parts = parts.filter(|parts| !parts.members.is_empty());
    let is_whole = schema.is_some() && parts.is_none() && rank(media_type) == 0 && context.method != "DELETE";
    for (other, other_content) in content.iter().filter(|(other, _)| *other != media_type) {
        // The server reads JSON and forms for each method, except if the whole body is a parameter.
        if is_whole || rank(other) == 3 || other_content.get("schema") != schema {
            let message = format!("the body is imported as `{media_type}`");
            converter.losses.add(LossKind::ContentType, &content_place.member(other), message);
        }
    }
    if let Some(schema) = schema.filter(|_| is_whole) {
        insert_whole_body(converter, schema, &media_place, (body, chosen), parameters);
        return;
    }
    report_examples(converter, chosen, &media_place);
    if rank(media_type) == 3 {
        converter.losses.add(LossKind::Body, &media_place, "the body is neither JSON nor a form: it is omitted");
        return;
    }
    if !members(chosen.get("encoding")).is_empty() {
        let message = "how single fields are encoded is not described";
        converter.losses.add(LossKind::ContentType, &media_place.member("encoding"), message);
    }
    if schema.is_none() {
        return;
    }
    let Some(parts) = parts else {
        let message = "the body is not an object with fields, which would be parameters: it is omitted";
        converter.losses.add(LossKind::Body, &schema_place, message);
        return;
    };
    converter.report_parts(&parts);
    for closing in &parts.closings {
        let message = "unknown fields are handled as the setting `unknown` says";
        converter.losses.add(LossKind::Keyword, &closing.place, message);
    }
    for others in parts.others.iter().filter(|others| !members(Some(others.schema)).is_empty()) {
        converter.losses.add(LossKind::Keyword, &others.place, "a body has no other fields than parameters");
    }
    for (_, place) in &parts.keys {
        converter.losses.add(LossKind::Keyword, place, "the names of the fields of a body are not checked");
    }
    for place in &parts.bounds {
        converter.losses.add(LossKind::Keyword, place, "the number of the fields of a body is not checked");
    }
    let is_required = body.get("required").and_then(Json::as_bool) == Some(true);
    if !is_required && parts.members.iter().any(|member| member.is_required) {
        converter.losses.add(LossKind::Body, &place, "a request without the body lacks required parameters");
    }
    for member in &parts.members {
        insert_field(converter, member, rank(media_type) == 1, context, parameters);
    }
}

/// Adds the whole body as a parameter. `body` is the request body of the description, and its content.
fn insert_whole_body<'a>(
    converter: &mut Converter<'a>,
    schema: &'a Json,
    place: &Place,
    (body, content): (&'a Json, &'a Json),
    parameters: &mut Parameters,
) {
    let schema_place = place.member("schema");
    let converted = converter.convert(schema, &schema_place, "body");
    let is_required = body.get("required").and_then(Json::as_bool) == Some(true);
    let needs_mark = converted.is_nullable && !matches!(converted.term(), "any" | "null");
    if is_required && needs_mark {
        converter.losses.add(LossKind::Null, &schema_place, "the body can also be missing");
    }
    let is_optional = !is_required || needs_mark;
    let info = description(schema).or_else(|| text(body, "description")).unwrap_or("The body");
    let mut parameter = described(info, converted, is_optional);
    if let Some(default) = schema.get("default").filter(|default| !default.is_null()) {
        parameter.insert("default".to_owned(), default.clone());
    }
    if content.get("examples").is_some() {
        let message = "a definition has one example of a parameter";
        converter.losses.add(LossKind::Example, &place.member("examples"), message);
    }
    let example = converter.example(content, place).or_else(|| converter.example(schema, &schema_place));
    if let Some(example) = example {
        parameter.insert("example".to_owned(), example);
    }
    parameter.insert(ORIGIN_KEY.to_owned(), schema_place.as_str().into());
    parameters.insert(WHOLE_BODY_KEY.to_owned(), default_parameter_name(WHOLE_BODY_KEY), parameter);
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
    let has_other_meaning =
        member.name == WHOLE_BODY_KEY || member.name.starts_with('{') || member.name.contains(['@', '#', '[', ']']);
    let is_key = !has_other_meaning && is_read(member.name);
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
