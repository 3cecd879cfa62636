//! Tests calls from Rust code in the form that the documentation of api 3.0 (an earlier framework) shows: the path
//! `module/method`, the arguments, and the response.
//!
//! The first tests contain the examples from the chapters of that documentation.

use std::path::PathBuf;

use rulebook::error::ErrorCode;
use rulebook::{ApiError, Args, Context, Engine, Module, Response, Rulebook, Unbound};
use rulebook_model::call::ErrorKind;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{block_on, build, call, checked_arguments, files};

fn articles_definition() -> Vec<(PathBuf, Vec<u8>)> {
    let outcome = json!({ "info": "Which", "type": "text_id" });
    let body = json!({ "info": "Its text", "type": "text" });
    let position = |info: &str| json!({ "info": info, "type": "?int" });
    let publish = json!({ "info": "Publishes it", "in": { "article_id": outcome } });
    files(
        "article",
        &json!({ "/": {
            "article": { "/": {
                "read": { "GET": { "info": "Reads one", "in": {
                    "URL#0": { "info": "Which", "type": "text_id", "name": "article_id" },
                    "URL#1": { "info": "Which line", "type": "?int", "name": "line" }
                } } },
                "write": { "POST": { "info": "Writes one", "in": {
                    "title": { "info": "Its title", "type": "varchar(1,20)" }, "body": body
                } } },
                "edit": { "PUT": { "info": "Edits one", "in": { "article_id": outcome, "body": body } } },
                "delete": { "DELETE": { "info": "Removes one", "scope": [["admin"]], "in": { "article_id": outcome } } },
                "state": { "PUT": publish, "DELETE": publish }
            } },
            "somemodule/somemethod": { "GET": { "info": "Positions", "in": {
                "URL#0": position("First"), "URL#1": position("Second")
            } } }
        } }),
    )
}

fn echo_engine() -> Engine {
    Rulebook::read(articles_definition()).unbound(Unbound::Echo).build().unwrap()
}

#[test]
fn calls_by_module_and_method_get_their_arguments_and_check_permissions() {
    let cases = [
        ("article/read", json!({ "article_id": 52 }), json!({ "article_id": 52, "line": null })),
        ("article/write", json!({ "title": "a", "body": "b" }), json!({ "title": "a", "body": "b" })),
        ("article/edit", json!({ "article_id": "52", "body": "" }), json!({ "article_id": 52, "body": "" })),
    ];
    for (target, given, expected) in cases {
        assert_eq!(checked_arguments(&echo_engine(), target, &given), Ok(expected), "{target}");
    }
    let delete = |scope: &[&'static str]| {
        let call = echo_engine().call("article/delete").arg("article_id", 52).scope(scope.iter().copied());
        block_on(call.send()).outputs().map_err(|error| error.code())
    };
    assert_eq!(delete(&["admin"]), Ok(json!({ "args": { "article_id": 52 } })));
    assert_eq!(delete(&["user"]), Err(ErrorCode::Forbidden));
}

/// The example is `new Request('{module}/{method}', ['param1' => 10, 'param2' => 'somevalue'])`. An error of such a
/// call is in its response; creating the call reports no error.
#[test]
fn errors_of_a_call_are_in_its_response() {
    let engine = echo_engine();
    let write = |arguments: Json| {
        let Json::Object(arguments) = arguments else { panic!("{arguments}") };
        block_on(engine.call("article/write").args(arguments).send())
    };
    assert!(write(json!({ "title": "a", "body": "b" })).error().is_none());
    let codes = [
        (write(json!({ "title": "a" })), ErrorCode::MissingParameter),
        (write(json!({ "title": 10, "body": "b" })), ErrorCode::InvalidParameter),
        (block_on(engine.call("article/burn").args([("a", 1)]).send()), ErrorCode::UnknownService),
        (block_on(engine.call("nowhere/read").send()), ErrorCode::UnknownService),
    ];
    for (response, code) in codes {
        assert_eq!(response.error().map(ApiError::code), Some(code), "{response:?}");
        assert!(response.output_map().is_none() && response.get("args").is_none());
    }
}

#[test]
fn a_response_contains_the_outputs_without_envelope_members() {
    let response = call(&echo_engine(), "article/read", &json!({ "article_id": 1 }));
    assert_eq!(response.get("args"), Some(&json!({ "article_id": 1, "line": null })));
    assert_eq!(response.get("someOutputName"), None);
    assert_eq!(response.output_map().map(serde_json::Map::len), Some(1), "the members of the envelope are not outputs");
}

