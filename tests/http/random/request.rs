//! Generates random requests that are close to valid requests: most of them have existing methods, paths and
//! parameters, and values at the boundaries of types.

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use rulebook_model::model::{Api, Location, Parameter, Segment};
use serde_json::{Map, Value, json};

use crate::client::{Request, multipart};
use support::generate::Choices;

/// The parts of an API from which random requests are generated.
#[derive(Debug)]
pub struct ApiRoutes {
    base: String,
    routes: Vec<Route>,
    /// Every permission that a method of the API requires. For a permission with a variable, the list contains one text
    /// for each value of [`SEGMENTS`].
    permissions: Vec<String>,
}

#[derive(Debug)]
struct Route {
    http: &'static str,
    path: Vec<Segment>,
    position_count: usize,
    parameters: Vec<RouteParameter>,
}

/// A parameter, with values at the boundaries of its type.
#[derive(Debug)]
struct RouteParameter {
    location: Location,
    key: String,
    boundary_values: Vec<Value>,
}

impl RouteParameter {
    fn new(own: &Parameter) -> Self {
        let values = own.r#type.check.boundary_values();
        let boundary_values =
            values.iter().map(rulebook::types::Value::to_json).filter(|json| !json.is_null()).collect();
        Self { location: own.from, key: own.key.clone(), boundary_values }
    }

    /// Returns a valid text for this parameter, or sometimes any text.
    fn choose_text(&self, choices: &mut Choices) -> Vec<u8> {
        if self.boundary_values.is_empty() || choices.once_in(4) {
            return random_text(choices);
        }
        match &self.boundary_values[choices.below(self.boundary_values.len())] {
            Value::String(text) => text.clone().into_bytes(),
            other => other.to_string().into_bytes(),
        }
    }

    /// Returns a valid JSON value for this parameter, or sometimes any value.
    fn choose_json(&self, choices: &mut Choices) -> Value {
        if self.boundary_values.is_empty() || choices.once_in(4) {
            return random_json(3, choices);
        }
        self.boundary_values[choices.below(self.boundary_values.len())].clone()
    }
}

impl ApiRoutes {
    pub fn new(api: &Api) -> Self {
        let services = api.modules.iter().flat_map(|module| &module.services);
        let methods = services.flat_map(|service| service.methods.iter().map(move |method| (service, method)));
        let mut permissions = Vec::new();
        let mut routes = Vec::new();
        for (service, method) in methods {
            let names = method.scope.groups.iter().flatten().map(|permission| &permission.text);
            for name in names {
                let filled = SEGMENTS.iter().filter_map(|value| fill_variable(name, value));
                permissions.extend(filled.chain([name.clone()]));
            }
            let parameters = &method.parameters;
            routes.push(Route {
                http: method.http.as_str(),
                path: service.path.clone(),
                position_count: parameters.iter().filter(|own| matches!(own.from, Location::Position(_))).count(),
                parameters: parameters.iter().map(RouteParameter::new).collect(),
            });
        }
        permissions.sort();
        permissions.dedup();
        // With too many permissions, the head of the request would exceed its limit.
        permissions.truncate(200);
        Self { base: api.base.trim_end_matches('/').to_owned(), routes, permissions }
    }
}

/// Replaces the variable of a permission by this value; returns `None` if the permission has no variable.
fn fill_variable(permission: &str, value: &str) -> Option<String> {
    let (before, rest) = permission.split_once('[')?;
    let (_, behind) = rest.split_once(']')?;
    Some(format!("{before}[{value}]{behind}"))
}

/// Texts that are valid for some type, or nearly valid.
const TEXTS: &[&str] = &[
    "",
    "0",
    "1",
    "-1",
    "7",
    "23",
    "2147483647",
    "2147483648",
    "9223372036854775808",
    "1.5",
    "1e3",
    "1e400",
    "-0",
    "NaN",
    "true",
    "false",
    "null",
    "a",
    "abc",
    "draft",
    "published",
    "rust",
    "en",
    "x@example.org",
    "0123456789",
    "+33 123456789",
    "2026-01-31",
    "2026-02-30",
    "2026-01-31T12:00:00Z",
    "9999-12-31T23:59:59-18:00",
    "12:30",
    "24:00",
    "::1",
    "127.0.0.1",
    "https://example.org/",
    "6f1c2c0e-6f0b-4b0e-9a55-0c1a6c0f7d11",
    "[]",
    "[1,2]",
    "[\"a\"",
    "{}",
    "{\"a\":{\"b\":[null]}}",
    "[[[[[[[[[[]]]]]]]]]]",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "é",
    "🦀",
    "\u{0}",
    "\u{202e}",
    "a,b",
    ";",
    "a]",
    "[a]",
    "' OR 1=1 --",
    "%",
    "%41",
    "../..",
    " ",
    "a b",
    "\n",
];

