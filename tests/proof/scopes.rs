//! The property that a caller is permitted to call a method if and only if the scope of the method in the documents
//! permits it.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rulebook::types::Value;
use rulebook_model::model::{Api, Location, Method, Parameter, Segment, Service};
use rulebook_model::types::Check;
use serde_json::{Value as Json, json};

use super::case::methods;
use super::property_server::PropertyServer;
use super::{Property, PropertyCase, PropertyCounts, boundary, caller_documents, responses};
use crate::client::{Request, Response};
use support::generate::Choices;

/// A method responds with a status other than 401 and 403 if the caller has all permissions of one group in the listed
/// scope. Variables of permissions are replaced by the values of the request. Otherwise the method responds with 401 or
/// 403. In half of the cases, the documents for the caller are checked instead.
pub const PROPERTY: Property = Property { name: "scopes", check: check_permissions };

/// The number of values that a request is counted as.
const VALUES_PER_REQUEST: usize = 4;

/// Permissions that random definitions require, and similar permissions.
const PERMISSIONS: &[&str] = &["reader", "author", "editor of all", "Reader", "editor", "user[]", "user", "reader "];

fn check_permissions(case: &mut PropertyCase, values: usize, counts: &mut PropertyCounts) -> Result<(), String> {
    let is_for_caller = case.choices.once_in(2);
    if is_for_caller && case.choices.once_in(2) {
        case.set_setting("options", &json!("own"));
    }
    let mut server = case.server()?;
    let api = server.api.clone();
    let methods = methods(&api);
    counts.methods += methods.len() as u64;
    let choices = &mut case.choices;
    // A method that requires permissions is chosen more often than a public method.
    let scoped: Vec<_> = methods.iter().filter(|(_, _, method)| !method.scope.is_public()).collect();
    if methods.is_empty() {
        return Ok(());
    }
    if is_for_caller {
        return caller_documents::check_documents(
            &mut server,
            &methods,
            values.div_ceil(VALUES_PER_REQUEST),
            choices,
            counts,
        );
    }
    for _ in 0..values.div_ceil(VALUES_PER_REQUEST) {
        let (_, service, method) = match scoped.len() {
            count if count > 0 && choices.below(6) > 0 => scoped[choices.below(count)],
            _ => &methods[choices.below(methods.len())],
        };
        let Some(listed) = listed_scope(&mut server, &api, service, method)? else { continue };
        let sent = random_request(&api, service, method, &GivenTexts::new(), choices);
        if sent.is_ambiguous {
            continue;
        }
        let held = held_permissions(&listed, method, &sent, choices);
        let mut request = sent.request;
        if let Some(held) = &held {
            request = request.scope(held);
        }
        let (response, _) = server.send(&request)?;
        counts.add_response(response.status);
        // The server rejects a request that exceeds a limit before it checks permissions.
        if responses::exceeds_limit(&response) {
            continue;
        }
        let status = real_status(&response);
        let is_permitted = held.as_ref().map_or(listed.is_empty(), |held| permits(&listed, held, method, &sent.values));
        let rejection = if held.is_some() { 403 } else { 401 };
        let is_correct = if is_permitted { !matches!(status, 401 | 403) } else { status == rejection };
        counts.add_kind(if is_permitted { "permitted" } else { "rejected" });
        if !is_correct {
            return Err(format!(
                "listed {listed:?}, held {held:?}: {} is {}\n{request:?}\n{response:?}",
                method.id,
                if is_permitted { "permitted" } else { "not permitted" }
            ));
        }
    }
    Ok(())
}

