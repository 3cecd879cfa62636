//! Tests the four styles in which api 3.0 calls a method, and invalid names in bodies.

use serde_json::{Value as Json, json};

use super::{ExpectedOutcome, FORM_MEDIA_TYPE, assert_outcomes, server_of_all_dialects};
use crate::client::{Request, TestServer};

fn post_request(target: &str, media_type: &str, body: impl Into<Vec<u8>>) -> Request {
    Request::new("POST", target).body(media_type, body)
}

fn server_with_dispatch() -> TestServer {
    server_of_all_dialects(&json!({ "dispatch": true }))
}

fn expected_purchase(args: Json) -> ExpectedOutcome {
    Ok(("store.buy.post", args))
}

/// A body that names the service `article/line`, with a position and a parameter.
const LINE: &str = r#"{"module": "article", "method": "line", "article_id": 5, "text": "t"}"#;

#[test]
fn all_four_styles_of_api_3_call_the_method() {
    let json = "application/json";
    let parts = |parts: &[(&str, &str)]| {
        let parts: Vec<_> = parts.iter().map(|(name, content)| (*name, content.as_bytes())).collect();
        Request::new("POST", "/").multipart(&parts)
    };
    let cases = [
        // Style 1: the path is `/{module}/{method}/`, and the parameters are in the body.
        (
            post_request("/store/buy/tea/", json, r#"{"count": "3"}"#),
            expected_purchase(json!({ "URL_0": "tea", "count": "3" })),
        ),
        // Style 2: the path is `/{module}/{method}/{value1}/{value2}`.
        (
            post_request("/store/buy/tea/large", json, "{}"),
            expected_purchase(json!({ "URL_0": "tea", "URL_1": "large" })),
        ),
        // Style 3: the path is the base path, and the names and the parameters are in the body.
        (
            post_request("/", json, r#"{"module": "store", "method": "buy", "URL_0": "tea", "count": "3"}"#),
            expected_purchase(json!({ "URL_0": "tea", "count": "3" })),
        ),
        (
            post_request("/", FORM_MEDIA_TYPE, "module=store&method=buy&URL_0=tea&URL_1=large"),
            expected_purchase(json!({ "URL_0": "tea", "URL_1": "large" })),
        ),
        (
            parts(&[("name=\"URL_0\"", "tea"), ("name=\"method\"", "buy"), ("name=\"module\"", "store")]),
            expected_purchase(json!({ "URL_0": "tea" })),
        ),
        (
            post_request("/?URL_0=tea", FORM_MEDIA_TYPE, "module=store&method=buy&URL_0=coffee"),
            expected_purchase(json!({ "URL_0": "tea" })),
        ),
        // Style 4: the path is the base path followed by positional parameters, and the names are in the body.
        (
            post_request("/tea/large", json, r#"{"module": "store", "method": "buy"}"#),
            expected_purchase(json!({ "URL_0": "tea", "URL_1": "large" })),
        ),
        (
            post_request("/tea/", FORM_MEDIA_TYPE, "module=store&method=buy&count=1"),
            expected_purchase(json!({ "URL_0": "tea", "count": "1" })),
        ),
        (
            post_request("/%C3%A9%2F", FORM_MEDIA_TYPE, "module=store&method=buy"),
            expected_purchase(json!({ "URL_0": "é/" })),
        ),
        // A service at the path of the request takes precedence. `module` and `method` are then ordinary parameters.
        (
            post_request("/store/buy/tea", FORM_MEDIA_TYPE, "module=user&method=login"),
            Err((400, "invalid parameter: module in the body is not a parameter of this method".to_owned())),
        ),
        // Every HTTP method can have a body with names.
        (
            Request::new("PUT", "/").scope(&["author[5]"]).body(json, LINE),
            Ok(("article.line.put", json!({ "article_id": 5, "text": "t" }))),
        ),
        (
            Request::new("PUT", "/5").scope(&["author[5]"]).body(FORM_MEDIA_TYPE, "module=article&method=line&text=t"),
            Ok(("article.line.put", json!({ "article_id": 5, "text": "t" }))),
        ),
        (
            Request::new("DELETE", "/")
                .scope(&["admin"])
                .body(FORM_MEDIA_TYPE, "module=article&method=line&article_id=5"),
            Ok(("article.line.delete", json!({ "article_id": 5 }))),
        ),
        (
            Request::new("GET", "/").body(FORM_MEDIA_TYPE, "module=article&method=line&article_id=5&lang=en"),
            Ok(("article.line.get", json!({ "article_id": 5, "lang": "en" }))),
        ),
        (
            Request::new("GET", "/5").body(FORM_MEDIA_TYPE, "module=article&method=line"),
            Ok(("article.line.get", json!({ "article_id": 5 }))),
        ),
        (
            Request::new("PATCH", "/").body(json, LINE),
            Err((
                405,
                "unknown method: the service does not support this method; it supports GET, HEAD, POST, PUT, DELETE, \
                 OPTIONS"
                    .to_owned(),
            )),
        ),
        // Permissions that depend on the body are checked after the names are read.
        (
            Request::new("PUT", "/").scope(&["author[6]"]).body(json, LINE),
            Err((403, "permission error: missing permission: author[article_id]".to_owned())),
        ),
        // Methods of the other dialects (`tree` and `rules`).
        (
            post_request("/", json, r#"{"module": "article", "method": "line", "article_id": 5, "text": "t"}"#),
            Ok(("article.line.post", json!({ "article_id": 5, "text": "t" }))),
        ),
        // Names are case-insensitive if the paths of the module are.
        (
            post_request("/", FORM_MEDIA_TYPE, "module=USER&method=Login&username=a"),
            Ok(("user.login", json!({ "username": "a" }))),
        ),
        // Without names in the body, the method at the root is called.
        (post_request("/", FORM_MEDIA_TYPE, "text=t"), Ok(("post", json!({ "text": "t" })))),
        (Request::new("POST", "/"), Ok(("post", json!({})))),
    ];
    assert_outcomes(&server_with_dispatch(), &cases);
}

#[test]
fn unknown_module_and_method_names_are_refused() {
    let unknown =
        |name: &str| -> ExpectedOutcome { Err((404, format!("unknown service: no service has the name {name}"))) };
    let none: ExpectedOutcome = Err((404, "unknown service: no service has this URI".to_owned()));
    let several = |name: &str| -> ExpectedOutcome {
        Err((400, format!("invalid parameter: {name} in the body: expected a name, got several values")))
    };
    let wrong = |words: &str| -> ExpectedOutcome { Err((400, format!("malformed request: {words}"))) };
    let json = |target: &str, body: &str| post_request(target, "application/json", body);
    let cases = [
        (post_request("/", FORM_MEDIA_TYPE, "module=store&method=sell"), unknown("store/sell")),
        (post_request("/", FORM_MEDIA_TYPE, "module=Store&method=buy"), unknown("Store/buy")),
        (post_request("/", FORM_MEDIA_TYPE, "module=&method="), unknown("/")),
        (post_request("/", FORM_MEDIA_TYPE, "module=article&method=7"), unknown("article/7")),
        (post_request("/", FORM_MEDIA_TYPE, "module=one/two&method=three"), unknown("one/two/three")),
        (post_request("/x", FORM_MEDIA_TYPE, "module=store&method=../buy"), unknown("store/../buy")),
        (post_request("/x/y/z", FORM_MEDIA_TYPE, "module=store&method=buy"), none.clone()),
        (post_request("/x", FORM_MEDIA_TYPE, "module=store"), none.clone()),
        (post_request("/x", FORM_MEDIA_TYPE, ""), none.clone()),
        (
            post_request("/?module=store&method=buy", FORM_MEDIA_TYPE, "URL_0=tea"),
            Err((400, "invalid parameter: module in the query is not a parameter of this method".to_owned())),
        ),
        (json("/", r#"{"module": ["store"], "method": "buy"}"#), several("module")),
        (json("/", r#"{"module": "store", "method": {}}"#), several("method")),
        (
            json("/", r#"{"module": "store", "method": "buy", "URL_0": ["tea"]}"#),
            Err((400, "invalid parameter: URL_0 occurs more than once in the path, expected a string".to_owned())),
        ),
        (
            json("/", r#"{"module": "store", "method": "b"#),
            wrong("the JSON body cannot be read: it ends too early, at line 1, column 32"),
        ),
        (json("/", "[]"), wrong("the JSON body cannot be read: it is not an object")),
        (Request::new("GET", "/x?module=store&method=buy"), none.clone()),
        (
            Request::new("PUT", "/x").body(FORM_MEDIA_TYPE, "module=store&method=buy"),
            Err((
                405,
                "unknown method: the service does not support this method; it supports POST, OPTIONS".to_owned(),
            )),
        ),
        (Request::new("PUT", "/x").body(FORM_MEDIA_TYPE, "module=store"), none.clone()),
        // A body of another media type contains no names.
        (post_request("/x", "text/plain", "module=store&method=buy"), none),
    ];
    assert_outcomes(&server_with_dispatch(), &cases);
    let lacking = server_with_dispatch().send(&post_request("/", FORM_MEDIA_TYPE, "module=user&method=getBaseInfo"));
    assert_eq!(lacking.status, 200, "{lacking:?}");
    let only_get = json!({ "m": { "GET::read": { "description": "Read", "parameters": {} } } });
    let server = TestServer::echo(&[("app.json", json!({ "dispatch": true })), ("m.json", only_get)]);
    let response = server.send(&post_request("/", FORM_MEDIA_TYPE, "module=m&method=read"));
    assert_eq!((response.status, response.field("allow")), (405, Some("GET, HEAD, OPTIONS")), "{response:?}");
}

#[test]
fn methods_that_the_base_path_allows_get_404_if_the_body_names_no_service() {
    let delete = json!({ "m": { "DELETE::remove": { "description": "Remove", "parameters": {} } } });
    let server = TestServer::echo(&[("app.json", json!({ "dispatch": true })), ("m.json", delete)]);
    let options = server.send(&Request::new("OPTIONS", "/"));
    assert_eq!(options.field("allow"), Some("GET, HEAD, DELETE, OPTIONS"));
    for (method, status) in [("DELETE", 404), ("PATCH", 405)] {
        let response = server.send(&Request::new(method, "/"));
        assert_eq!(response.status, status, "{response:?}");
    }
    let request = Request::new("DELETE", "/").body(FORM_MEDIA_TYPE, "module=m&method=remove");
    assert_eq!(server.send(&request).status, 200);
}

#[test]
fn preflights_allow_bodies_with_names_at_any_path() {
    let at = |settings: Json| {
        let mut settings = settings;
        settings["cors"] = json!({ "origins": ["*"] });
        server_of_all_dialects(&settings)
    };
    let (on, off, below) = (
        at(json!({ "dispatch": true })),
        at(json!({ "service": { "on": true } })),
        at(json!({ "dispatch": true, "base": "/v1" })),
    );
    let cases = [
        (&on, "/tea/green", "POST", 204),
        (&on, "/tea/green", "PUT", 204),
        (&on, "/tea/green", "PATCH", 404),
        (&on, "/docs/none", "POST", 404),
        (&off, "/tea/green", "POST", 404),
        (&below, "/v1/tea/green", "POST", 204),
        (&below, "/tea/green", "POST", 404),
    ];
    for (server, path, method, status) in cases {
        let options = Request::new("OPTIONS", path);
        assert_eq!(server.send(&options).status, 404, "{path}");
        let preflight = options.field("origin", "https://a.example").field("access-control-request-method", method);
        let response = server.send(&preflight);
        let allowed = (status == 204).then_some("GET, HEAD, POST, PUT, DELETE, OPTIONS");
        assert_eq!(
            (response.status, response.field("access-control-allow-methods")),
            (status, allowed),
            "{path} {method}"
        );
    }
}

#[test]
fn errors_of_unknown_names_have_the_envelope_of_the_api() {
    for (envelope, body) in [
        ("phalapi", json!({ "ret": 404, "data": {}, "msg": "Bad Request: no such service as a/b" })),
        (
            "plain",
            json!({ "type": "about:blank", "title": "Not Found", "status": 404, "code": "unknown-service", "detail": "no service has the name a/b" }),
        ),
    ] {
        let server = server_of_all_dialects(&json!({ "dispatch": true, "envelope": envelope }));
        let response = server.send(&post_request("/", FORM_MEDIA_TYPE, "module=a&method=b")).json();
        for (name, value) in body.as_object().unwrap() {
            assert_eq!(&response[name], value, "{response}");
        }
    }
}

#[test]
fn module_and_method_names_are_ignored_if_they_are_not_enabled() {
    let server = server_of_all_dialects(&json!({}));
    let cases = [
        (
            post_request("/x", FORM_MEDIA_TYPE, "module=store&method=buy"),
            Err((404, "unknown service: no service has this URI".to_owned())),
        ),
        (
            Request::new("GET", "/?service=User.Login"),
            Err((
                405,
                "unknown method: the service does not support this method; it supports POST, OPTIONS".to_owned(),
            )),
        ),
    ];
    assert_outcomes(&server, &cases);
}
