//! Tests the built-in envelopes of responses: the JSON structures around outputs and errors.

use proptest::prelude::*;
use rulebook::{ApiError, Args, Context, Module};
use serde_json::{Value, json};

use crate::client::envelope::{EnvelopeKind, violation};
use crate::client::{Request, Response, TestServer, case};

#[test]
fn responses_have_the_envelope_of_their_module() {
    case::run(&case::read(include_str!("../data/http/envelopes.json")));
}

/// Starts a server of an API in this envelope. The API has a method for each kind of result of a handler.
fn server_with_every_result(envelope: &str) -> TestServer {
    let text = json!({ "info": "A word", "type": "string" });
    let method = |outputs: Value| json!({ "GET": { "info": "It ends", "out": outputs } });
    let definition = json!({
        "envelope": envelope,
        "/": {
            "outputs": method(json!({ "b": text, "a": text })),
            "nothing": method(json!({})),
            "whole": method(json!({ "*": { "info": "All of it", "type": "array<int>" } })),
            "created": { "POST": { "info": "It ends", "out": { "a": text }, "options": { "status": 201 } } },
            "empty": { "DELETE": { "info": "It ends", "options": { "status": 204 } } },
            "declared": { "GET": { "info": "It ends", "errors": {
                "gone": { "status": 410, "info": "it was there" }, "closed": { "status": 409, "info": "not now" }
            }, "in": { "GET@outcome": { "info": "In which way", "type": "string", "name": "outcome" } } } },
            "panics": method(json!({})),
            "internal": method(json!({})),
            "no-object": method(json!({})),
            "wrong": method(json!({ "a": text }))
        }
    });
    let module = Module::new("site")
        .get("/outputs", async |_: Args<()>, _: Context| Ok::<_, ApiError>(json!({ "b": "1", "a": "é\"\u{2028}" })))
        .get("/nothing", async |_: Args<()>, _: Context| Ok::<_, ApiError>(()))
        .get("/whole", async |_: Args<()>, _: Context| Ok::<_, ApiError>([1, 2]))
        .post("/created", async |_: Args<()>, _: Context| Ok::<_, ApiError>(json!({ "a": "" })))
        .delete("/empty", async |_: Args<()>, _: Context| Ok::<_, ApiError>(()))
        .get("/declared", declared_error)
        .get("/panics", async |_: Args<()>, _: Context| -> Result<(), ApiError> { panic!("the secret reason") })
        .get("/internal", async |_: Args<()>, _: Context| Err::<(), _>(ApiError::internal("the secret reason")))
        .get("/no-object", async |_: Args<()>, _: Context| Ok::<_, ApiError>("the secret reason"))
        .get("/wrong", async |_: Args<()>, _: Context| Ok::<_, ApiError>(json!({ "a": 5 })));
    TestServer::handlers(&[("site.json", definition)], module)
}

#[derive(serde::Deserialize)]
struct OutcomeArgs {
    outcome: String,
}

async fn declared_error(Args(OutcomeArgs { outcome }): Args<OutcomeArgs>, _: Context) -> Result<(), ApiError> {
    Err(match outcome.as_str() {
        "plainly" => ApiError::declared("gone"),
        "with data" => ApiError::declared("gone").with_member("since", 1999).with_member("by", json!({ "name": "é" })),
        "in its own words" => ApiError::declared("closed").with_message("come back at nine"),
        "undeclared" => ApiError::declared("unheard-of").with_member("secret", "reason"),
        "unavailable" => ApiError::unavailable("the secret reason"),
        _ => ApiError::declared("closed").with_log("the secret reason"),
    })
}

fn fetch(server: &TestServer, send: &str) -> Response {
    let (method, target) = send.split_once(' ').unwrap();
    server.send(&Request::new(method, target))
}

