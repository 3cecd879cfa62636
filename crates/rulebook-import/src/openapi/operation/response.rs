//! Converts the responses of operations to outputs and errors.

use serde_json::{Map, Value as Json, json};

use super::body::is_json_media_type;
use crate::openapi::document::{members, reference_of, text};
use crate::openapi::losses::{LossKind, Place};
use crate::openapi::names::{is_field_name, slug, unique_name};
use crate::openapi::schema::{Converter, ORIGIN_KEY, any_schema, described};
use crate::openapi::unread::is_extension;

/// What the responses of an operation become.
#[derive(Default)]
pub(super) struct ConvertedResponses {
    pub outputs: Map<String, Json>,
    pub errors: Map<String, Json>,
    pub options: Map<String, Json>,
}

/// Converts all responses of an operation: the first success, and the errors.
pub(super) fn convert_responses<'a>(
    converter: &mut Converter<'a>,
    operation: &'a Json,
    place: &Place,
) -> ConvertedResponses {
    let document = converter.document;
    let place = place.member("responses");
    let responses = document.read_members(operation, "responses");
    let is_success = |status: &str| status.starts_with('2');
    let mut statuses: Vec<&String> = responses.keys().filter(|status| is_success(status)).collect();
    statuses.sort();
    let has_content = |status: &&&String| {
        let found = document.find_target(&responses[status.as_str()], &place);
        found.is_ok_and(|(response, _)| !members(response.get("content")).is_empty())
    };
    // Of several successes, one with outputs says more than one without.
    let success = statuses.iter().find(has_content).or(statuses.first()).map(|status| status.as_str());
    let success = success.or_else(|| responses.contains_key("default").then_some("default"));
    let mut converted = ConvertedResponses::default();
    let mut error_names = std::collections::HashSet::new();
    for (status, response) in responses {
        let place = place.member(status);
        let is_success = Some(status.as_str()) == success;
        let error = status.parse::<u16>().ok().filter(|number| (400..600).contains(number));
        if is_extension(status) {
            document.record_whole(response);
            continue;
        }
        if !is_success && error.is_none() {
            let message = "only one success and the errors 400 to 599 are imported";
            converter.losses.add(LossKind::RESPONSE, &place, message);
            continue;
        }
        let Some((response, response_place)) = converter.resolve(response, &place, "the response is") else { continue };
        match error {
            Some(number) if !is_success => {
                let reason = reason(number);
                let name = unique_name(&slug(reason, '_'), &mut error_names);
                let text = |key: &str| document.read_text(response, key);
                let info = text("description").or_else(|| text("summary")).unwrap_or(reason);
                let error = json!({ "status": number, "info": info, ORIGIN_KEY: place.as_str() });
                converted.errors.insert(name, error);
                if !members(response.get("content")).is_empty() {
                    let message = "the envelope determines the body of an error response";
                    converter.losses.add(LossKind::ERROR_BODY, &response_place.member("content"), message);
                }
            }
            _ => convert_success(converter, status, response, &place, &response_place, &mut converted),
        }
    }
    converted
}

fn convert_success<'a>(
    converter: &mut Converter<'a>,
    status: &str,
    response: &'a Json,
    place: &Place,
    response_place: &Place,
    converted: &mut ConvertedResponses,
) {
    let document = converter.document;
    let number = status.parse::<u16>().ok().filter(|number| (200..300).contains(number));
    if number.is_none() {
        converter.losses.add(LossKind::RESPONSE, place, "the response gets the status 200");
    }
    if let Some(number) = number.filter(|number| *number != 200) {
        converted.options.insert("status".to_owned(), number.into());
    }
    if text(response, "description").is_some_and(|text| is_meaningless(text, number)) {
        document.read(response, "description");
    }
    let content = document.read_members(response, "content");
    let content_place = response_place.member("content");
    let json = content.iter().find(|(media_type, _)| is_json_media_type(media_type));
    let chosen = json.or_else(|| content.iter().next());
    for (other, _) in content.iter().filter(|(other, _)| chosen.is_some_and(|(chosen, _)| chosen != *other)) {
        let message = "the response is imported in one media type";
        converter.losses.add(LossKind::CONTENT_TYPE, &content_place.member(other), message);
    }
    let Some((media_type, chosen)) = chosen else { return };
    let media_place = content_place.member(media_type);
    if matches!(number, Some(204 | 205)) {
        converter.losses.add(LossKind::RESPONSE, &media_place, "a response with this status has no body");
        return;
    }
    if json.is_none() {
        if number == Some(206) {
            converter.losses.add(LossKind::RESPONSE, place, "the response gets the status 200");
            converted.options.shift_remove("status");
        }
        let message = format!("the method responds with a file; `{media_type}` is not described");
        converter.losses.add(LossKind::CONTENT_TYPE, &media_place, message);
        converted.options.insert("download".to_owned(), json!(true));
        return;
    }
    if chosen.get("schema").is_none() && media_type.contains('*') {
        converter.losses.add(LossKind::CONTENT_TYPE, &media_place, "the media type and the body are not described");
        return;
    }
    document.record(chosen);
    convert_outputs(converter, (response, chosen), &media_place, converted);
}

/// Converts the content of a response: the members of an object to outputs, any other body to an output that is the
/// whole body. Without a schema, the body is any JSON value.
fn convert_outputs<'a>(
    converter: &mut Converter<'a>,
    (response, content): (&'a Json, &'a Json),
    media_place: &Place,
    converted: &mut ConvertedResponses,
) {
    let document = converter.document;
    let (schema, place) = match content.get("schema") {
        Some(schema) => (schema, media_place.member("schema")),
        None => (any_schema(), media_place.clone()),
    };
    let is_named = reference_of(schema).is_some() || document.is_nullable(schema);
    let parts = converter.object_parts(schema, &place).filter(|parts| {
        let is_usable = parts.members.iter().all(|member| is_field_name(member.name) && member.name != "*");
        is_usable && !parts.members.is_empty() && parts.has_only_members() && !parts.has_constraints()
    });
    if let Some(parts) = parts.filter(|_| !is_named) {
        converter.read_parts(&parts);
        converted.outputs = converter.fields(&parts.members, "result");
        return;
    }
    let body = converter.convert(schema, &place, "result");
    let is_optional = body.is_nullable && body.term() != "any";
    if is_optional {
        converter.losses.widen(LossKind::NULL, &place, "the body can also be missing");
    }
    let description = document.read_description(schema);
    let info = description.or_else(|| document.read_text(response, "description")).unwrap_or("The response");
    let mut output = described(info, body, is_optional);
    let example = converter.content_example(content, media_place);
    if let Some(example) = example.or_else(|| converter.example(schema, &place)) {
        output.insert("example".to_owned(), example);
    }
    output.insert(ORIGIN_KEY.to_owned(), place.as_str().into());
    converted.outputs.insert("*".to_owned(), output.into());
}

/// Returns `true` if the description of a success says only that it is one.
fn is_meaningless(description: &str, status: Option<u16>) -> bool {
    let is = |text: &str| description.trim_end_matches(['.', '!']).eq_ignore_ascii_case(text);
    let reason = match status {
        Some(201) => "Created",
        Some(202) => "Accepted",
        Some(204) => "No Content",
        Some(205) => "Reset Content",
        Some(206) => "Partial Content",
        _ => "OK",
    };
    [reason, "OK", "Response", "Success", "Successful operation", "Successful response"].into_iter().any(is)
}

/// Returns the reason phrase of an error status (RFC 9110 section 15).
fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        507 => "Insufficient Storage",
        ..=499 => "Client Error",
        _ => "Server Error",
    }
}