/// A path is `/{module}/{method}`, and further segments are the values of positional parameters.
#[test]
fn paths_of_calls_may_contain_positional_values() {
    let none = json!({});
    let cases = [
        ("/somemodule/somemethod/1/2/", Ok(json!({ "URL#0": 1, "URL#1": 2 }))),
        ("somemodule/somemethod/1/2/", Ok(json!({ "URL#0": 1, "URL#1": 2 }))),
        ("somemodule/somemethod", Ok(json!({ "URL#0": null, "URL#1": null }))),
        ("somemodule/somemethod//2", Ok(json!({ "URL#0": null, "URL#1": 2 }))),
        ("somemodule/somemethod/1/2/3", Err(ErrorCode::UnknownService)),
        ("somemodule/somemethod/x", Err(ErrorCode::InvalidParameter)),
        ("somemodule", Err(ErrorCode::UnknownService)),
        ("SomeModule/somemethod", Err(ErrorCode::UnknownService)),
        ("//somemodule/somemethod", Err(ErrorCode::UnknownService)),
        ("somemodule/%zz", Err(ErrorCode::MalformedRequest)),
        ("/", Err(ErrorCode::UnknownService)),
        ("*", Err(ErrorCode::UnknownService)),
        ("article/../article/read/1", Err(ErrorCode::UnknownService)),
    ];
    for (target, expected) in cases {
        assert_eq!(checked_arguments(&echo_engine(), target, &none), expected, "{target}");
    }
    let one = json!({ "URL#1": 2 });
    assert_eq!(
        checked_arguments(&echo_engine(), "somemodule/somemethod/1", &one),
        Ok(json!({ "URL#0": 1, "URL#1": 2 }))
    );
}

/// The documentation says: "Note that the path can be inside the `$params` variable."
#[test]
fn module_and_method_can_be_among_the_arguments() {
    let read = json!({ "article_id": 7, "line": null });
    let cases = [
        (json!({ "module": "article", "method": "read", "article_id": 7 }), Ok(read)),
        (json!({ "method": "read", "article_id": 7 }), Err(ErrorCode::UnknownService)),
        (json!({ "module": "article", "article_id": 7 }), Err(ErrorCode::UnknownService)),
        (json!({ "module": "article", "method": 7 }), Err(ErrorCode::UnknownService)),
        (json!({ "module": "article", "method": "read/7" }), Err(ErrorCode::UnknownService)),
        (json!({ "module": "article", "method": "read?x=1" }), Err(ErrorCode::UnknownService)),
        (json!({ "module": "article", "method": "%72ead" }), Err(ErrorCode::UnknownService)),
        (json!({ "module": "GET /article", "method": "read" }), Err(ErrorCode::UnknownService)),
        (json!({ "module": "", "method": "" }), Err(ErrorCode::UnknownService)),
    ];
    for (given, expected) in cases {
        assert_eq!(checked_arguments(&echo_engine(), "", &given), expected, "{given}");
    }
    let engine = echo_engine();
    let texts = engine.call("").text("module", "article").text("method", "read").text("article_id", "7");
    assert!(block_on(texts.send()).error().is_none());
    let beside = json!({ "module": "article", "method": "read", "article_id": 7 });
    assert_eq!(
        checked_arguments(&echo_engine(), "article/read", &beside),
        Err(ErrorCode::Internal),
        "they are only taken where nothing else says it"
    );
}

#[test]
fn a_path_with_several_methods_needs_an_http_method() {
    let response = call(&echo_engine(), "article/state", &json!({ "article_id": 1 }));
    let Some(ErrorKind::UnknownMethod { allowed }) = response.error().map(ApiError::kind) else {
        panic!("{response:?}")
    };
    assert_eq!(allowed.to_string(), "PUT, DELETE, OPTIONS");
    assert_eq!(
        checked_arguments(&echo_engine(), "PUT /article/state", &json!({ "article_id": 1 })),
        Ok(json!({ "article_id": 1 }))
    );
}

#[test]
fn one_handler_for_get_and_post_of_a_rules_method_is_called_by_path() {
    async fn login(Args(login): Args<Json>, _: Context) -> Result<Json, ApiError> {
        Ok(login)
    }
    async fn empty_object(_: Args<Json>, _: Context) -> Result<Json, ApiError> {
        Ok(json!({}))
    }
    let rules = json!({ "User": { "login": { "username": { "name": "user", "require": true } } } });
    let rulebook = || Rulebook::read(files("user", &rules));
    let ada = json!({ "username": "ada" });

    let bound = rulebook().module(Module::new("User").any("/user/login", login)).build().unwrap();
    assert_eq!(call(&bound, "user/login", &ada).outputs().unwrap(), ada);
    let echo = rulebook().unbound(Unbound::Echo).build().unwrap();
    assert_eq!(call(&echo, "user/login", &ada).outputs().unwrap(), json!({ "args": ada }));

    let two = Module::new("User").get("/user/login", login).post("/user/login", empty_object);
    let two = rulebook().module(two).build().unwrap();
    assert_eq!(call(&two, "user/login", &ada).error().map(ApiError::code), Some(ErrorCode::UnknownMethod));
}

