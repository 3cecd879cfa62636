//! The property that requests and responses are as the OpenAPI document describes them.

use rulebook_model::model::{Method, Module, Service};
use serde_json::{Value as Json, json};

use super::case::methods;
use super::requests::{TestRequest, random_request};
use super::schema_texts::{SchemaChecks, Validity};
use super::{Property, PropertyCase, PropertyCounts, checks};
use crate::client::{Request, Response};
use crate::openapi::method_of_operation;
use support::generate::Choices;

/// A request that is valid against the OpenAPI document reaches its handler, unless it exceeds a limit. An invalid
/// request does not reach its handler. The status of every response is documented, or the document has a default
/// response. The media type, the body and the header fields of every response match their description.
pub const PROPERTY: Property = Property { name: "responses", check: check_requests_and_responses };

/// The number of values that a request is counted as.
const VALUES_PER_REQUEST: usize = 4;

fn check_requests_and_responses(
    case: &mut PropertyCase,
    values: usize,
    counts: &mut PropertyCounts,
) -> Result<(), String> {
    let mut server = case.server()?;
    let api = server.api.clone();
    let (response, _) = server.send(&Request::new("GET", "/openapi.json"))?;
    let document: Json = serde_json::from_slice(&response.body).map_err(|error| format!("{error}: {response:?}"))?;
    let methods = methods(&api);
    counts.methods += methods.len() as u64;
    let operations = operations(&document, &methods)?;
    if operations.is_empty() {
        return Ok(());
    }
    let schemas = SchemaChecks::new(&document);
    let choices = &mut case.choices;
    for _ in 0..values.div_ceil(VALUES_PER_REQUEST) {
        let (path, http, operation, method) = &operations[choices.below(operations.len())];
        let has_outputs = server.choose_next_result(method, choices);
        let sent = random_request(&schemas, (path, http, operation), method, choices);
        let sent = with_random_accept(sent, choices);
        let (response, result) = server.send(&sent.request)?;
        counts.add_response(response.status);
        sent.places.iter().for_each(|place| counts.add_kind(place));
        let failure = (has_outputs && response.status == 500).then(|| "the server failed".to_owned());
        let error = failure
            .or_else(|| check_reached(&sent, method, &response, result, counts))
            .or_else(|| if sent.is_ambiguous { None } else { check_response(&schemas, operation, &response, counts) });
        if let Some(error) = error {
            let TestRequest { request, validity, .. } = sent;
            return Err(format!(
                "{error}\n--- handler returns\n{}\n--- {validity:?} request\n{request:?}\n--- response\n{response:?}\n--- operation\n{operation:#}",
                server.describe_next_result()
            ));
        }
    }
    case.keep_server(server);
    Ok(())
}

/// An operation of an OpenAPI document: its path, HTTP method, Operation Object, and the method that it describes.
type DocumentedOperation<'a> = (&'a str, String, &'a Json, &'a Method);

/// Returns the operations of an OpenAPI document, with the methods that they describe.
pub fn operations<'a>(
    document: &'a Json,
    methods: &[(&'a Module, &'a Service, &'a Method)],
) -> Result<Vec<DocumentedOperation<'a>>, String> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (http, operation) in item.as_object().into_iter().flatten() {
            let id = operation["operationId"].as_str().unwrap_or_default();
            let known: Vec<&str> = methods.iter().map(|(_, _, method)| &*method.id).collect();
            let described = method_of_operation(id, &known);
            let method = methods.iter().find(|(_, _, method)| Some(&*method.id) == described);
            let Some((_, _, method)) = method else { return Err(format!("{id} is not a method")) };
            operations.push((path.as_str(), http.to_ascii_uppercase(), operation, *method));
        }
    }
    Ok(operations)
}

fn with_random_accept(sent: TestRequest, choices: &mut Choices) -> TestRequest {
    let accept = match choices.below(8) {
        0 => "application/problem+json",
        1 => "application/xml",
        2 => "*/*",
        _ => return sent,
    };
    TestRequest { request: sent.request.field("accept", accept), ..sent }
}

