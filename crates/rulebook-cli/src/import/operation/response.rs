//! Converts the responses of operations to outputs and errors.

use serde_json::{Map, Value as Json, json};

use super::body::{is_json_media_type, report_examples};
use crate::import::document::{members, reference_of, text};
use crate::import::losses::{LossKind, Place};
use crate::import::names::{is_read, slug, unique_name};
use crate::import::schema::{Converter, ORIGIN_KEY, described, description};

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
    let place = place.member("responses");
    let responses = members(operation.get("responses"));
    let is_success = |status: &str| status.starts_with('2');
    let mut statuses: Vec<&String> = responses.keys().filter(|status| is_success(status)).collect();
    statuses.sort();
    let has_content = |status: &&&String| {
        let resolved = converter.document.resolve(&responses[status.as_str()], &place);
        resolved.is_ok_and(|(response, _)| !members(response.get("content")).is_empty())
    };
    // Of several successes, one with outputs says more than one without.
    let success = statuses.iter().find(has_content).or(statuses.first()).map(|status| status.as_str());
    let success = success.or_else(|| responses.contains_key("default").then_some("default"));
    let mut converted = ConvertedResponses::default();
    let mut error_names = std::collections::HashSet::new();
    for (status, response) in responses.iter().filter(|(status, _)| !status.starts_with("x-")) {
        let place = place.member(status);
        let (response, response_place) = match converter.document.resolve(response, &place) {
            Ok(resolved) => resolved,
            Err(reference) => {
                converter.losses.add(LossKind::Reference, &place, format!("`{reference}` leads nowhere"));
                continue;
            }
        };
        let number = status.parse::<u16>().ok();
        match number {
            _ if Some(status.as_str()) == success => {
                convert_success(converter, status, response, &place, &response_place, &mut converted);
            }
            Some(number) if (400..600).contains(&number) => {
                let reason = reason(number);
                let name = unique_name(&slug(reason, '_'), &mut error_names);
                let info = text(response, "description").unwrap_or(reason);
                let error = json!({ "status": number, "info": info, ORIGIN_KEY: place.as_str() });
                converted.errors.insert(name, error);
                if !members(response.get("content")).is_empty() {
                    let message = "the envelope determines the body of an error response";
                    converter.losses.add(LossKind::ErrorBody, &response_place.member("content"), message);
                }
            }
            _ => {
                let message = "only one success and the errors 400 to 599 are imported";
                converter.losses.add(LossKind::Response, &place, message);
                continue;
            }
        }
        report_response(converter, response, &response_place);
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
    let number = status.parse::<u16>().ok().filter(|number| (200..300).contains(number));
    if number.is_none() {
        converter.losses.add(LossKind::Response, place, "the response gets the status 200");
    }
    if let Some(number) = number.filter(|number| *number != 200) {
        converted.options.insert("status".to_owned(), number.into());
    }
    let content = members(response.get("content"));
    let content_place = response_place.member("content");
    let json = content.iter().find(|(media_type, _)| is_json_media_type(media_type));
    let chosen = json.or_else(|| content.iter().next());
    for (other, _) in content.iter().filter(|(other, _)| chosen.is_some_and(|(chosen, _)| chosen != *other)) {
        let message = "the response is imported in one media type";
        converter.losses.add(LossKind::ContentType, &content_place.member(other), message);
    }
    let Some((media_type, chosen)) = chosen else { return };
    let media_place = content_place.member(media_type);
    if matches!(number, Some(204 | 205)) {
        converter.losses.add(LossKind::Response, &media_place, "a response with this status has no body");
        return;
    }
    report_examples(converter, chosen, &media_place);
    if json.is_none() {
        if number == Some(206) {
            converter.losses.add(LossKind::Response, &media_place, "the response gets the status 200");
            converted.options.shift_remove("status");
        }
        let message = format!("the method responds with a file; `{media_type}` is not described");
        converter.losses.add(LossKind::ContentType, &media_place, message);
        converted.options.insert("download".to_owned(), json!(true));
        return;
    }
    for key in ["itemSchema", "encoding", "itemEncoding", "prefixEncoding"] {
        if chosen.get(key).is_some() {
            converter.losses.add(LossKind::Response, &media_place.member(key), "a response has no such key");
        }
    }
    let Some(schema) = chosen.get("schema") else { return };
    convert_outputs(converter, schema, response, &media_place.member("schema"), converted);
}

/// Converts a body: the members of an object to outputs, any other body to an output that is the whole body.
fn convert_outputs<'a>(
    converter: &mut Converter<'a>,
    schema: &'a Json,
    response: &Json,
    place: &Place,
    converted: &mut ConvertedResponses,
) {
    let is_named = reference_of(schema).is_some() || converter.document.is_nullable(schema);
    let parts = converter.object_parts(schema, place).filter(|parts| {
        let is_usable = parts.members.iter().all(|member| is_read(member.name) && member.name != "*");
        is_usable
            && !parts.members.is_empty()
            && parts.others.is_empty()
            && parts.closings.is_empty()
            && parts.keys.is_empty()
            && parts.min.is_none()
            && parts.max.is_none()
            && parts.not_merged.is_empty()
    });
    if let Some(parts) = parts.filter(|_| !is_named) {
        converter.report_parts(&parts);
        for member in &parts.members {
            if let Some(field) = converter.field(member, "result") {
                converted.outputs.insert(member.name.to_owned(), field.into());
            }
        }
        return;
    }
    let body = converter.convert(schema, place, "result");
    let is_optional = body.is_nullable;
    let info = description(schema).or_else(|| text(response, "description")).unwrap_or("The response");
    let mut output = described(info, body, is_optional);
    output.insert(ORIGIN_KEY.to_owned(), place.as_str().into());
    converted.outputs.insert("*".to_owned(), output.into());
}

/// Reports the parts of a response that a definition does not have.
fn report_response(converter: &mut Converter<'_>, response: &Json, place: &Place) {
    for (key, kind, message) in [
        ("headers", LossKind::ResponseHeader, "a definition does not describe header fields of responses"),
        ("links", LossKind::Link, "a definition has no links"),
    ] {
        for name in members(response.get(key)).keys() {
            converter.losses.add(kind, &place.member(key).member(name), message);
        }
    }
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
