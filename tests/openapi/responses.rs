//! Tests that every response matches its description in the OpenAPI operation: the status, the media type, the header
//! fields and the body.

use std::collections::HashMap;
use std::thread;

use jsonschema::Validator;
use rulebook::{ApiError, Args, Context, Module, Unbound};
use rulebook_model::describe::openapi;
use serde_json::{Value as Json, json};

use super::{operations, resolved, validator};
use crate::client::{self, Request, Response, TestServer, xml};

fn uris_with_every_response() -> Json {
    json!({
        "outputs": { "GET": {
            "info": "Two outputs",
            "out": { "a": { "info": "A word", "type": "string" }, "b": { "info": "A number", "type": "?int" } },
            "options": { "status": 201 }
        } },
        "nothing": { "GET": { "info": "No outputs" } },
        "whole": { "GET": { "info": "The whole", "out": { "*": { "info": "Numbers", "type": "array<int>" } } } },
        "empty": { "DELETE": { "info": "No content", "options": { "status": 204 } } },
        "declared": { "GET": {
            "info": "Fails as requested", "in": { "GET@outcome": { "info": "The error", "type": "string", "name": "outcome" } },
            "errors": {
                "gone": { "status": 410, "info": "it was there" },
                "closed": { "status": 410, "info": "not now" },
                "odd": { "info": "it is odd" },
                "broken": { "status": 503, "info": "it is broken" }
            }
        } },
        "strict": { "POST": {
            "info": "For writers", "scope": [["writer"]],
            "in": {
                "GET@n": { "info": "A number", "type": "int", "name": "n" },
                "text": { "info": "Some text", "type": "?string" },
                "HEADER@X-Head": { "info": "A field", "type": "?string" }
            }
        } },
        "{id}": { "/": { "tail": { "PUT": { "info": "One", "in": { "{id}": { "info": "Which", "type": "id" } } } } } }
    })
}

#[derive(serde::Deserialize)]
struct OutcomeArgs {
    outcome: String,
}

async fn declared_error(Args(OutcomeArgs { outcome }): Args<OutcomeArgs>, _: Context) -> Result<(), ApiError> {
    Err(match outcome.as_str() {
        "data" => ApiError::declared("gone").with_member("errors", "of another kind").with_member("since", 1999),
        "words" => ApiError::declared("closed").with_message("come back at nine"),
        "unavailable" => ApiError::unavailable("no reason"),
        "internal" => ApiError::internal("no reason"),
        other => ApiError::declared(other.to_owned()),
    })
}

fn module_with_every_response(name: &str) -> Module {
    let at = |path: &str| format!("/{name}{path}");
    Module::new(name)
        .get(&at("/outputs"), async |_: Args<()>, _: Context| Ok::<_, ApiError>(json!({ "a": "x", "b": null })))
        .get(&at("/nothing"), async |_: Args<()>, _: Context| Ok::<_, ApiError>(()))
        .get(&at("/whole"), async |_: Args<()>, _: Context| Ok::<_, ApiError>([1, 2]))
        .delete(&at("/empty"), async |_: Args<()>, _: Context| Ok::<_, ApiError>(()))
        .get(&at("/declared"), declared_error)
}

/// Returns the content of a response in JSON or XML, as JSON.
fn response_content(response: &Response) -> Json {
    let in_xml = response.field("content-type").is_some_and(|own| own.starts_with("application/xml"));
    if in_xml { xml::read(&response.body).1 } else { response.json() }
}

/// The validators of a document, by the text of their schema. Each takes long to create.
type Validators = HashMap<String, Validator>;

/// Asserts that a response matches a response in the description of its operation.
#[track_caller]
fn assert_described(document: &Json, validators: &mut Validators, operation: &Json, response: &Response) {
    let responses = &operation["responses"];
    let described = responses.get(response.status.to_string()).unwrap_or(&responses["default"]);
    let described = resolved(document, described);
    for name in described["headers"].as_object().iter().flat_map(|headers| headers.keys()) {
        // Some described header fields are optional: only some credentials have a rate limit, and a declared error may
        // omit `Retry-After`.
        let optional = (name == "Allow" && response.status != 405)
            || name.starts_with("RateLimit")
            || (name == "Retry-After" && !matches!(response.status, 429 | 503))
            || (name == "Retry-After" && String::from_utf8_lossy(&response.body).contains("it is broken"));
        assert!(optional || response.field(&name.to_ascii_lowercase()).is_some(), "{name} is missing: {response:?}");
    }
    let Some(content) = described.get("content") else {
        assert!(response.body.is_empty() && response.field("content-type").is_none(), "{response:?}");
        return;
    };
    let media_type = response.field("content-type").unwrap().split(';').next().unwrap();
    let content = content.get(media_type).unwrap_or_else(|| panic!("{media_type} is not described: {response:?}"));
    let schema = &content["schema"];
    let validator = validators.entry(schema.to_string()).or_insert_with(|| validator(document, schema));
    if let Err(error) = validator.validate(&response_content(response)) {
        panic!("{error}: {response:?} against {}", content["schema"]);
    }
    // All members in an error of the engine are described.
    if let Some(properties) =
        resolved(document, &content["schema"]).get("properties").filter(|_| response.status >= 400)
        && content["schema"].get("$ref").is_some()
    {
        for name in response_content(response).as_object().unwrap().keys() {
            assert!(properties.get(name).is_some(), "{name} is not described: {response:?}");
        }
    }
    for (name, example) in content["examples"].as_object().into_iter().flatten() {
        assert!(validator.is_valid(&example["value"]), "the example {name} does not match its schema");
    }
}

