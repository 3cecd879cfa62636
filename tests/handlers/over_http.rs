//! Tests the responses that clients get over HTTP for the results of handlers.

use std::path::PathBuf;

use rulebook::{ApiError, Args, Context, Engine, Module, RunningServer, Settings};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{build, files};
use crate::captured_log::{self, logged};

/// Serves an API at a free port. Returns the running server and its URL.
pub fn serve(engine: &Engine) -> (RunningServer, String) {
    let settings = Settings::new().with_bind(["127.0.0.1:0"]).with_workers(1);
    let running = engine.serve(&settings).unwrap();
    let address = format!("http://{}", running.addresses()[0]);
    (running, address)
}

fn bank_definition() -> Vec<(PathBuf, Vec<u8>)> {
    let method = |info: &str| {
        json!({ "info": info, "in": { "outcome": { "info": "How it ends", "type": "string" } }, "errors": {
            "no_money": { "status": 402, "info": "There is not enough" },
            "later": { "info": "Not today" }
        } })
    };
    let mut all = files("bank", &json!({ "/": { "bank": { "POST": method("Pays") } } }));
    all.extend(files("plain", &json!({ "envelope": "plain", "/": { "plain": { "POST": method("Pays") } } })));
    let none = json!({ "POST": { "info": "Answers nothing", "options": { "status": 204 } } });
    all.extend(files("none", &json!({ "/": { "none": none } })));
    all
}

#[derive(Deserialize)]
struct OutcomeArgs {
    outcome: String,
}

async fn pay_with_outcome(
    Args(OutcomeArgs { outcome }): Args<OutcomeArgs>,
    _: Context,
) -> Result<Option<Json>, ApiError> {
    match outcome.as_str() {
        "nothing" => Ok(None),
        "paid" => Ok(Some(json!({ "paid": true }))),
        "no_money" => Err(ApiError::declared("no_money").with_member("missing", 5).with_member("missing", 7)),
        "own words" => Err(ApiError::declared("no_money").with_message("The purse is empty")),
        "names of the envelope" => Err(ApiError::declared("later")
            .with_member("error", 9)
            .with_member("name", "x")
            .with_member("status", 200)
            .with_member("title", "x")
            .with_member("day", "Monday")),
        "undeclared" => Err(ApiError::declared("no_such_error")),
        "internal" => Err(ApiError::internal("the database at 10.0.0.7 is down")),
        "unavailable" => Err(ApiError::unavailable("the database restarts")),
        "a list" => Ok(Some(json!([1]))),
        _ => panic!("the vault is at 52.5, 13.4"),
    }
}

async fn empty_handler(_: Args<()>, _: Context) -> Result<(), ApiError> {
    Ok(())
}

fn bank_engine() -> Engine {
    let modules = [
        Module::new("bank").post("/bank", pay_with_outcome),
        Module::new("plain").post("/plain", pay_with_outcome),
        Module::new("none").post("/none", empty_handler),
    ];
    build(bank_definition(), modules)
}

/// Sends a request for this outcome, and returns the status, the media type and the JSON body of the response.
fn post_outcome(url: &str, outcome: &str, accept: &str) -> (u16, String, Json) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.post(url).header("Accept", accept).send_json(json!({ "outcome": outcome })).unwrap();
    let media_type = response.headers().get("content-type").map_or("", |value| value.to_str().unwrap()).to_owned();
    let text = response.body_mut().read_to_string().unwrap();
    (response.status().as_u16(), media_type, serde_json::from_str(&text).unwrap_or(Json::Null))
}