/// Checks that a handler ran if the request is valid, and that no handler ran if it is invalid. Returns the reason if
/// the check fails.
fn check_reached(
    sent: &TestRequest,
    method: &Method,
    response: &Response,
    has_handler_run: bool,
    counts: &mut PropertyCounts,
) -> Option<String> {
    let is_approximate =
        method.parameters.iter().any(|parameter| checks::has_approximate_schema(&*parameter.r#type.check));
    match sent.validity {
        Validity::Invalid if has_handler_run => Some("the request is invalid, but a handler has run".to_owned()),
        Validity::Invalid => {
            counts.add_kind("invalid");
            None
        }
        Validity::Valid if is_approximate || sent.is_jsonp && !has_handler_run => None,
        Validity::Valid if !has_handler_run && !exceeds_limit(response) => {
            Some("the request is valid, but no handler has run".to_owned())
        }
        Validity::Valid => {
            counts.add_kind("valid");
            None
        }
        Validity::Unknown => None,
    }
}

/// Returns `true` if the server rejected the request because of a limit, which no schema describes. In some envelopes
/// the status is only in the body, and in some only the limit is.
pub fn exceeds_limit(response: &Response) -> bool {
    let body = serde_json::from_slice::<Json>(&response.body).unwrap_or_default();
    let body_status = body["ret"].as_u64().or(body["status"].as_u64()).unwrap_or_default();
    let xml = String::from_utf8_lossy(&response.body);
    let has_status = |status: u16| {
        response.status == status
            || body_status == u64::from(status)
            || xml.contains(&format!("<ret type=\"number\">{status}<"))
    };
    let has_limit = body["limit"].is_object() || xml.contains("<limit type=\"object\">");
    [413, 414, 431].into_iter().any(has_status) || response.status >= 400 && has_limit
}

/// Checks the status, the header fields and the body of a response against an operation. Returns the reason if the
/// check fails.
fn check_response(
    schemas: &SchemaChecks<'_>,
    operation: &Json,
    response: &Response,
    counts: &mut PropertyCounts,
) -> Option<String> {
    let (document, documented) = (schemas.document, &operation["responses"]);
    let status = response.status.to_string();
    let Some(expected) = documented.get(&status).or(documented.get("default")) else {
        return Some(format!("no response with the status {status} is documented"));
    };
    counts.add_kind(if documented.get(&status).is_some() { "documented status" } else { "default response" });
    let expected = crate::openapi::resolved(document, expected);
    for (name, header) in expected["headers"].as_object().into_iter().flatten() {
        let header = crate::openapi::resolved(document, header);
        let value = response.field(name);
        let is_required = name == "X-Request-Id" || header["required"] == true;
        match value {
            None if is_required => return Some(format!("the header {name} is missing")),
            None => {}
            Some(value) => {
                if let Some(error) = schemas.of(&header["schema"]).error(&json!(value)) {
                    return Some(format!("the header {name}: {error}"));
                }
            }
        }
    }
    for (status, name) in [(401, "WWW-Authenticate"), (405, "Allow"), (429, "Retry-After")] {
        if response.status == status && response.field(name).is_none() {
            return Some(format!("{status} without {name}"));
        }
    }
    check_body(schemas, &expected["content"], response)
}

/// Checks the media type and the body of a response. Returns the reason if the check fails.
fn check_body(schemas: &SchemaChecks<'_>, contents: &Json, response: &Response) -> Option<String> {
    let Some(media_type) = response.field("content-type") else {
        let may_be_empty = contents.as_object().is_none_or(|all| all.is_empty() || all.contains_key("*/*"));
        let is_valid = response.body.is_empty() && may_be_empty;
        return (!is_valid).then(|| "the media type is missing".to_owned());
    };
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let Some(content) = contents.get(essence).or(contents.get("*/*")) else {
        return Some(format!("the media type {essence} is not documented"));
    };
    let schema = content.get("schema")?;
    if !(essence == "application/json" || essence.ends_with("+json")) {
        return None;
    }
    let json = match serde_json::from_slice::<Json>(&response.body) {
        Ok(json) => json,
        Err(error) => return Some(format!("the body is not JSON: {error}")),
    };
    let check = schemas.of(schema);
    let error = check.error(&json)?;
    Some(format!("the body does not match {}: {error}", check.schema))
}
