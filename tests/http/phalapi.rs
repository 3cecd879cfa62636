//! Tests the envelope `phalapi` (the JSON structure of responses in the framework PhalApi): its members, messages and
//! statuses.

use rulebook::{ApiError, Args, Context, Module};
use serde_json::{Value, json};

use crate::captured_log::{self, logged};
use crate::client::envelope::{EnvelopeKind, violation};
use crate::client::{Request, Response, TestServer, case};

#[test]
fn error_messages_are_from_the_configured_catalogue() {
    case::run(&case::read(include_str!("../data/http/phalapi.json")));
}

#[derive(serde::Deserialize)]
struct OutcomeArgs {
    outcome: String,
    code: Option<u32>,
}

/// A handler that returns the error which its argument selects, as PhalApi's examples throw exceptions.
async fn throw_selected_error(
    Args(OutcomeArgs { outcome, code }): Args<OutcomeArgs>,
    _: Context,
) -> Result<Value, ApiError> {
    let coded = |error: ApiError| match code {
        Some(code) => error.with_phalapi_code(code),
        None => error,
    };
    Err(match outcome.as_str() {
        "bad" => coded(ApiError::declared("wrong_sign")),
        "server" => coded(ApiError::declared("busy")),
        "redirect" => coded(ApiError::redirect("wrong_sign", "/new/place")),
        "words" => coded(ApiError::declared("wrong_sign").with_message("你好")),
        "data" => coded(ApiError::declared("gone").with_member("code", 3).with_member("since", 1999)),
        "internal" => ApiError::internal("the secret reason"),
        "unavailable" => ApiError::unavailable("the secret reason"),
        _ => panic!("the secret reason"),
    })
}

/// Starts a server of an API in this envelope with these settings. The API has a method for each kind of result of a
/// handler.
fn server_with_settings(settings: &Value) -> TestServer {
    let text = json!({ "info": "A word", "type": "?string" });
    let method = |outputs: Value| json!({ "GET": { "info": "It ends", "out": outputs } });
    let mut app = json!({ "envelope": "phalapi" });
    app.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let definition = json!({ "/": {
        "outputs": method(json!({ "b": text, "ret": text })),
        "nothing": method(json!({})),
        "none": method(json!({ "b": text })),
        "no-object": method(json!({})),
        "list": method(json!({ "*": { "info": "All of it", "type": "array<int>" } })),
        "word": method(json!({ "*": { "info": "All of it", "type": "string" } })),
        "created": { "POST": { "info": "It ends", "options": { "status": 201 } } },
        "empty": { "DELETE": { "info": "It ends", "options": { "status": 204 } } },
        "throw": { "GET": {
            "info": "It ends",
            "in": {
                "GET@outcome": { "info": "In which way", "type": "string", "name": "outcome" },
                "GET@code": { "info": "PhalApi's code", "type": "?id", "name": "code" }
            },
            "errors": {
                "wrong_sign": { "status": 400, "info": "wrong sign" },
                "gone": { "status": 410, "info": "it was there" },
                "busy": { "status": 500, "info": "system is busy now" }
            }
        } }
    } });
    let module = Module::new("site")
        .get("/outputs", async |_: Args<()>, _: Context| Ok::<_, ApiError>(json!({ "b": "é/", "ret": "x" })))
        .get("/nothing", async |_: Args<()>, _: Context| Ok::<_, ApiError>(()))
        .get("/none", async |_: Args<()>, _: Context| Ok::<_, ApiError>(json!({})))
        .get("/no-object", async |_: Args<()>, _: Context| Ok::<_, ApiError>("the secret reason"))
        .get("/list", async |_: Args<()>, _: Context| Ok::<_, ApiError>([0; 0]))
        .get("/word", async |_: Args<()>, _: Context| Ok::<_, ApiError>("admin user"))
        .post("/created", async |_: Args<()>, _: Context| Ok::<_, ApiError>(()))
        .delete("/empty", async |_: Args<()>, _: Context| Ok::<_, ApiError>(()))
        .get("/throw", throw_selected_error);
    TestServer::handlers(&[("app.json", app), ("site.json", definition)], module)
}

fn fetch(server: &TestServer, send: &str) -> Response {
    let (method, target) = send.split_once(' ').unwrap();
    server.send(&Request::new(method, target))
}

