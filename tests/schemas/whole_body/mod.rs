//! Tests parameters that are the whole body of a request.

mod documents;
mod handlers;

use rulebook_model::model::Api;
use serde_json::{Value as Json, json};

use super::{api_in, server_of};
use crate::client::{Request, Response, TestServer};

const FOLDER: &str = "whole-body";

fn send(server: &TestServer, line: &str, body: &str) -> Response {
    let (http, target) = line.split_once(' ').unwrap();
    server.send(&Request::new(http, format!("/api{target}")).body("application/json", body))
}

/// Returns the text of a response, without the escapes of quotation marks.
fn text_of(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).replace("\\\"", "\"")
}

#[test]
fn the_whole_body_is_the_value_of_the_parameter() {
    let server = server_of(FOLDER);
    let tea = json!({ "name": "tea", "count": 2 });
    let items = |items: Json| json!({ "order": 7, "dry": false, "reason": null, "basket": null, "items": items });
    for (line, body, args) in [
        ("PUT /orders/7", json!([tea]), items(json!([tea]))),
        ("PUT /orders/7", json!([tea, tea, tea]), items(json!([tea, tea, tea]))),
        ("PATCH /orders/7", tea.clone(), json!({ "order": 7, "body": tea })),
        ("PATCH /orders/7", json!(null), json!({ "order": 7, "body": null })),
        ("POST /item", tea.clone(), json!({ "item": tea })),
        ("POST /text", json!("[1]"), json!({ "text": "[1]" })),
        ("POST /day", json!("1970-01-02"), json!({ "body": 86_400 })),
        ("POST /number", json!(3), json!({ "n": 3 })),
        ("POST /number", json!(null), json!({ "n": 5 })),
        ("POST /nothing", json!(null), json!({ "nothing": null })),
        ("POST /any", json!("x"), json!({ "body": "x" })),
        ("POST /any", json!({ "a": [1.5, null] }), json!({ "body": { "a": [1.5, null] } })),
        ("POST /any", json!(null), json!({ "body": null })),
        ("POST /map", json!({ "a": 1, "b": 2 }), json!({ "prices": { "a": 1, "b": 2 } })),
        (
            "POST /payment",
            json!({ "kind": "card", "number": "0123" }),
            json!({ "payment": { "kind": "card", "number": "0123" } }),
        ),
        ("POST /basket/fill", json!([1]), json!({ "numbers": [1], "lang": null })),
        ("POST /drawer/fill?lang=fr", json!([1]), json!({ "numbers": [1], "lang": "fr" })),
        ("PUT /drawer/put", json!(true), json!({ "all": true })),
    ] {
        let response = send(&server, line, &body.to_string());
        assert_eq!(response.status, 200, "{line} {body}: {}", text_of(&response));
        response.assert_args(&args);
    }
    let request = Request::new("PUT", "/api/orders/7?dry=true").field("x-reason", "r").field("cookie", "basket=b");
    let response = server.send(&request.body("application/json", json!([tea]).to_string()));
    response.assert_args(&json!({ "order": 7, "dry": true, "reason": "r", "basket": "b", "items": [tea] }));
}

