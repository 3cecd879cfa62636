//! Tests functions of the program that rules name in `callable` and `on_after_parse`.

use rulebook::{CustomError, Engine, Report, Rulebook, Unbound};
use serde_json::{Value as Json, json};

use super::definition_files;
use crate::client::{Request, Response, TestServer};

/// Reads a definition with these rules, and adds functions: the example of PhalApi's documentation, and functions that
/// use `params`, that change the value, or that panic.
fn rulebook_with_functions(rules: &Json) -> Rulebook {
    Rulebook::read(definition_files(&Json::Null, rules))
        .callable("Common_MyVersion::formatVersion", |version, _| match version.as_str() {
            Some(text) if text.split('.').count() >= 3 => Ok(json!(text)),
            _ => Err("Illegal version".into()),
        })
        .callable("longer", |value, params| {
            let min = params.and_then(Json::as_u64).unwrap_or_default();
            let length = value.as_str().map_or(0, str::len) as u64;
            if length > min {
                Ok(length.into())
            } else {
                Err(CustomError::new(format!("needs {min}")).with_phalapi_code(7))
            }
        })
        .callable("exclaim", |value, _| Ok(format!("{}!", value.as_str().unwrap_or("?")).into()))
        .callable("panics", |_, _| panic!("a function of the program panics"))
}

fn engine_with_functions(rules: &Json) -> Engine {
    rulebook_with_functions(rules).unbound(Unbound::Echo).build().unwrap_or_else(|report| panic!("{report}"))
}

fn get_response(server: &TestServer, target: &str) -> Response {
    server.send(&Request::new("GET", target))
}

/// Calls a method whose argument `v` has this rule, and returns the JSON of the response.
fn response_with_rule(rule: &Json, query: &str) -> Json {
    let server = TestServer::start(&engine_with_functions(&json!({ "C": { "m": { "v": rule } } })));
    get_response(&server, &format!("/c/m?{query}")).json()
}

fn assert_accepted_value(rule: &Json, query: &str, expected: &Json) {
    let body = response_with_rule(rule, query);
    assert_eq!(body["data"]["args"]["v"], *expected, "{rule} with {query}: {body}");
}

#[test]
fn a_callable_passes_on_the_result_of_its_function_or_reports_its_error() {
    for callback in [
        json!({ "type": "callable", "callback": ["Common_MyVersion", "formatVersion"] }),
        json!({ "type": "Callback", "callable": "Common_MyVersion::formatVersion" }),
    ] {
        assert_accepted_value(&callback, "v=1.2.3", &json!("1.2.3"));
        assert_accepted_value(&callback, "", &Json::Null);
        let refused = response_with_rule(&callback, "v=1.2");
        assert_eq!(refused, json!({ "ret": 400, "data": [], "msg": "Bad Request: Illegal version" }));
    }
    let rule = json!({ "type": "callable", "callback": "longer", "params": 3, "require": true });
    assert_accepted_value(&rule, "v=abcd", &json!(4));
    let refused = response_with_rule(&rule, "v=abc");
    assert_eq!(refused, json!({ "ret": 407, "data": [], "msg": "Bad Request: needs 3" }));
    assert_eq!(response_with_rule(&rule, "")["msg"], "Illegal Param: wrong param: v");
    // If the argument is omitted, the function receives the default of the rule.
    let rule = json!({ "type": "callable", "callback": "longer", "default": "abc" });
    assert_accepted_value(&rule, "", &json!(3));
    // If the rule has a `message`, the response contains it instead of the error of the function.
    let rule = json!({ "type": "callable", "callback": "longer", "params": 3, "message": "too short" });
    assert_eq!(
        response_with_rule(&rule, "v=abc"),
        json!({ "ret": 400, "data": [], "msg": "Illegal Param: too short" })
    );
}