/// Returns the scope that OPTIONS lists for a method; `None` for a method at the root, where OPTIONS lists the whole
/// API.
fn listed_scope(
    server: &mut PropertyServer,
    api: &Api,
    service: &Service,
    method: &Method,
) -> Result<Option<Vec<Vec<String>>>, String> {
    if service.path.is_empty() {
        return Ok(None);
    }
    // For OPTIONS, the server accepts any value of a capture.
    let target = service_path(api, service, |_| "0~~0".to_owned());
    let (response, _) = server.send(&Request::new("OPTIONS", &target))?;
    let document: Json =
        serde_json::from_slice(&response.body).map_err(|error| format!("{target}: {error}: {response:?}"))?;
    let listed = &document["/"][&service.uri()[1..]][method.http.as_str()];
    if !listed.is_object() {
        return Err(format!("OPTIONS {target} does not list {}: {response:?}", method.id));
    }
    let groups = listed["scope"].as_array().into_iter().flatten();
    let text = |item: &Json| item.as_str().map(str::to_owned);
    Ok(Some(groups.map(|group| group.as_array().into_iter().flatten().filter_map(text).collect()).collect()))
}

/// Returns the path of a service. `capture` returns the value of the capture with a name.
pub fn service_path(api: &Api, service: &Service, mut capture: impl FnMut(&str) -> String) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let base = api.base.split('/').filter(|segment| !segment.is_empty()).map(encode).collect::<Vec<_>>();
    let segments = service.path.iter().map(|segment| match segment {
        Segment::Static(text) => encode(text),
        Segment::Capture(name) => encode(&capture(name)),
    });
    base.into_iter().chain(segments).fold(String::new(), |path, segment| path + "/" + &segment)
}

/// A request for a method that may require permissions.
#[derive(Clone)]
pub struct ScopedRequest {
    pub request: Request,
    /// The values of the parameters on which permissions can depend, by the names of these parameters in code.
    pub values: Vec<(String, String)>,
    /// `true` if a value equals a static segment of the definition, so that the request may be routed to another
    /// service.
    pub is_ambiguous: bool,
}

/// Texts for parameters, by the names of these parameters in code.
pub type GivenTexts = BTreeMap<String, String>;

/// Generates a request for a method. Parameters that are not in `given` have random texts.
pub fn random_request(
    api: &Api,
    service: &Service,
    method: &Method,
    given: &GivenTexts,
    choices: &mut Choices,
) -> ScopedRequest {
    let mut values = Vec::new();
    let mut headers = Vec::new();
    let mut is_ambiguous = false;
    let is_in = |location: Location| move |parameter: &&Parameter| parameter.from == location;
    let mut text_of = |parameter: &Parameter, choices: &mut Choices| {
        let check = &*parameter.r#type.check;
        let text = given.get(&parameter.name).cloned().unwrap_or_else(|| random_text(check, parameter.from, choices));
        values.extend(permission_variable(check, &text).map(|value| (parameter.name.clone(), value)));
        is_ambiguous |=
            matches!(parameter.from, Location::Path | Location::Position(_)) && is_static_segment(api, &text);
        text
    };
    let mut target = service_path(api, service, |name| {
        let parameter = method.parameters.iter().find(|it| it.from == Location::Path && it.key == name);
        parameter.map_or("0".to_owned(), |parameter| text_of(parameter, choices))
    });
    for number in 0.. {
        let Some(parameter) = method.parameters.iter().find(is_in(Location::Position(number))) else { break };
        if parameter.optional && given.is_empty() && choices.once_in(4) {
            break;
        }
        let text = text_of(parameter, choices);
        target = format!("{target}/{}", utf8_percent_encode(&text, NON_ALPHANUMERIC));
    }
    for parameter in method.parameters.iter().filter(is_in(Location::Header)) {
        let is_sent = given.contains_key(&parameter.name) || choices.below(4) > 0;
        if is_sent && !headers.iter().any(|(key, _): &(String, String)| key.eq_ignore_ascii_case(&parameter.key)) {
            headers.push((parameter.key.clone(), text_of(parameter, choices)));
        }
    }
    let target = if target.is_empty() { "/" } else { &*target };
    let mut request = Request::new(method.http.as_str(), target);
    for (key, text) in headers {
        request = request.raw_field(&key, text);
    }
    ScopedRequest { request, values, is_ambiguous }
}

/// Returns `true` if a text equals a static segment of a path in the definition.
fn is_static_segment(api: &Api, text: &str) -> bool {
    let services = api.modules.iter().flat_map(|module| &module.services);
    services.flat_map(|service| &service.path).any(|segment| match segment {
        Segment::Static(segment) => segment.to_lowercase() == text.to_lowercase(),
        Segment::Capture(_) => false,
    })
}