/// Returns requests of each kind, each with the path and the HTTP method of its operation, and the status of its
/// response.
fn requests() -> Vec<(&'static str, &'static str, Request, u16)> {
    let long = "x".repeat(9_000);
    let form = "application/x-www-form-urlencoded";
    vec![
        ("/outputs", "get", Request::new("GET", "/outputs"), 201),
        ("/nothing", "get", Request::new("GET", "/nothing"), 200),
        ("/whole", "get", Request::new("GET", "/whole"), 200),
        ("/empty", "delete", Request::new("DELETE", "/empty"), 204),
        ("/declared", "get", Request::new("GET", "/declared?outcome=data"), 410),
        ("/declared", "get", Request::new("GET", "/declared?outcome=words"), 410),
        ("/declared", "get", Request::new("GET", "/declared?outcome=odd"), 400),
        ("/declared", "get", Request::new("GET", "/declared?outcome=broken"), 503),
        ("/declared", "get", Request::new("GET", "/declared?outcome=unavailable"), 503),
        ("/declared", "get", Request::new("GET", "/declared?outcome=internal"), 500),
        ("/declared", "get", Request::new("GET", "/declared"), 400),
        ("/declared", "get", Request::new("GET", format!("/declared?outcome={long}")), 414),
        ("/nothing", "get", Request::new("POST", "/nothing"), 405),
        ("/nothing", "get", Request::new("GET", "/nothin"), 404),
        ("/nothing", "get", Request::new("GET", "/nothing").field("authorization", "Bearer x"), 401),
        ("/nothing", "get", Request::new("GET", "/nothing").field("expect", "nothing"), 417),
        ("/nothing", "get", Request::new("GET", "/nothing").field("authorization", "Bearer panic"), 500),
        ("/strict", "post", Request::new("POST", "/strict"), 401),
        ("/strict", "post", Request::new("POST", "/strict").scope(&["reader"]), 403),
        ("/strict", "post", Request::new("POST", "/strict?n=x").scope(&["writer"]), 400),
        ("/strict", "post", Request::new("POST", "/strict?n=1").scope(&["writer"]), 501),
        ("/strict", "post", Request::new("POST", "/strict").field("x-head", long.repeat(4)), 431),
        ("/strict", "post", Request::new("POST", "/strict").scope(&["writer"]).body("text/csv", "x"), 415),
        ("/strict", "post", Request::new("POST", "/strict").scope(&["writer"]).body(form, long.as_bytes()), 413),
        ("/strict", "post", Request::new("POST", "/strict").scope(&["writer"]).body("application/json", "["), 400),
        ("/strict", "post", Request::new("POST", "/strict").scope(&["writer"]).field("content-length", 5), 408),
        ("/{id}/tail", "put", Request::new("PUT", "/x/tail"), 400),
        ("/{id}/tail", "put", Request::new("PUT", "/%FF/tail"), 400),
    ]
}

