//! Tests that JSONP passes every outcome of a call to the callback, in every envelope.

use rulebook::{ApiError, Args, Context, Module};
use rulebook_model::model::EnvelopeName;
use serde_json::{Value, json};

use super::{callback_value, get_response};
use crate::captured_log::{self, logged};
use crate::client::{Request, TestServer};

/// Starts a server of an API in this envelope with JSONP. The API has a method for each outcome of a call.
pub fn api_with_every_outcome(envelope: &str, settings: &Value) -> TestServer {
    let text = json!({ "info": "A word", "type": "string" });
    let method = |outputs: Value| json!({ "GET": { "info": "It ends", "out": outputs } });
    let definition = json!({ "envelope": envelope, "/": {
        "outputs": method(json!({ "b": text })),
        "nothing": method(json!({})),
        "whole": method(json!({ "*": { "info": "All of it", "type": "array<int>" } })),
        "accepted": { "GET": { "info": "It ends", "options": { "status": 202 } } },
        "empty": { "GET": { "info": "It ends", "options": { "status": 204 } } },
        "declared": { "GET": { "info": "It ends", "errors": { "gone": { "status": 410, "info": "it was there" } } } },
        "needs": { "GET": { "info": "It ends", "in": { "GET@n": { "info": "A number", "type": "int", "name": "n" } } } },
        "panics": method(json!({})),
        "post": { "POST": { "info": "No GET" } }
    } });
    let module = Module::new("site")
        .get("/outputs", async |_: Args<()>, _: Context| Ok::<_, ApiError>(json!({ "b": "é" })))
        .get("/nothing", async |_: Args<()>, _: Context| Ok::<_, ApiError>(()))
        .get("/whole", async |_: Args<()>, _: Context| Ok::<_, ApiError>([1, 2]))
        .get("/accepted", async |_: Args<()>, _: Context| Ok::<_, ApiError>(()))
        .get("/empty", async |_: Args<()>, _: Context| Ok::<_, ApiError>(()))
        .get("/declared", async |_: Args<()>, _: Context| {
            Err::<(), _>(ApiError::declared("gone").with_member("status", "mine").with_member("since", 1999))
        })
        .get("/needs", async |_: Args<Value>, _: Context| Ok::<_, ApiError>(()))
        .get("/panics", async |_: Args<()>, _: Context| -> Result<(), ApiError> { panic!("the secret reason") })
        .post("/post", async |_: Args<()>, _: Context| Ok::<_, ApiError>(()));
    let mut app = json!({ "jsonp": true, "envelope": envelope });
    app.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    TestServer::handlers(&[("app.json", app), ("site.json", definition)], module)
}