/// Generates a text for a parameter in the path or in a header field.
fn random_text(check: &dyn Check, location: Location, choices: &mut Choices) -> String {
    let (schema, boundary_values) = (check.schema(), check.boundary_values());
    for _ in 0..8 {
        let json = boundary::random_value(&schema, &boundary_values, choices);
        let text = boundary::random_notation(&json, choices);
        let is_sendable = match location {
            Location::Header => text.trim() == text && text.bytes().all(|byte| (0x20..0x7f).contains(&byte)),
            _ => !text.is_empty(),
        };
        if is_sendable {
            return text;
        }
    }
    "7".to_owned()
}

/// Decodes and checks a text, and returns its value in the form that permissions contain. Returns `None` if the value
/// is invalid, is not a scalar, or contains brackets.
pub fn permission_variable(check: &dyn Check, text: &str) -> Option<String> {
    let value = match check.checked(check.decode(text.into())).ok()? {
        Value::Text(text) => text.into_owned(),
        Value::Bool(bool) => bool.to_string(),
        Value::Int(int) => int.to_string(),
        Value::Uint(uint) => uint.to_string(),
        Value::Float(float) => float.to_string(),
        Value::Null | Value::List(_) | Value::Map(_) | Value::File(_) => return None,
    };
    (!value.contains(['[', ']'])).then_some(value)
}

/// Replaces the variables of a permission by values of a request; `None` if the request has no value for a variable.
fn fill_variables(permission: &str, method: &Method, values: &[(String, String)]) -> Option<String> {
    let mut filled = String::new();
    let mut rest = permission;
    while let Some((before, inside)) = rest.split_once('[') {
        let (name, after) = inside.split_once(']')?;
        let is_known = method.parameters.iter().any(|parameter| parameter.name == name);
        let (_, value) = values.iter().find(|(other, _)| other == name).filter(|_| is_known)?;
        filled.extend([before, "[", value, "]"]);
        rest = after;
    }
    Some(filled + rest)
}

fn permits(listed: &[Vec<String>], held: &[String], method: &Method, values: &[(String, String)]) -> bool {
    let is_held =
        |permission: &String| fill_variables(permission, method, values).is_some_and(|filled| held.contains(&filled));
    listed.is_empty() || listed.iter().any(|group| group.iter().all(is_held))
}

/// Chooses the permissions of the caller: a group of the scope or a part of that group, with the values of the request
/// or with other values, and some further permissions. Returns `None` for an anonymous caller.
pub fn held_permissions(
    listed: &[Vec<String>],
    method: &Method,
    sent: &ScopedRequest,
    choices: &mut Choices,
) -> Option<Vec<String>> {
    if choices.once_in(8) {
        return None;
    }
    let mut held: Vec<String> = Vec::new();
    if !listed.is_empty() && choices.below(5) > 0 {
        let group = &listed[choices.below(listed.len())];
        for permission in group {
            let other: Vec<_> = sent.values.iter().map(|(name, value)| (name.clone(), format!("{value}7"))).collect();
            let is_matching = choices.below(4) > 0;
            let values = if is_matching { &sent.values } else { &other };
            held.push(fill_variables(permission, method, values).unwrap_or_else(|| permission.clone()));
        }
        if choices.once_in(4) {
            held.pop();
        }
    }
    for _ in 0..choices.below(3) {
        held.push(choices.of(PERMISSIONS).to_owned());
    }
    Some(held)
}

/// Returns the real status of a response. Some envelopes have the real status only in the body.
pub fn real_status(response: &Response) -> u16 {
    let body = serde_json::from_slice::<Json>(&response.body).unwrap_or_default();
    let is_phalapi = response.field("content-type").is_some_and(|kind| kind.contains("charset"));
    let ret = body["ret"].as_u64().filter(|_| is_phalapi);
    ret.and_then(|ret| u16::try_from(ret).ok()).unwrap_or(response.status)
}
