//! Converts request bodies to parameters in the body.

use rulebook_model::constraint::ConstraintKind;
use rulebook_model::model::{WHOLE_BODY_KEY, default_parameter_name};
use serde_json::{Map, Value as Json};

use super::OperationContext;
use super::file_body::{insert_file, is_file, read_file};
use super::parameter::Parameters;
use super::style::style_attributes;
use crate::openapi::losses::{LossKind, Place};
use crate::openapi::names::is_body_key;
use crate::openapi::schema::{
    Converter, Member, ORIGIN_KEY, ObjectParts, Type, accepts_all, any_schema, described, is_binary, schema_key_of,
};

/// The media type of a form with files.
const MULTIPART: &str = "multipart/form-data";
const FORM: &str = "application/x-www-form-urlencoded";

/// The media type of a request body, or of one with the same schema.
struct Content<'a> {
    media_type: &'a str,
    content: &'a Json,
    schema: Option<&'a Json>,
    /// The place of the content.
    place: Place,
    /// The key `encoding` of the form, and its place, if the fields can be sent as this form.
    encoding: Option<(&'a Json, Place)>,
}

/// Converts the request body of an operation.
pub(super) fn convert_body<'a>(
    converter: &mut Converter<'a>,
    operation: &'a Json,
    place: &Place,
    context: &OperationContext<'a, '_>,
    parameters: &mut Parameters,
) {
    let document = converter.document;
    let place = place.member("requestBody");
    let Some(body) = operation.get("requestBody") else { return };
    if context.method == "GET" {
        converter.losses.add(LossKind::BODY, &place, "a GET request has no body");
        return;
    }
    let Some((body, place)) = converter.resolve(body, &place, "the body is") else { return };
    let all = document.read_members(body, "content");
    let is_required = document.read_flag(body, "required");
    let content_place = place.member("content");
    if context.method != "DELETE" && !all.is_empty() && all.iter().all(|part| is_file(converter, part, &content_place))
    {
        insert_file(converter, body, all, &place, parameters);
        return;
    }
    let Some((media_type, content)) = all.iter().min_by_key(|(media_type, _)| rank(media_type)) else { return };
    let schema = content.get("schema");
    let encoding = form_encoding(all, schema, &content_place);
    let chosen = Content { media_type, content, schema, place: content_place.member(media_type), encoding };
    let schema_place = chosen.place.member("schema");
    let parts = chosen.schema.and_then(|schema| converter.object_parts(schema, &schema_place));
    let parts = parts.filter(|parts| !parts.members.is_empty());
    let is_json = rank(media_type) == 0 && (chosen.schema.is_some() || !media_type.contains('*'));
    let is_null = is_json && chosen.schema.is_some_and(|schema| document.is_nullable(schema));
    // Only the whole body can be null, or have members with the names of other keys, but it cannot be a form.
    let has_form = all.keys().any(|other| matches!(rank(other), 1 | 2));
    let is_key = |parts: &ObjectParts<'a>| parts.members.iter().all(|member| is_body_key(member.name));
    let has_fields =
        |parts: &ObjectParts<'a>| !is_json || has_form || context.method == "DELETE" || (!is_null && is_key(parts));
    let parts = parts.filter(has_fields);
    let is_whole = is_json && parts.is_none() && context.method != "DELETE";
    for (other, other_content) in all.iter().filter(|(other, _)| *other != media_type) {
        let place = content_place.member(other);
        let message = format!("the body is imported as `{media_type}`");
        // The server reads JSON and forms for each method, except if the whole body is a parameter.
        if is_whole || rank(other) == 3 {
            converter.losses.narrow(LossKind::CONTENT_TYPE, &place, message);
        } else if other_content.get("schema") == chosen.schema {
            document.record(other_content);
            document.read_whole(other_content, "schema");
        } else {
            converter.losses.add(LossKind::CONTENT_TYPE, &place, message);
        }
    }
    if is_whole {
        document.record(content);
        insert_whole_body(converter, &chosen, body, is_required, parameters);
        return;
    }
    if rank(media_type) == 3 || (rank(media_type) == 0 && !is_json) {
        let message = "the body is neither JSON nor a form: it is omitted";
        converter.losses.add(LossKind::BODY, &chosen.place, message);
        return;
    }
    let Some(parts) = parts else {
        let message = "the body is not an object with fields, which would be parameters: it is omitted";
        converter.losses.add(LossKind::BODY, &chosen.place, message);
        return;
    };
    if is_null {
        converter.losses.narrow(LossKind::BODY, &schema_place, "the body null is refused");
    }
    document.record(content);
    let others = match (is_json, has_form) {
        (true, false) => Some("the body can also be a form"),
        (false, _) => Some("the body can also be JSON"),
        (true, true) => None,
    };
    if let Some(message) = others {
        converter.losses.widen(LossKind::CONTENT_TYPE, &chosen.place, message);
    }
    insert_fields(converter, &chosen, &parts, context, parameters);
    let needs_field = |constraint: &Json| {
        [ConstraintKind::ExactlyOne, ConstraintKind::OneOrMore].iter().any(|kind| constraint.get(kind.key()).is_some())
    };
    let has_required =
        parts.members.iter().any(|member| member.is_required) || parameters.constraints.iter().any(needs_field);
    if !is_required && has_required {
        converter.losses.narrow(LossKind::BODY, &place, "a request without the body lacks required parameters");
    }
}