#[test]
fn outputs_have_the_structure_of_their_envelope() {
    let word = "é\"\u{2028}";
    let cases = [
        ("GET /outputs", 200, json!({ "b": "1", "a": word }), json!({ "b": "1", "a": word })),
        ("GET /nothing", 200, json!({}), json!({})),
        ("GET /whole", 200, json!({ "result": [1, 2] }), json!([1, 2])),
        ("POST /created", 201, json!({ "a": "" }), json!({ "a": "" })),
    ];
    let (aicra, plain, iapi) =
        (server_with_every_result("aicra"), server_with_every_result("plain"), server_with_every_result("iapi"));
    for (send, status, beside, alone) in cases {
        let mut expected = json!({ "error": 0, "ErrorDescription": "all right" });
        expected.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
        let response = fetch(&aicra, send);
        assert_eq!((response.status, response.json().to_string()), (status, expected.to_string()), "{send}");
        assert_eq!(violation(&response, EnvelopeKind::Aicra), None);
        let response = fetch(&plain, send);
        assert_eq!((response.status, response.json().to_string()), (status, alone.to_string()), "{send}");
        assert_eq!(violation(&response, EnvelopeKind::Plain), None);
        let bare = fetch(&iapi, send);
        assert_eq!((bare.status, bare.body), (response.status, response.body), "{send}");
    }
    for (server, envelope) in [(aicra, EnvelopeKind::Aicra), (plain, EnvelopeKind::Plain), (iapi, EnvelopeKind::Iapi)] {
        let response = fetch(&server, "DELETE /empty");
        assert_eq!((response.status, violation(&response, envelope)), (204, None));
    }
}

#[test]
fn responses_of_declared_errors_have_status_name_and_message() {
    let cases = [
        ("plainly", 410, "gone", "it was there", json!({})),
        ("with%20data", 410, "gone", "it was there", json!({ "since": 1999, "by": { "name": "é" } })),
        ("in%20its%20own%20words", 409, "closed", "come back at nine", json!({})),
        ("logged", 409, "closed", "not now", json!({})),
    ];
    let (aicra, plain, iapi) =
        (server_with_every_result("aicra"), server_with_every_result("plain"), server_with_every_result("iapi"));
    for (outcome, status, name, words, data) in cases {
        let send = format!("GET /declared?outcome={outcome}");
        let mut expected = json!({ "error": 1, "ErrorDescription": format!("it failed: {words}"), "name": name });
        expected.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
        let response = fetch(&aicra, &send);
        assert_eq!((response.status, response.json()), (status, expected), "{outcome}");
        assert_eq!(violation(&response, EnvelopeKind::Aicra), None);
        let title = http::StatusCode::from_u16(status).unwrap().canonical_reason();
        let mut expected =
            json!({ "type": "about:blank", "title": title, "status": status, "detail": words, "code": name });
        expected.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
        let response = fetch(&plain, &send);
        assert_eq!((response.status, response.json()), (status, expected), "{outcome}");
        assert_eq!(violation(&response, EnvelopeKind::Plain), None);
        let mut expected = json!({ "status": "error", "message": words });
        expected.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
        let response = fetch(&iapi, &send);
        assert_eq!((response.status, response.json().to_string()), (400, expected.to_string()), "{outcome}");
        assert_eq!(violation(&response, EnvelopeKind::Iapi), None);
    }
}

#[test]
fn reasons_of_internal_errors_are_not_sent_to_clients() {
    for (server, envelope) in [
        (server_with_every_result("aicra"), EnvelopeKind::Aicra),
        (server_with_every_result("plain"), EnvelopeKind::Plain),
        (server_with_every_result("iapi"), EnvelopeKind::Iapi),
    ] {
        for (target, status) in [
            ("/panics", 500),
            ("/internal", 500),
            ("/declared?outcome=undeclared", 500),
            ("/declared?outcome=unavailable", 503),
            ("/wrong", 500),
            ("/no-object", 500),
        ] {
            let response = fetch(&server, &format!("GET {target}"));
            let expected_status = if envelope == EnvelopeKind::Iapi && status == 503 { 400 } else { status };
            assert_eq!((response.status, violation(&response, envelope)), (expected_status, None), "{target}");
            let text = String::from_utf8(response.body.clone()).unwrap();
            assert!(!text.contains("secret"), "{text}");
            let id = response.json()["request_id"].as_str().map(str::len);
            assert_eq!(id, (status == 500).then_some(16), "{text}");
        }
    }
}