#[test]
fn errors_name_the_parameter_and_the_path_inside_of_its_value() {
    let server = server_of(FOLDER);
    for (line, body, error) in [
        (
            "PUT /orders/7",
            r#"[{"name":"a","count":1},{"name":"a","count":1},{"name":"","count":1}]"#,
            "items[2].name in the body: expected a string of 1 to 20 characters, got \"\"",
        ),
        (
            "PUT /orders/7",
            r#"[{"name":"a","count":1,"x":1}]"#,
            "items[0].x in the body: expected no member with this name",
        ),
        ("PUT /orders/7", "[]", "items in the body: expected an array of 1 to 3 items, got []"),
        ("PUT /orders/7", r#"{"items":[]}"#, "items in the body: expected an array"),
        ("PUT /orders/7", "null", "items in the body: expected an array of 1 to 3 items, got null"),
        ("PUT /orders/7", "", "items is missing in the body"),
        ("PUT /orders/x", "7", "order in the path: expected a whole number"),
        ("PUT /orders/x", "7", r#"{"parameter":"items","in":"body","expected":"an array of 1 to 3 items","got":"7"}"#),
        ("PATCH /orders/7", r#"{"name":"a"}"#, "body.count in the body: expected a whole number"),
        ("POST /text", "\"a\"", "text in the body: expected a string of 2 to 10 characters"),
        ("POST /text", "12", "text in the body: expected a string"),
        ("POST /nothing", "0", "nothing in the body: expected null"),
        ("POST /map", r#"{"c":1}"#, "prices.c in the body: expected"),
        ("POST /payment", r#"{"kind":"cash"}"#, "payment.kind in the body: expected one of card, bill"),
        ("POST /drawer/fill", "[1,2,3,4]", "numbers in the body: expected"),
        ("POST /any", "", "body is missing in the body"),
        ("POST /any", "{", "the JSON body cannot be read: it ends too early"),
        ("POST /any", "[1] 2", "the JSON body cannot be read: invalid JSON"),
        ("POST /any", "1e999", "the JSON body cannot be read: invalid JSON"),
    ] {
        let response = send(&server, line, body);
        let text = text_of(&response);
        assert_eq!(response.status, 400, "{line} {body}: {text}");
        assert!(text.contains(error), "{line} {body}: {error}: {text}");
    }
    let text = text_of(&send(&server, "POST /secret", "[\"hidden\"]"));
    assert!(text.contains("token[0] in the body: expected a whole number") && !text.contains("hidden"), "{text}");
}

#[test]
fn bodies_that_are_not_json_are_refused() {
    let server = server_of(FOLDER);
    let request = || Request::new("POST", "/api/any");
    for request in [
        request().body("application/x-www-form-urlencoded", "a=1"),
        request().multipart(&[("name=a", b"1")]),
        request().body("multipart/form-data", "x"),
        request().body("text/plain", "1"),
        request().body("", "1"),
        request().body_without_type("1"),
        request().field("content-encoding", "gzip").body("application/json", "1"),
        request().chunked("application/x-www-form-urlencoded", &[b"a=1"]),
    ] {
        let response = server.send(&request);
        assert_eq!(response.status, 415, "{request:?}: {}", text_of(&response));
        assert!(text_of(&response).contains("is not supported; send application/json\""), "{}", text_of(&response));
    }
    server.send(&request().body("application/vnd.api+json; charset=utf-8", "1")).assert_args(&json!({ "body": 1 }));
    server.send(&request().chunked("Application/JSON", &[b"[1", b",2]"])).assert_args(&json!({ "body": [1, 2] }));
    // The media type of an empty body does not matter.
    for body in ["", " \n"] {
        let request = Request::new("POST", "/api/number").body("application/json", body);
        server.send(&request).assert_args(&json!({ "n": 5 }));
    }
    server.send(&Request::new("POST", "/api/number").body("text/plain", "")).assert_args(&json!({ "n": 5 }));
    server.send(&Request::new("PATCH", "/api/orders/7")).assert_args(&json!({ "order": 7, "body": null }));
}

#[test]
fn the_limits_of_json_bodies_hold() {
    let server = server_of(FOLDER);
    for (body, limit) in [
        ("[[[[1]]]]".to_owned(), Some("nesting")),
        ("[[[1]]]".to_owned(), None),
        (r#"{"a":{"b":{"c":{}}}}"#.to_owned(), Some("nesting")),
        ("[1,2,3,4,5,6]".to_owned(), Some("items")),
        (r#"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}"#.to_owned(), Some("items")),
        ("[1,2,3,4,5]".to_owned(), None),
        (json!("x".repeat(2000)).to_string(), Some("body")),
        (json!("x".repeat(1990)).to_string(), None),
    ] {
        let response = send(&server, "POST /any", &body);
        assert_eq!(response.status, if limit.is_some() { 413 } else { 200 }, "{body}: {}", text_of(&response));
        assert!(limit.is_none_or(|limit| text_of(&response).contains(&format!("`{limit}`"))), "{body}");
    }
}

#[test]
fn names_of_methods_in_the_body_are_members_of_its_value() {
    let server = server_of(FOLDER);
    let put = json!({ "module": "drawer", "method": "put", "more": 1 });
    send(&server, "PUT ", &put.to_string()).assert_args(&json!({ "all": put }));
    let response = send(&server, "POST ", r#"{"module":"basket","method":"fill"}"#);
    assert_eq!(response.status, 400);
    assert!(text_of(&response).contains("numbers in the body: expected an array"), "{}", text_of(&response));
    // JSON that is not an object names no method, so that the default service gets it.
    for body in ["[1,2]".to_owned(), format!("[1,{}2]", " ".repeat(300))] {
        send(&server, "POST ", &body).assert_args(&json!({ "numbers": [1, 2], "lang": null }));
    }
    send(&server, "POST ?service=Drawer.fill&lang=fr", "[1]").assert_args(&json!({ "numbers": [1], "lang": "fr" }));
    assert_eq!(send(&server, "POST /nowhere", "[1]").status, 400);
}

#[test]
fn responses_can_be_jsonp() {
    let server = server_of(FOLDER);
    let response = send(&server, "POST /jsonp?callback=show", "[1]");
    assert_eq!(response.status, 200);
    assert!(text_of(&response).contains("show({"), "{}", text_of(&response));
}

/// Returns the codes of the errors in a definition with one method.
fn error_codes(http: &str, parameters: &Json) -> Vec<String> {
    let text = json!({ (http): { "info": "i", "in": parameters } }).to_string();
    let read: Result<Api, _> = rulebook_model::read(vec![("x.json".into(), text.into_bytes())]);
    read.err().map_or(Vec::new(), |report| report.diagnostics.iter().map(|error| error.code.to_string()).collect())
}

#[test]
fn the_whole_body_needs_a_body_and_no_other_parameter_in_it() {
    let whole = json!({ "info": "i", "type": "any" });
    let with = |key: &str| json!({ "*": whole, (key): { "info": "i", "type": "?int", "name": "other" } });
    for http in ["POST", "PUT", "PATCH"] {
        assert_eq!(error_codes(http, &json!({ "*": whole })), [""; 0], "{http}");
        for key in ["GET@a", "HEADER@a", "COOKIE@a", "URL#0"] {
            assert_eq!(error_codes(http, &with(key)), [""; 0], "{http} {key}");
        }
        for key in ["a", "ANY@a"] {
            assert_eq!(error_codes(http, &with(key)), ["name-collision"], "{http} {key}");
        }
    }
    for http in ["GET", "DELETE"] {
        assert_eq!(error_codes(http, &with("a")), ["body-not-allowed"], "{http}");
    }
    assert_eq!(error_codes("POST", &json!({ "*": { "info": "i", "type": "file" } })), [""; 0]);
    assert_eq!(error_codes("POST", &json!({ "*": { "info": "i", "type": "array<file>" } })), ["body-not-allowed"]);
}