#[test]
fn bodies_of_all_outcomes_are_exactly_as_expected() {
    captured_log::begin();
    // Each case: the request, the real status, and the body, in which `@` is an empty `data`.
    let cases = [
        ("GET /outputs", 200, r#"{"ret":200,"data":{"b":"é/","ret":"x"},"msg":""}"#),
        ("GET /nothing", 200, r#"{"ret":200,"data":@,"msg":""}"#),
        ("GET /none", 200, r#"{"ret":200,"data":@,"msg":""}"#),
        // An output that the definition declares as a list is written as a list even if it is empty.
        ("GET /list", 200, r#"{"ret":200,"data":[],"msg":""}"#),
        ("GET /word", 200, r#"{"ret":200,"data":"admin user","msg":""}"#),
        ("POST /created", 201, r#"{"ret":200,"data":@,"msg":""}"#),
        ("GET /throw?outcome=bad", 400, r#"{"ret":400,"data":@,"msg":"Bad Request: wrong sign"}"#),
        ("GET /throw?outcome=bad&code=0", 400, r#"{"ret":400,"data":@,"msg":"Bad Request: wrong sign"}"#),
        ("GET /throw?outcome=bad&code=1", 400, r#"{"ret":401,"data":@,"msg":"Bad Request: wrong sign"}"#),
        ("GET /throw?outcome=bad&code=99", 400, r#"{"ret":499,"data":@,"msg":"Bad Request: wrong sign"}"#),
        ("GET /throw?outcome=bad&code=100", 400, r#"{"ret":400,"data":@,"msg":"Bad Request: wrong sign"}"#),
        ("GET /throw?outcome=words&code=1", 400, r#"{"ret":401,"data":@,"msg":"Bad Request: 你好"}"#),
        ("GET /throw?outcome=server", 500, r#"{"ret":500,"data":@,"msg":"Interal Server Error: system is busy now"}"#),
        (
            "GET /throw?outcome=server&code=2",
            500,
            r#"{"ret":502,"data":@,"msg":"Interal Server Error: system is busy now"}"#,
        ),
        (
            "GET /throw?outcome=data",
            410,
            r#"{"ret":410,"data":{"code":3,"since":1999},"msg":"Bad Request: it was there"}"#,
        ),
        (
            "GET /throw?outcome=data&code=7",
            410,
            r#"{"ret":407,"data":{"code":3,"since":1999},"msg":"Bad Request: it was there"}"#,
        ),
        ("GET /throw?outcome=redirect", 400, r#"{"ret":300,"data":@,"msg":"Redirect: /new/place"}"#),
        ("GET /throw?outcome=redirect&code=2", 400, r#"{"ret":302,"data":@,"msg":"Redirect: /new/place"}"#),
        (
            "GET /throw?outcome=unavailable",
            503,
            r#"{"ret":503,"data":@,"msg":"Interal Server Error: try again later"}"#,
        ),
    ];
    for (settings, empty, real) in [
        (json!({}), "[]", false),
        (json!({ "catalogue": "2.x" }), "{}", false),
        (json!({ "catalogue": "1.x", "phalapi": { "real_status": true } }), "[]", true),
        (json!({ "catalogue": "2.x", "phalapi": { "real_status": true } }), "{}", true),
    ] {
        let server = server_with_settings(&settings);
        for (send, status, body) in cases {
            let response = fetch(&server, send);
            let status = if real { status } else { 200 };
            assert_eq!(response.status, status, "{settings} {send}");
            assert_eq!(response.field("content-type"), Some("application/json;charset=utf-8"), "{settings} {send}");
            assert_eq!(std::str::from_utf8(&response.body).unwrap(), body.replace('@', empty), "{settings} {send}");
        }
        let response = fetch(&server, "DELETE /empty");
        let (status, body) =
            if real { (204, String::new()) } else { (200, format!(r#"{{"ret":200,"data":{empty},"msg":""}}"#)) };
        assert_eq!((response.status, String::from_utf8(response.body).unwrap()), (status, body));
        let problem =
            server.send(&Request::new("GET", "/throw?outcome=data").field("accept", "application/problem+json"));
        assert_eq!((problem.status, violation(&problem, EnvelopeKind::AicraProblem)), (410, None));
    }
    assert!(!logged("the code 100 is above 99").is_empty(), "an invalid code is not sent");
}

#[test]
fn reasons_of_internal_errors_are_not_sent_to_clients() {
    for settings in [json!({}), json!({ "catalogue": "zh", "phalapi": { "real_status": true } })] {
        let server = server_with_settings(&settings);
        for target in ["/throw?outcome=internal", "/throw?outcome=panic", "/no-object"] {
            let response = fetch(&server, &format!("GET {target}"));
            let body = response.json();
            assert_eq!(body["ret"], 500, "{target}");
            let text = body.to_string();
            let id = response.field("x-request-id").unwrap();
            assert!(!text.contains("secret") && body["msg"].as_str().unwrap().contains(id), "{text}");
        }
    }
}