/// Values for segments of paths and for the variables of permissions (`id` in `user[id]`).
const SEGMENTS: &[&str] = &["1", "7", "23", "abc"];

const MEDIA_TYPES: &[&str] = &[
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=XX",
    "multipart/form-data",
    "application/problem+json; charset=utf-8",
    "text/plain",
    "",
    ";",
    "multipart/form-data; boundary=",
    "application/",
];

fn random_text(choices: &mut Choices) -> Vec<u8> {
    match choices.below(12) {
        0 => (0..choices.below(20)).map(|_| u8::try_from(choices.below(256)).unwrap_or_default()).collect(),
        1 => choices.of(TEXTS).repeat(1 + choices.below(60)).into_bytes(),
        2..=4 => choices.of(SEGMENTS).as_bytes().to_vec(),
        _ => choices.of(TEXTS).as_bytes().to_vec(),
    }
}

/// Percent-encodes bytes for a request target: either all bytes, or only those for which it is required.
fn encode_for_target(bytes: &[u8], choices: &mut Choices) -> String {
    if choices.once_in(4) {
        let keep = |byte: &u8| byte.is_ascii_graphic() && !b"#?\"<>`\\^".contains(byte);
        return String::from_utf8(bytes.iter().copied().filter(keep).collect()).unwrap_or_default();
    }
    percent_encode(bytes, NON_ALPHANUMERIC).to_string()
}

/// Returns a random request to one of the routes, or to a similar path.
pub fn random_request(routes: &ApiRoutes, choices: &mut Choices) -> Request {
    let route = &routes.routes[choices.below(routes.routes.len())];
    let http = if choices.once_in(6) {
        choices.of(&["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO", "get"])
    } else {
        route.http
    };
    let mut request = Request::new(http, random_target(routes, route, choices));
    if !choices.once_in(5) {
        request = request.scope(&routes.permissions);
    } else if choices.once_in(2) {
        request = request.raw_field("authorization", header_value(&random_text(choices)));
    }
    for input in &route.parameters {
        if input.location == Location::Header && choices.once_in(2) {
            request = request.raw_field(&input.key, header_value(&input.choose_text(choices)));
        }
        if input.location == Location::Cookie && choices.once_in(2) {
            let value = [input.key.as_bytes(), b"=", &header_value(&input.choose_text(choices))].concat();
            request = request.raw_field("cookie", value);
        }
    }
    match choices.below(12) {
        0 => request = request.field("accept", "application/problem+json"),
        1 => request = request.field("accept", "application/problem+json, */*;q=0"),
        2 => request = request.raw_field("cookie", header_value(&random_text(choices))),
        3 => request = request.raw_field("x-random", header_value(&random_text(choices))),
        4 => request = request.field("expect", choices.of(&["100-continue", "something"])),
        _ => {}
    }
    add_random_body(request, route, choices)
}

/// Removes the bytes that a header field cannot contain.
fn header_value(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| *byte >= 0x20 && *byte != 0x7f).collect()
}

fn random_target(routes: &ApiRoutes, route: &Route, choices: &mut Choices) -> String {
    let mut target = routes.base.clone();
    for segment in &route.path {
        target.push('/');
        if choices.once_in(40) {
            continue;
        }
        match segment {
            Segment::Static(own) => target.push_str(&percent_encode(own.as_bytes(), NON_ALPHANUMERIC).to_string()),
            Segment::Capture(name) => {
                let input = route.parameters.iter().find(|own| own.location == Location::Path && own.key == *name);
                let value = match input {
                    Some(input) => input.choose_text(choices),
                    None => random_text(choices),
                };
                target.push_str(&encode_for_target(&value, choices));
            }
        }
    }
    let most = route.position_count + usize::from(choices.once_in(10));
    for position in 0..choices.below(most + 1) {
        let input = route.parameters.iter().find(|own| own.location == Location::Position(position));
        let value = match input {
            Some(input) => input.choose_text(choices),
            None => random_text(choices),
        };
        target.push('/');
        target.push_str(&encode_for_target(&value, choices));
    }
    if target.is_empty() || choices.once_in(20) {
        target.push('/');
    }
    match choices.below(60) {
        0 => return "*".to_owned(),
        1 => target.insert_str(0, "http://example.org"),
        2 => target.push_str("%F"),
        3 => target.truncate(target.char_indices().nth(choices.below(8) + 1).map_or(1, |(at, _)| at)),
        _ => {}
    }
    let fields = random_fields(route, &[Location::Query, Location::Any], choices);
    if !fields.is_empty() {
        target.push('?');
        for (name, value) in fields {
            target.push_str(&format!("{}={}&", encode_for_target(&name, choices), encode_for_target(&value, choices)));
        }
    }
    target
}

