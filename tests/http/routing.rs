//! Tests routing: which method a request calls.

use std::collections::BTreeMap;
use std::fmt::Write;

use rulebook::Rulebook;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::client::{Request, TestServer, case, envelope};

/// A definition with these methods, and requests with their expected results.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoutingGroup {
    title: String,
    /// The settings of the API.
    #[serde(default, rename = "app")]
    settings: Map<String, Value>,
    /// `true` if URIs are compared without regard to case.
    #[serde(default)]
    ignore_case: bool,
    /// The methods. `GET /article/{id} 0 1?` consists of the HTTP method, the path, and the numbers of the positional
    /// parameters, with `?` after optional ones.
    methods: Vec<String>,
    cases: Vec<RoutingCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoutingCase {
    /// The HTTP method and the target of the request.
    #[serde(rename = "send")]
    request_line: String,
    /// The reason for the result, if it is not obvious.
    #[serde(default, rename = "why")]
    reason: String,
    /// The method that is called; `None` if the request is refused or if the engine itself responds.
    #[serde(rename = "to")]
    called_method: Option<String>,
    /// The expected values of captures and positional parameters, by name.
    #[serde(default)]
    args: BTreeMap<String, Value>,
    status: Option<u16>,
    error: Option<u64>,
    #[serde(rename = "allow")]
    allow_field: Option<String>,
}

#[test]
fn requests_are_routed_to_the_expected_method() {
    let groups: Vec<RoutingGroup> = case::read(include_str!("../data/http/routing.json"));
    let mut mismatches = String::new();
    for RoutingGroup { title, settings, ignore_case, methods, cases } in groups {
        let server = TestServer::echo(&[
            ("app.json", Value::Object(settings)),
            ("site.json", module_with_methods(&methods, ignore_case)),
        ]);
        for case in cases {
            assert!(
                case.called_method.is_none() || methods.contains(case.called_method.as_ref().unwrap()),
                "{title}: {}",
                case.request_line
            );
            let (method, target) = case.request_line.split_once(' ').unwrap();
            let response = server.send(&Request::new(method, target));
            let document: Value = serde_json::from_slice(&response.body).unwrap_or_default();
            let (status, args) = match &case.called_method {
                Some(to) => {
                    let mut args: Map<_, _> = case.args.into_iter().collect();
                    args.insert("to".to_owned(), to.as_str().into());
                    // The echo contains null for each parameter that the case does not list.
                    for name in document["args"].as_object().into_iter().flat_map(Map::keys) {
                        args.entry(name).or_insert(Value::Null);
                    }
                    (200, Value::Object(args))
                }
                None => (case.status.unwrap(), Value::Null),
            };
            let error = case.error.unwrap_or(match (status, &case.called_method) {
                (404, _) => 200,
                (405, _) => 201,
                (400, None) => 402,
                _ => 0,
            });
            let is_definition = method == "OPTIONS" && status == 200;
            let body_is_right = if method == "HEAD" {
                response.body.is_empty()
            } else {
                is_definition
                    || (envelope::violation(&response, envelope::EnvelopeKind::Aicra).is_none()
                        && document["error"] == error
                        && (case.called_method.is_none() || document["args"].as_object() == args.as_object()))
            };
            let right = response.status == status
                && body_is_right
                && case.allow_field.as_deref().is_none_or(|allow| response.field("allow") == Some(allow));
            if !right {
                let RoutingCase { request_line, reason, called_method, allow_field, .. } = case;
                let called_method = called_method.unwrap_or("nowhere".to_owned());
                let allow = allow_field.unwrap_or_default();
                let _ = writeln!(
                    mismatches,
                    "{title}: {request_line} ({reason}): expected {called_method} {status} {error} {args} {allow}, got {response:?}\n"
                );
            }
        }
    }
    assert!(mismatches.is_empty(), "{mismatches}");
}