/// An outcome: the request target, the real status, and the values that are passed to the callback in the envelope
/// `aicra`, in the envelope `phalapi`, and without an envelope (`plain`). The value in the envelope `iapi` is computed
/// from the value without an envelope.
type Outcome = (&'static str, u16, Value, Value, Value);

fn every_outcome() -> Vec<Outcome> {
    let right = |rest: Value| {
        let mut all = json!({ "error": 0, "ErrorDescription": "all right" });
        all.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        all
    };
    let ret = |data: Value| json!({ "ret": 200, "data": data, "msg": "" });
    let bad = |ret: u16, data: Value, msg: &str| json!({ "ret": ret, "data": data, "msg": msg });
    let error = json!({ "parameter": "n", "in": "query", "expected": "a whole number of 64 bits", "got": "\"<b>\"" });
    let problem = |status: u16, detail: &str, code: &str, rest: Value| {
        let title = http::StatusCode::from_u16(status).unwrap().canonical_reason();
        let mut all =
            json!({ "type": "about:blank", "title": title, "status": status, "detail": detail, "code": code });
        all.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        all
    };
    let wrong = "n in the query: expected a whole number of 64 bits, got \"<b>\"";
    vec![
        ("/outputs", 200, right(json!({ "b": "é", "status": 200 })), ret(json!({ "b": "é" })), json!({ "b": "é" })),
        ("/nothing", 200, right(json!({ "status": 200 })), ret(json!([])), json!({})),
        ("/whole", 200, right(json!({ "result": [1, 2], "status": 200 })), ret(json!([1, 2])), json!([1, 2])),
        ("/accepted", 202, right(json!({ "status": 202 })), ret(json!([])), json!({})),
        ("/empty", 204, right(json!({ "status": 204 })), ret(json!([])), json!({})),
        (
            "/declared",
            410,
            json!({ "error": 1, "ErrorDescription": "it failed: it was there", "name": "gone", "since": 1999, "status": 410 }),
            bad(410, json!({ "status": "mine", "since": 1999 }), "Bad Request: it was there"),
            problem(410, "it was there", "gone", json!({ "since": 1999 })),
        ),
        (
            "/needs?n=%3Cb%3E",
            400,
            json!({ "error": 401, "ErrorDescription": format!("invalid parameter: {wrong}"), "errors": [error], "status": 400 }),
            bad(400, json!([]), "Illegal Param: n should be a whole number of 64 bits, but now n = \"<b>\""),
            problem(400, wrong, "invalid-parameter", json!({ "errors": [error] })),
        ),
        (
            "/post",
            405,
            json!({ "error": 201, "ErrorDescription": "unknown method: the service does not support this method; it supports POST, OPTIONS", "status": 405 }),
            bad(404, json!([]), "Bad Request: request method not allowed, only POST"),
            problem(
                405,
                "the service does not support this method; it supports POST, OPTIONS",
                "unknown-method",
                json!({}),
            ),
        ),
        (
            "/a/b/c/d",
            404,
            json!({ "error": 200, "ErrorDescription": "unknown service: no service has this URI", "status": 404 }),
            bad(404, json!([]), "Bad Request: no such service"),
            problem(404, "no service has this URI", "unknown-service", json!({})),
        ),
        (
            "/%zz",
            400,
            json!({ "error": 402, "ErrorDescription": "malformed request: the path cannot be read: `%` is not followed by two hexadecimal digits", "status": 400 }),
            bad(400, json!([]), "Bad Request: the path cannot be read: `%` is not followed by two hexadecimal digits"),
            problem(
                400,
                "the path cannot be read: `%` is not followed by two hexadecimal digits",
                "unreadable",
                json!({}),
            ),
        ),
    ]
}

/// Converts a problem document to an error in the envelope `iapi`.
fn iapi_error(problem: &Value) -> Value {
    let mut all = json!({ "status": "error", "message": problem["detail"] });
    let own = ["type", "title", "status", "detail", "code"];
    let others = problem.as_object().unwrap().iter().filter(|(name, _)| !own.contains(&name.as_str()));
    all.as_object_mut().unwrap().extend(others.map(|(name, value)| (name.clone(), value.clone())));
    all
}

/// Converts a value without an envelope, or a problem document, to the value in the envelope `aicra-status`.
fn with_aicra_status(plain: &Value, status: u16) -> Value {
    if status < 400 {
        let mut all = json!({ "status": "all right" });
        let outputs = if plain.is_array() { json!({ "result": plain }) } else { plain.clone() };
        all.as_object_mut().unwrap().extend(outputs.as_object().unwrap().clone());
        return all;
    }
    let detail = plain["detail"].as_str().unwrap();
    match plain["code"].as_str().unwrap() {
        "gone" => json!({ "status": detail, "since": 1999 }),
        "invalid-parameter" => json!({ "status": "n: invalid parameter" }),
        "unknown-service" => json!({ "status": "unknown service" }),
        "unknown-method" => json!({ "status": format!("unknown method: {detail}") }),
        _ => json!({ "status": format!("malformed request: {detail}") }),
    }
}

#[test]
fn every_outcome_is_passed_to_the_callback() {
    for envelope in EnvelopeName::ALL.each_ref().map(EnvelopeName::as_str) {
        let server = api_with_every_outcome(envelope, &json!({}));
        for (target, status, aicra, phalapi, plain) in every_outcome() {
            let between = if target.contains('?') { '&' } else { '?' };
            let asked = format!("{target}{between}callback=a.b");
            let response = get_response(&server, &asked);
            let expected = match envelope {
                "aicra" => aicra,
                "phalapi" => phalapi,
                "iapi" if status >= 400 => iapi_error(&plain),
                "aicra-status" => with_aicra_status(&plain, status),
                _ => plain,
            };
            assert_eq!(callback_value(&response, "a.b"), expected, "{envelope} {target}");
            let head = server.send(&Request::new("HEAD", &asked));
            assert_eq!(head.field("content-length"), response.field("content-length"), "{envelope} {target}");
            assert_eq!(head.field("content-type"), response.field("content-type"), "{envelope} {target}");
            // A request without a callback gets a response in JSON.
            let json = get_response(&server, target);
            let status = match envelope {
                "phalapi" => 200,
                "iapi" if matches!(status, 404 | 410) => 400,
                _ => status,
            };
            assert_eq!(json.status, status, "{envelope} {target}");
            assert_ne!(json.field("content-type"), response.field("content-type"), "{envelope} {target}");
        }
    }
    // With the setting `real_status`, JSON responses have the real status. Scripts have the status 200 even then,
    // because browsers do not run scripts with an error status.
    let server = api_with_every_outcome("phalapi", &json!({ "phalapi": { "real_status": true } }));
    assert_eq!(get_response(&server, "/declared").status, 410);
    assert_eq!(callback_value(&get_response(&server, "/declared?callback=cb"), "cb")["ret"], 410);
    assert_eq!(callback_value(&get_response(&server, "/empty?callback=cb"), "cb")["ret"], 200);
}

#[test]
fn of_an_internal_error_only_the_request_id_is_passed_to_the_callback() {
    captured_log::begin();
    let cases = [("aicra", "status", json!(500)), ("plain", "status", json!(500)), ("phalapi", "ret", json!(500))];
    for (envelope, status, failed) in cases.into_iter().chain([
        ("iapi", "status", json!("error")),
        ("aicra-status", "status", json!("internal error: the log has the reason under jsonp-panic")),
    ]) {
        let server = api_with_every_outcome(envelope, &json!({}));
        let response = server.send(&Request::new("GET", "/panics?callback=cb").field("x-request-id", "jsonp-panic"));
        let value = callback_value(&response, "cb");
        assert_eq!(value[status], failed, "{value}");
        assert!(value.to_string().contains("jsonp-panic") && !value.to_string().contains("secret"), "{value}");
    }
    assert_eq!(logged("jsonp-panic").iter().filter(|line| line.message.contains("the secret reason")).count(), 5);
}