#[test]
fn each_outcome_of_a_handler_gets_a_response_in_its_envelope() {
    let (running, at) = serve(&bank_engine());
    let failed = |name: &str, words: &str| json!({ "error": 1, "ErrorDescription": format!("it failed: {words}"), "name": name });
    let problem = |status: u16, title: &str, detail: &str, code: &str| json!({ "type": "about:blank", "title": title, "status": status, "detail": detail, "code": code });
    let with = |mut json: Json, name: &str, value: Json| {
        json[name] = value;
        json
    };
    let none = "There is not enough";
    let (json, problems) = ("application/json", "application/problem+json");
    let cases = [
        ("bank", "nothing", "*/*", 200, json, json!({ "error": 0, "ErrorDescription": "all right" })),
        ("bank", "paid", "*/*", 200, json, json!({ "error": 0, "ErrorDescription": "all right", "paid": true })),
        ("plain", "nothing", "*/*", 200, json, json!({})),
        ("plain", "paid", "*/*", 200, json, json!({ "paid": true })),
        ("bank", "no_money", "*/*", 402, json, with(failed("no_money", none), "missing", 7.into())),
        ("bank", "own words", "*/*", 402, json, failed("no_money", "The purse is empty")),
        ("bank", "names of the envelope", "*/*", 400, json, {
            let own = with(with(failed("later", "Not today"), "status", 200.into()), "title", "x".into());
            with(own, "day", "Monday".into())
        }),
        ("plain", "names of the envelope", "*/*", 400, problems, {
            let own = problem(400, "Bad Request", "Not today", "later");
            with(with(with(own, "error", 9.into()), "name", "x".into()), "day", "Monday".into())
        }),
        (
            "plain",
            "no_money",
            "*/*",
            402,
            problems,
            with(problem(402, "Payment Required", none, "no_money"), "missing", 7.into()),
        ),
        (
            "bank",
            "no_money",
            problems,
            402,
            problems,
            with(problem(402, "Payment Required", none, "no_money"), "missing", 7.into()),
        ),
        (
            "bank",
            "unavailable",
            "*/*",
            503,
            json,
            json!({ "error": 501, "ErrorDescription": "service unavailable: try again later" }),
        ),
    ];
    for (service, outcome, accept, status, media_type, expected) in cases {
        let got = post_outcome(&format!("{at}/{service}"), outcome, accept);
        assert_eq!(got, (status, media_type.to_owned(), expected), "{service} {outcome} {accept}");
    }
    running.stop().unwrap();
}

#[test]
fn only_the_log_has_the_reason_of_an_internal_error() {
    captured_log::begin();
    let (running, at) = serve(&bank_engine());
    let cases = [
        ("internal", "the database at 10.0.0.7 is down"),
        ("undeclared", "no_such_error"),
        ("a list", "not an object"),
        ("panic", "the vault is at 52.5, 13.4"),
    ];
    for (outcome, why) in cases {
        let (status, _, response) = post_outcome(&format!("{at}/bank"), outcome, "*/*");
        assert_eq!((status, &response["error"]), (500, &json!(502)), "{outcome}: {response}");
        let id = response["request_id"].as_str().unwrap();
        assert_eq!(id.len(), 16, "{id}");
        let words = format!("internal error: the log has the reason under {id}");
        assert_eq!(response["ErrorDescription"], words);
        assert_eq!(response.as_object().unwrap().len(), 3, "{outcome}: {response}");
        let lines: Vec<_> = logged(id).into_iter().filter(|line| line.target != "rulebook::access").collect();
        let [line] = &lines[..] else { panic!("{lines:?}") };
        assert!(line.message.starts_with("bank.post: ") && line.message.contains(why), "{line:?}");
        assert_eq!(line.level, log::Level::Error);
    }
    running.stop().unwrap();
}

#[test]
fn a_response_without_content_has_no_body() {
    let (running, at) = serve(&bank_engine());
    assert_eq!(post_outcome(&format!("{at}/none"), "", "*/*"), (204, String::new(), Json::Null));
    running.stop().unwrap();
}

#[test]
fn a_401_response_has_a_challenge() {
    let scoped = json!({ "/": { "it": { "GET": { "info": "Takes it", "scope": [["reader"]] } } } });
    let module = Module::new("shop").get("/it", empty_handler);
    let (running, at) = serve(&build(files("shop", &scoped), [module]));
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let response = agent.get(format!("{at}/it")).call().unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    running.stop().unwrap();
}