/// Returns a module with these methods. Each method accepts its captures and positions as texts, and returns its own
/// name as `to`.
fn module_with_methods(methods: &[String], ignore_case: bool) -> Value {
    let mut uris: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for name in methods {
        let (http, mut path) = name.split_once(' ').unwrap();
        let mut input = Map::new();
        while let Some((before, word)) = path.rsplit_once(' ')
            && word.starts_with(|first: char| first.is_ascii_digit())
        {
            let (number, mark) = word.strip_suffix('?').map_or((word, ""), |number| (number, "?"));
            let position =
                json!({ "info": "A segment", "type": format!("{mark}string"), "name": format!("p{number}") });
            input.insert(format!("URL#{number}"), position);
            path = before;
        }
        let captures = path.split('/').filter(|segment| segment.starts_with('{'));
        input.extend(captures.map(|capture| (capture.to_owned(), json!({ "info": "A segment", "type": "string" }))));
        let to = json!({ "info": "This method", "type": "string", "name": "to", "default": name });
        input.insert("GET@to".to_owned(), to);
        uris.entry(path).or_default().insert(http.to_owned(), json!({ "info": name, "in": input }));
    }
    let mut module = uris.remove("/").unwrap_or_default();
    let below: Map<_, _> = uris.into_iter().map(|(path, uri)| (path[1..].to_owned(), Value::Object(uri))).collect();
    module.insert("ignore_case".to_owned(), ignore_case.into());
    if !below.is_empty() {
        module.insert("/".to_owned(), below.into());
    }
    Value::Object(module)
}

#[test]
fn the_definition_that_options_returns_can_be_loaded() {
    let methods = ["GET /article/{id} 0?", "POST /article/{id}", "GET /article/été", "GET /", "PUT /a/b"];
    let methods = methods.map(str::to_owned);
    let server = TestServer::echo(&[
        ("app.json", json!({ "title": "Articles" })),
        ("site.json", module_with_methods(&methods, false)),
    ]);
    for (target, ids) in [
        ("/article/7", &["article.{id}.get", "article.{id}.post"][..]),
        ("/article/%C3%A9t%C3%A9", &["article.été.get"]),
        ("/a/b", &["a.b.put"]),
        ("*", &["get", "a.b.put", "article.{id}.get", "article.{id}.post", "article.été.get"]),
        ("/", &["get", "a.b.put", "article.{id}.get", "article.{id}.post", "article.été.get"]),
    ] {
        let response = server.send(&Request::new("OPTIONS", target));
        assert_eq!((response.status, response.field("content-type")), (200, Some("application/json")), "{response:?}");
        let api = match Rulebook::read(vec![("options.json".into(), response.body.clone())]).check() {
            Ok(api) => api,
            Err(report) => panic!("{target}: {report}"),
        };
        let services = api.modules.iter().flat_map(|module| &module.services);
        let mut got: Vec<_> = services.flat_map(|service| &service.methods).map(|method| method.id.as_str()).collect();
        got.sort_unstable();
        let mut expected = ids.to_vec();
        expected.sort_unstable();
        assert_eq!(got, expected, "{target}");
    }
}

#[test]
fn encoded_segments_arrive_decoded() {
    use proptest::prelude::*;
    let server = TestServer::echo(&[("site.json", module_with_methods(&["GET /a/{x} 0?".to_owned()], false))]);
    let connection = std::cell::RefCell::new(server.connect());
    let encode =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    proptest!(support::random::cases(500),
    |(x in any::<String>(), p in any::<String>())| {
        let target = format!("/a/{}/{}", encode(&x), encode(&p));
        let response = connection.borrow_mut().send(&Request::new("GET", target));
        if x.is_empty() {
            prop_assert_eq!(response.status, 404);
        } else {
            let p = if p.is_empty() { Value::Null } else { p.into() };
            prop_assert_eq!(&response.json()["args"], &json!({ "x": x, "p0": p, "to": "GET /a/{x} 0?" }));
        }
    });
}