/// Returns names and texts for the parameters at these locations, and sometimes for unknown parameters.
fn random_fields(route: &Route, places: &[Location], choices: &mut Choices) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut fields = Vec::new();
    for input in &route.parameters {
        let here = places.contains(&input.location);
        if here && !choices.once_in(5) || choices.once_in(40) {
            let brackets = if choices.once_in(20) { "[]" } else { "" };
            for _ in 0..=usize::from(choices.once_in(12)) {
                fields.push((format!("{}{brackets}", input.key).into_bytes(), input.choose_text(choices)));
            }
        }
    }
    if choices.once_in(12) {
        fields.push((random_text(choices), random_text(choices)));
    }
    fields
}

fn add_random_body(request: Request, route: &Route, choices: &mut Choices) -> Request {
    let places = [Location::Body, Location::Any];
    let in_body = [Location::Body, Location::Any, Location::WholeBody];
    let wanted = route.parameters.iter().any(|input| in_body.contains(&input.location));
    if !wanted && !choices.once_in(8) {
        return request;
    }
    let (media_type, body) = match choices.below(8) {
        0 => return request,
        1 => (choices.of(MEDIA_TYPES).to_owned(), random_text(choices)),
        2 | 3 => {
            let fields = random_fields(route, &places, choices);
            let pairs = fields.iter().map(|(name, value)| {
                [&encode_for_target(name, choices), "=", &encode_for_target(value, choices)].concat()
            });
            (MEDIA_TYPES[1].to_owned(), pairs.collect::<Vec<_>>().join("&").into_bytes())
        }
        4 | 5 => (MEDIA_TYPES[2].to_owned(), random_multipart_body(route, choices)),
        _ => (MEDIA_TYPES[0].to_owned(), random_json_body(route, choices).to_string().into_bytes()),
    };
    let mut body = body;
    if choices.once_in(12) {
        body.truncate(choices.below(body.len() + 1));
    }
    if choices.once_in(12) && !body.is_empty() {
        let at = choices.below(body.len());
        body[at] = u8::try_from(choices.below(256)).unwrap_or_default();
    }
    if choices.once_in(4) {
        let (first, second) = body.split_at(choices.below(body.len() + 1));
        // A chunk without bytes would end the body.
        let chunks: Vec<&[u8]> = [first, second].into_iter().filter(|chunk| !chunk.is_empty()).collect();
        return request.chunked(&media_type, &chunks);
    }
    request.body(&media_type, body)
}

fn random_multipart_body(route: &Route, choices: &mut Choices) -> Vec<u8> {
    let parts: Vec<_> = random_fields(route, &[Location::Body, Location::Any], choices)
        .into_iter()
        .map(|(name, value)| {
            let name = String::from_utf8_lossy(&name).replace(['"', '\r', '\n'], "");
            let file = if choices.once_in(3) {
                format!("; filename=\"{}\"", choices.of(&["a.png", "../a", ""]))
            } else {
                String::new()
            };
            (format!("name=\"{name}\"{file}"), value)
        })
        .collect();
    let parts: Vec<_> = parts.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    multipart(&parts)
}

fn random_json_body(route: &Route, choices: &mut Choices) -> Value {
    if choices.once_in(20) {
        return random_json(3, choices);
    }
    if let Some(whole) = route.parameters.iter().find(|input| input.location == Location::WholeBody) {
        return whole.choose_json(choices);
    }
    let mut object = Map::new();
    for input in &route.parameters {
        if matches!(input.location, Location::Body | Location::Any) && !choices.once_in(8) {
            object.insert(input.key.clone(), input.choose_json(choices));
        }
    }
    Value::Object(object)
}

fn random_json(depth: usize, choices: &mut Choices) -> Value {
    match choices.below(if depth == 0 { 7 } else { 10 }) {
        0 => Value::Null,
        1 => choices.once_in(2).into(),
        2 => json!(choices.below(65_536) as i64 - 1),
        3 => json!(choices.below(1000) as f64 / 8.0),
        4 => json!([u64::MAX, 1 << 63, 0][choices.below(3)]),
        5 | 6 => String::from_utf8_lossy(&random_text(choices)).into_owned().into(),
        7 | 8 => (0..choices.below(4)).map(|_| random_json(depth - 1, choices)).collect(),
        _ => (0..choices.below(4))
            .map(|_| (String::from_utf8_lossy(&random_text(choices)).into_owned(), random_json(depth - 1, choices)))
            .collect::<Map<_, _>>()
            .into(),
    }
}