#[test]
fn functions_of_rules_are_called_after_the_type_check() {
    for (rule, query, expected) in [
        (json!({ "on_after_parse": "trim|strtolower" }), "v=+Phal%0AAPI%20", json!("phal\napi")),
        (json!({ "on_after_parse": " TRIM ||exclaim" }), "v=+a+", json!("a!")),
        (json!({ "on_after_parse": "ltrim" }), "v=+%C3%A9+", json!("é ")),
        (json!({ "on_after_parse": "rtrim|strtoupper" }), "v=+%C3%A9a+", json!(" éA")),
        (json!({ "on_after_parse": ["Common_MyVersion", "formatVersion"] }), "v=1.2.3", json!("1.2.3")),
        (json!({ "on_after_parse": "trim", "default": " d " }), "", json!("d")),
        (json!({ "on_after_parse": "exclaim" }), "", Json::Null),
        (json!({ "on_after_parse": "" }), "v=+a", json!(" a")),
        // The length of the text is checked before the functions are called.
        (json!({ "on_after_parse": "trim", "min": 3 }), "v=+a+", json!("a")),
        (
            json!({ "type": "array", "format": "explode", "on_after_parse": "array_unique|array_reverse" }),
            "v=A,A,B,A,C",
            json!(["C", "B", "A"]),
        ),
        // PHP functions on texts leave values of other types unchanged.
        (json!({ "type": "int", "on_after_parse": "trim|array_unique" }), "v=7", json!(7)),
        (json!({ "type": "array", "on_after_parse": "trim" }), "v[]=+a", json!([" a"])),
    ] {
        assert_accepted_value(&rule, query, &expected);
    }
    let refused = response_with_rule(&json!({ "on_after_parse": "trim|Common_MyVersion::formatVersion" }), "v=1");
    assert_eq!(refused, json!({ "ret": 400, "data": [], "msg": "Bad Request: Illegal version" }));
    let refused = response_with_rule(&json!({ "on_after_parse": "trim", "min": 9 }), "v=+a+");
    assert_eq!(refused["ret"], 400, "the type is checked first: {refused}");
}

#[test]
fn a_panic_in_a_function_of_a_rule_is_an_internal_error() {
    let server = TestServer::start(&engine_with_functions(
        &json!({ "C": { "m": { "v": { "type": "callable", "callback": "panics" } } } }),
    ));
    assert_eq!(get_response(&server, "/c/m?v=1").json()["ret"], 500);
    assert_eq!(get_response(&server, "/c/m").json()["ret"], 200);
}

#[test]
fn a_definition_with_unknown_functions_can_only_be_echoed() {
    let rules = json!({ "C": { "m": {
        "v": { "type": "callable", "callback": "formatVersion" },
        "w": { "on_after_parse": "trimm|exclam|trim" },
        "x": { "type": "callable", "callback": "trim" },
    } } });
    assert!(rulebook_with_functions(&rules).check().is_ok(), "`check` does not know the functions");
    let server = TestServer::start(&engine_with_functions(&rules));
    let body = get_response(&server, "/c/m?v=+a&w=+a&x=+a").json();
    assert_eq!(body["data"]["args"], json!({ "v": " a", "w": "a", "x": " a" }));

    let report: Report =
        rulebook_with_functions(&rules).unbound(Unbound::NotImplemented).build().expect_err("functions are missing");
    support::golden::compare(std::path::Path::new("tests/data/rules/unknown_callable.txt"), &report.render(false));
}

#[test]
fn functions_of_rules_are_in_the_canonical_form() {
    let rules = json!({ "C": { "m": {
        "v": { "type": "callback", "callable": ["A", "b"], "params": [1], "on_after_parse": "TRIM| b" },
        "w": { "type": "array", "format": "explode", "on_after_parse": ["A", "b"] },
        "x": { "type": "array", "format": "explode" },
    } } });
    let printed = rulebook_model::describe::canonical_definition(engine_with_functions(&rules).api());
    let parameters = &printed["modules"]["C"]["/"]["c/m"]["GET"]["in"];
    assert_eq!(
        parameters["ANY@v"],
        json!({ "info": "v", "type": "?callable", "callback": "A::b", "params": [1], "after": ["TRIM", "b"] })
    );
    assert_eq!(parameters["ANY@w"]["after"], json!(["A::b"]));
    let again =
        Rulebook::read(definition_files(&printed, &Json::Null)).check().unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(rulebook_model::describe::canonical_definition(&again), printed);
    // The schema describes values before the functions are called.
    let schema = |parameter: &str| {
        let methods = &again.modules[0].services[0].methods[0];
        methods.parameters.iter().find(|own| own.name == parameter).unwrap().r#type.check.schema()
    };
    assert_eq!(schema("v"), json!({ "not": { "type": "null" } }));
    assert_eq!(schema("w"), schema("x"));
}