/// Returns the order in which media types are chosen: JSON, a form with files, another form, and any other media type.
pub(super) fn rank(media_type: &str) -> u8 {
    match media_type.split(';').next().unwrap_or_default().trim() {
        MULTIPART => 1,
        FORM => 2,
        other if is_json_media_type(other) => 0,
        _ => 3,
    }
}

/// Returns the key `encoding` of the form with this schema, and its place. The fields of a form with files are sent
/// otherwise.
fn form_encoding<'a>(
    all: &'a Map<String, Json>,
    schema: Option<&Json>,
    content_place: &Place,
) -> Option<(&'a Json, Place)> {
    if all.keys().any(|media_type| rank(media_type) == 1) {
        return None;
    }
    let (media_type, form) =
        all.iter().find(|(media_type, form)| rank(media_type) == 2 && form.get("schema") == schema)?;
    let encoding = form.get("encoding").filter(|encoding| encoding.is_object())?;
    Some((encoding, content_place.member(media_type).member("encoding")))
}

fn insert_fields<'a>(
    converter: &mut Converter<'a>,
    chosen: &Content<'a>,
    parts: &ObjectParts<'a>,
    context: &OperationContext<'a, '_>,
    parameters: &mut Parameters,
) {
    converter.read_parts(parts);
    if let Some(key) = chosen.schema.and_then(schema_key_of) {
        converter.bodies.insert(key);
    }
    for closing in &parts.closings {
        let message = "unknown fields are handled as the setting `unknown` says";
        converter.losses.widen(LossKind::KEYWORD, &closing.place, message);
    }
    for others in parts.others.iter().filter(|others| !accepts_all(others.schema)) {
        converter.losses.widen(LossKind::KEYWORD, &others.place, "a body has no other fields than parameters");
    }
    for (_, place) in &parts.keys {
        converter.losses.widen(LossKind::KEYWORD, place, "the names of the fields of a body are not checked");
    }
    for place in &parts.bounds {
        converter.losses.widen(LossKind::KEYWORD, place, "the number of the fields of a body is not checked");
    }
    for member in &parts.members {
        insert_field(converter, member, chosen, context, parameters);
    }
    let constraints = converter.constraints((&parts.schemas, &parts.members), &parameters.definition_name());
    parameters.add_constraints(constraints);
}