/// Generates values of the header field `Accept`, and `true` if they accept problem documents
/// (`application/problem+json`) only.
fn accept_fields() -> impl Strategy<Value = (Vec<String>, bool)> {
    let range = prop_oneof![
        3 => Just(("application/problem+json", true)),
        1 => Just(("Application/Problem+JSON", true)),
        1 => Just(("application/json", false)),
        1 => Just(("*/*", false)),
        1 => Just(("application/*", false)),
        1 => Just(("text/html", false)),
    ];
    let weight = prop_oneof![
        3 => Just(("", false)),
        1 => Just((";q=0.5", false)),
        1 => Just(("; q=1.000", false)),
        1 => Just((";q=0", true)),
        1 => Just(("; Q=0.00", true)),
        1 => Just((" ;charset=utf-8 ; q=0.0", true)),
        1 => Just((";q=0.001", false)),
    ];
    let ranges = prop::collection::vec((range, weight), 0..4);
    (ranges, any::<bool>()).prop_map(|(ranges, apart)| {
        let wanted: Vec<_> = ranges.iter().filter(|(_, (_, refused))| !refused).collect();
        let only = !wanted.is_empty() && wanted.iter().all(|((_, problem), _)| *problem);
        let texts = ranges.iter().map(|((range, _), (weight, _))| format!("{range}{weight}"));
        let fields = if apart { texts.collect() } else { vec![texts.collect::<Vec<_>>().join(", ")] };
        (fields, only)
    })
}

#[test]
fn clients_that_accept_only_problem_documents_get_errors_as_problem_documents() {
    let module = |envelope: &str| {
        json!({ "modules": { "m": {
        "envelope": envelope,
        "/": { "x": { "POST": { "info": "I", "scope": [["a"]], "in": { "x": { "info": "I", "type": "int" } } } } }
    } } })
    };
    let [aicra, plain, iapi] =
        ["aicra", "plain", "iapi"].map(|envelope| TestServer::echo(&[("app.json", module(envelope))]));
    let servers = [(&aicra, EnvelopeKind::Aicra), (&plain, EnvelopeKind::Plain), (&iapi, EnvelopeKind::Iapi)];
    let requests = [
        (Request::new("GET", "/nowhere"), 404),
        (Request::new("GET", "/x"), 405),
        (Request::new("GET", "/%FF"), 400),
        (Request::new("POST", "/x"), 401),
        (Request::new("POST", "/x").scope(&["b"]), 403),
        (Request::new("POST", "/x").scope(&["a"]), 400),
        (Request::new("POST", "/x").scope(&["a"]).body("text/csv", "x"), 415),
        (Request::new("POST", "/x").scope(&["a"]).field("expect", "nothing"), 417),
        (Request::new("POST", "/x").scope(&["a"]).body("", "x=1"), 200),
        (Request::new("POST", "/x").field("authorization", "Bearer panic"), 500),
    ];
    let config = support::random::cases(300);
    proptest!(config, |((fields, only) in accept_fields(), which in 0..requests.len(), server in 0..servers.len())| {
        let (request, status) = &requests[which];
        let (server, own) = servers[server];
        let request = fields.iter().fold(request.clone(), |request, field| request.field("accept", field));
        let response = server.send(&request);
        prop_assert_eq!(response.status, *status, "{:?} {:?}", request, response);
        // For requests without a known module, errors have the envelope of the API, which is `aicra`.
        let in_module = !matches!(which, 0 | 2);
        let envelope = match (in_module, only) {
            (true, false) => own,
            (true, true) if own != EnvelopeKind::Aicra => EnvelopeKind::Plain,
            (_, true) => EnvelopeKind::AicraProblem,
            (false, false) => EnvelopeKind::Aicra,
        };
        prop_assert_eq!(violation(&response, envelope), None, "{:?}", request);
        // `Vary` prevents that a cache sends this response to a client that accepts another format.
        prop_assert_eq!(response.field("vary"), (*status != 200).then_some("accept"), "{:?}", request);
    });
}