#[test]
fn the_error_for_an_unknown_path_names_similar_paths() {
    let response = call(&echo_engine(), "article/raed", &json!({}));
    let Some(ErrorKind::UnknownService { similar }) = response.error().map(ApiError::kind) else {
        panic!("{response:?}")
    };
    assert_eq!(similar, &["/article/read"]);
}

#[test]
fn the_method_at_the_root_can_be_called() {
    let engine =
        Rulebook::read(files("root", &json!({ "GET": { "info": "Root" } }))).unbound(Unbound::Echo).build().unwrap();
    assert_eq!(call(&engine, "/", &json!({})).outputs().unwrap(), json!({ "args": {} }));
}

#[derive(Deserialize)]
struct OutcomeArgs {
    outcome: i64,
}

/// Builds an API with a module for each envelope (the JSON structure around outputs and errors). Its methods have the
/// outcome that their argument selects.
fn engine_with_envelopes() -> Engine {
    let outcome = json!({ "outcome": { "info": "How it ends", "type": "int" } });
    let method = json!({ "info": "It", "in": outcome, "errors": { "gone": { "status": 410, "info": "It is gone" } },
        "options": { "status": 201 } });
    let mut all = files("aicra", &json!({ "/": { "aicra": { "POST": method } } }));
    all.extend(files("plain", &json!({ "envelope": "plain", "/": { "plain": { "POST": method } } })));
    let out = json!({ "*": { "info": "All", "type": "any" } });
    all.extend(files("whole", &json!({ "/": { "whole": { "POST": { "info": "It", "in": outcome, "out": out } } } })));
    async fn object_outcome(Args(OutcomeArgs { outcome }): Args<OutcomeArgs>, _: Context) -> Result<Json, ApiError> {
        match outcome {
            0 => Ok(json!({ "b": 1, "a": [true, null, "é\u{2028}"] })),
            1 => Ok(json!([1, 2])),
            2 => Ok(Json::Null),
            3 => Err(ApiError::declared("gone").with_member("when", "now")),
            4 => Err(ApiError::unavailable("the database")),
            _ => panic!("the vault"),
        }
    }
    async fn whole_body_outcome(Args(OutcomeArgs { outcome }): Args<OutcomeArgs>, _: Context) -> Result<i64, ApiError> {
        Ok(outcome)
    }
    let modules = [
        Module::new("aicra").post("/aicra", object_outcome),
        Module::new("plain").post("/plain", object_outcome),
        Module::new("whole").post("/whole", whole_body_outcome),
    ];
    build(all, modules)
}

#[test]
fn a_response_is_serialized_in_the_envelope_of_its_module() {
    let engine = engine_with_envelopes();
    let text = |target: &str, outcome: i64| {
        let response: Response = block_on(engine.call(target).arg("outcome", outcome).send());
        (response.status(), response.serialize())
    };
    let cases = [
        ("aicra", 0, 201, r#"{"error":0,"ErrorDescription":"all right","b":1,"a":[true,null,"é U+2028"]}"#),
        ("aicra", 1, 201, r#"{"error":502,"ErrorDescription":"internal error: the program failed"}"#),
        ("aicra", 2, 201, r#"{"error":0,"ErrorDescription":"all right"}"#),
        ("aicra", 3, 410, r#"{"error":1,"ErrorDescription":"it failed: It is gone","name":"gone","when":"now"}"#),
        ("aicra", 4, 503, r#"{"error":501,"ErrorDescription":"service unavailable: try again later"}"#),
        ("aicra", 5, 500, r#"{"error":502,"ErrorDescription":"internal error: the program failed"}"#),
        ("plain", 0, 201, r#"{"b":1,"a":[true,null,"é U+2028"]}"#),
        (
            "plain",
            3,
            410,
            r#"{"type":"about:blank","title":"Gone","status":410,"detail":"It is gone","code":"gone","when":"now"}"#,
        ),
        ("whole", 9, 200, r#"{"error":0,"ErrorDescription":"all right","result":9}"#),
    ];
    for (target, outcome, status, expected) in cases {
        let expected = expected.replace(" U+2028", "\u{2028}");
        assert_eq!(text(target, outcome), (status, expected), "{target} {outcome}");
    }
    let (status, unknown) = text("nowhere", 0);
    assert_eq!(status, 404);
    assert!(unknown.starts_with(r#"{"error":200,"#), "{unknown}");
}