/// Adds the whole body as a parameter. Without a schema, it is any JSON value. `body` is the request body of the
/// description.
fn insert_whole_body<'a>(
    converter: &mut Converter<'a>,
    chosen: &Content<'a>,
    body: &'a Json,
    is_required: bool,
    parameters: &mut Parameters,
) {
    let document = converter.document;
    let (schema, place) = match chosen.schema {
        Some(schema) => (schema, chosen.place.member("schema")),
        None => (any_schema(), chosen.place.clone()),
    };
    let converted = converter.convert(schema, &place, "body");
    let needs_mark = converted.is_nullable && !matches!(converted.term(), "any" | "null");
    if is_required && needs_mark {
        converter.losses.widen(LossKind::NULL, &place, "the body can also be missing");
    }
    if !is_required && !converted.is_nullable && converted.term() != "any" {
        converter.losses.widen(LossKind::NULL, &place, "the body can also be null");
    }
    let is_optional = !is_required || needs_mark;
    let description = document.read_description(schema).or_else(|| document.read_text(body, "description"));
    let mut parameter = described(description.unwrap_or("The body"), converted, is_optional);
    parameter.extend(converter.default_entry(schema, is_required, &place));
    let example = converter.content_example(chosen.content, &chosen.place);
    let example = example.or_else(|| converter.example(schema, &place));
    parameter.extend(example.map(|example| ("example".to_owned(), example)));
    parameter.insert(ORIGIN_KEY.to_owned(), place.as_str().into());
    parameters.insert(WHOLE_BODY_KEY.to_owned(), WHOLE_BODY_KEY, default_parameter_name(WHOLE_BODY_KEY), parameter);
}

fn insert_field<'a>(
    converter: &mut Converter<'a>,
    member: &Member<'a>,
    chosen: &Content<'a>,
    context: &OperationContext<'a, '_>,
    parameters: &mut Parameters,
) {
    if !is_body_key(member.name) {
        converter.report_name(member, "a parameter in the body cannot have this name");
        return;
    }
    let file = if rank(chosen.media_type) == 1 { file_type(converter, member) } else { None };
    let mut field = match file {
        Some(file) => {
            let info = converter.document.read_description(member.schema).unwrap_or(member.name);
            described(info, file, !member.is_required)
        }
        None => converter.parameter_of_member(member, &context.method.to_ascii_lowercase()),
    };
    if let Some((encoding, place)) = &chosen.encoding {
        let document = converter.document;
        document.record(encoding);
        let part = document.read_object(encoding, member.name);
        // They belong to the parts of a form with files.
        document.read_whole(part, "headers");
        if part.get("style").is_some() || part.get("explode").is_some() {
            let term = field.get("type").and_then(Json::as_str).unwrap_or_default();
            let place = place.member(member.name);
            field.extend(style_attributes(converter, (part, &place), "query", term, member.schema));
        }
    }
    parameters.insert(member.name.to_owned(), member.name, member.name, field);
}

/// Returns the type of a field that contains a file, or a list of files.
fn file_type<'a>(converter: &Converter<'a>, member: &Member<'a>) -> Option<Type> {
    let document = converter.document;
    let (schema, _) = document.find_target(member.schema, &member.place).ok()?;
    if is_binary(schema) {
        return read_file(converter, member.schema, &member.place).map(|()| Type::new("file"));
    }
    let item = schema.get("items").filter(|_| schema.get("type").is_some_and(|name| name == "array"))?;
    let (target, _) = document.find_target(item, &member.place).ok()?;
    if !is_binary(target) {
        return None;
    }
    let _ = document.resolve(member.schema, &member.place);
    document.read(schema, "type");
    document.read(schema, "items");
    let mut files = Type::new("array<file>");
    files.attributes.extend(converter.item_counts(schema));
    read_file(converter, item, &member.place).map(|()| files)
}

/// Returns `true` for the media types of JSON, and for `*/*`, which descriptions use for JSON.
pub(super) fn is_json_media_type(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(essence.as_str(), "*/*" | "application/*" | "application/json" | "text/json") || essence.ends_with("+json")
}