/// Sends all requests to servers of an API with an envelope and a second module with another one (the first module has
/// `aicra`), and checks their responses. If `real` is set, responses always have their real status.
fn assert_responses_are_described(envelope: &str, second: &str, real: bool) {
    let requests = requests();
    let module_of = |envelope: &str, name: &str| json!({ "envelope": envelope, "/": { (name): { "/": uris_with_every_response() } } });
    let engine_with = |seconds: u32| {
        let app = json!({
            "envelope": envelope, "formats": ["xml"],
            "phalapi": { "real_status": real }, "iapi": { "strict_status": real },
            "unbound": "501", "limits": { "body": 1000, "seconds": seconds },
            "modules": { "first": module_of("aicra", "first"), "second": module_of(second, "second") }
        });
        client::engine(&[("app.json", app)], |rulebook| {
            rulebook
                .unbound(Unbound::NotImplemented)
                .module(module_with_every_response("first"))
                .module(module_with_every_response("second"))
        })
    };
    // One server has a short timeout, for the request whose body never arrives. All other requests use a server
    // with a long timeout, because a busy machine may delay them.
    let (hasty, patient) = (engine_with(1), engine_with(60));
    let document = openapi(patient.api());
    let mut validators = Validators::new();
    let (hasty, patient) = (TestServer::start(&hasty), TestServer::start(&patient));
    for name in ["first", "second"] {
        for (path, http, request, status) in &requests {
            let operation = &document["paths"][format!("/{name}{path}")][http];
            assert!(operation.is_object(), "{name}{path} {http}");
            let line = String::from_utf8(request.line.clone()).unwrap();
            let line = line.replacen(" /", &format!(" /{name}/"), 1);
            for accept in ["*/*", "application/problem+json", "text/xml"] {
                let mut request = request.clone().field("accept", accept);
                request.line = line.clone().into_bytes();
                let server = if *status == 408 { &hasty } else { &patient };
                let response = server.send(&request);
                if !response.body.is_empty() {
                    assert_eq!(
                        response.field("content-type") == Some("application/xml; charset=utf-8"),
                        accept == "text/xml",
                        "{response:?}"
                    );
                }
                let described_status = match (!response.body.is_empty()).then(|| response_content(&response)) {
                    Some(body) if body.get("ret").is_some() => {
                        assert_eq!(response.status, if real { *status } else { 200 }, "{request:?} {response:?}");
                        if response.status < 400 && *status < 400 {
                            *status
                        } else {
                            // In one status for all responses, PhalApi shows a wrong HTTP method as an unknown service.
                            let expected = if *status == 405 && !real { 404 } else { *status };
                            assert_eq!(body["ret"], expected, "{request:?} {response:?}");
                            *status
                        }
                    }
                    Some(body) if body["status"] == "error" => {
                        let coarse = !real && [404, 410, 503].contains(status);
                        assert_eq!(response.status, if coarse { 400 } else { *status }, "{request:?} {response:?}");
                        *status
                    }
                    // A status without content, such as 204, has content in an envelope that uses one status for
                    // all responses.
                    _ => response.status,
                };
                assert_eq!(described_status, *status, "{request:?} {response:?}");
                assert_described(&document, &mut validators, operation, &response);
            }
        }
    }
}

#[test]
fn every_kind_of_response_matches_its_openapi_description() {
    let cases = [
        ("aicra", "plain", false),
        ("plain", "phalapi", false),
        ("phalapi", "plain", false),
        ("phalapi", "phalapi", true),
        ("aicra", "iapi", false),
        ("aicra-status", "aicra-status", false),
        ("iapi", "iapi", false),
        ("iapi", "phalapi", false),
        ("plain", "iapi", true),
        ("iapi", "plain", true),
    ];
    // Most of the time is that of requests whose body never arrives.
    thread::scope(|scope| {
        for (envelope, second, real) in cases {
            scope.spawn(move || assert_responses_are_described(envelope, second, real));
        }
    });
}

#[test]
fn equal_errors_of_several_methods_are_one_component() {
    let method = json!({ "info": "I", "errors": { "gone": { "status": 410, "info": "it was there" } } });
    let uris: serde_json::Map<_, _> = (0..50).map(|number| (format!("u{number}"), json!({ "GET": method }))).collect();
    let document = super::openapi_of_uris(&Json::Object(uris));
    assert_eq!(operations(&document).len(), 50);
    let responses = document["components"]["responses"].as_object().unwrap();
    let names: Vec<_> = responses.keys().collect();
    assert_eq!(names, ["aicra.Other", "site.Success", "site.gone"]);
}

#[test]
fn errors_with_one_name_and_different_descriptions_are_different_components() {
    let method = |words: &str| json!({ "info": "I", "errors": { "gone": { "status": 410, "info": words } } });
    let document = super::openapi_of_uris(&json!({ "a": { "GET": method("one") }, "b": { "GET": method("other") } }));
    let described = |path: &str| {
        let response = &document["paths"][path]["get"]["responses"]["410"];
        (response["$ref"].clone(), resolved(&document, response)["description"].clone())
    };
    assert_eq!(described("/a"), (json!("#/components/responses/a.get.410"), json!("one")));
    assert_eq!(described("/b"), (json!("#/components/responses/b.get.410"), json!("other")));
}
