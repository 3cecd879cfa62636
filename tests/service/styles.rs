//! The four styles of api 3.0 to call a method, and invalid names in bodies.

use serde_json::{Value as Json, json};

use super::{Expected, FORM, assert_all, server};
use crate::client::{Request, TestServer};

fn post(target: &str, media_type: &str, body: impl Into<Vec<u8>>) -> Request {
    Request::new("POST", target).body(media_type, body)
}

fn on() -> TestServer {
    server(&json!({ "dispatch": true }))
}

fn buy(args: Json) -> Expected {
    Ok(("store.buy.post", args))
}

#[test]
fn all_four_styles_call_the_method() {
    let json = "application/json";
    let parts = |parts: &[(&str, &str)]| {
        let parts: Vec<_> = parts.iter().map(|(name, content)| (*name, content.as_bytes())).collect();
        Request::new("POST", "/").multipart(&parts)
    };
    let cases = [
        // 1. `/{module}/{method}/`, with the parameters in the body.
        (post("/store/buy/tea/", json, r#"{"count": "3"}"#), buy(json!({ "URL_0": "tea", "count": "3" }))),
        // 2. `/{module}/{method}/{value1}/{value2}`.
        (post("/store/buy/tea/large", json, "{}"), buy(json!({ "URL_0": "tea", "URL_1": "large" }))),
        // 3. The base path, with everything in the body.
        (
            post("/", json, r#"{"module": "store", "method": "buy", "URL_0": "tea", "count": "3"}"#),
            buy(json!({ "URL_0": "tea", "count": "3" })),
        ),
        (
            post("/", FORM, "module=store&method=buy&URL_0=tea&URL_1=large"),
            buy(json!({ "URL_0": "tea", "URL_1": "large" })),
        ),
        (
            parts(&[("name=\"URL_0\"", "tea"), ("name=\"method\"", "buy"), ("name=\"module\"", "store")]),
            buy(json!({ "URL_0": "tea" })),
        ),
        (post("/?URL_0=tea", FORM, "module=store&method=buy&URL_0=coffee"), buy(json!({ "URL_0": "tea" }))),
        // 4. The base path and positional parameters, with the names in the body.
        (
            post("/tea/large", json, r#"{"module": "store", "method": "buy"}"#),
            buy(json!({ "URL_0": "tea", "URL_1": "large" })),
        ),
        (post("/tea/", FORM, "module=store&method=buy&count=1"), buy(json!({ "URL_0": "tea", "count": "1" }))),
        (post("/%C3%A9%2F", FORM, "module=store&method=buy"), buy(json!({ "URL_0": "é/" }))),
        // A service at the path takes precedence, and gets the names as parameters.
        (
            post("/store/buy/tea", FORM, "module=user&method=login"),
            Err((400, "invalid parameter: module in the body is not a parameter of this method".to_owned())),
        ),
        // The other dialects.
        (
            post("/", json, r#"{"module": "article", "method": "line", "article_id": 5, "text": "t"}"#),
            Ok(("article.line.post", json!({ "article_id": 5, "text": "t" }))),
        ),
        // Case-insensitive if the module is.
        (post("/", FORM, "module=USER&method=Login&username=a"), Ok(("user.login", json!({ "username": "a" })))),
        // Without names, the root is called.
        (post("/", FORM, "text=t"), Ok(("post", json!({ "text": "t" })))),
        (Request::new("POST", "/"), Ok(("post", json!({})))),
    ];
    assert_all(&on(), &cases);
}

#[test]
fn unknown_names_are_refused() {
    let unknown = |name: &str| -> Expected { Err((404, format!("unknown service: no service has the name {name}"))) };
    let none: Expected = Err((404, "unknown service: no service has this URI".to_owned()));
    let several = |name: &str| -> Expected {
        Err((400, format!("invalid parameter: {name} in the body: expected a name, got several values")))
    };
    let wrong = |words: &str| -> Expected { Err((400, format!("malformed request: {words}"))) };
    let json = |target: &str, body: &str| post(target, "application/json", body);
    let cases = [
        (post("/", FORM, "module=store&method=sell"), unknown("store/sell")),
        (post("/", FORM, "module=Store&method=buy"), unknown("Store/buy")),
        (post("/", FORM, "module=&method="), unknown("/")),
        (post("/", FORM, "module=article&method=7"), unknown("article/7")),
        (post("/", FORM, "module=one/two&method=three"), unknown("one/two/three")),
        (post("/x", FORM, "module=store&method=../buy"), unknown("store/../buy")),
        (post("/x/y/z", FORM, "module=store&method=buy"), none.clone()),
        (post("/x", FORM, "module=store"), none.clone()),
        (post("/x", FORM, ""), none.clone()),
        (
            post("/?module=store&method=buy", FORM, "URL_0=tea"),
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
        (Request::new("PUT", "/x").body(FORM, "module=store&method=buy"), none.clone()),
        // Bodies of other media types contain no names.
        (post("/x", "text/plain", "module=store&method=buy"), none),
    ];
    assert_all(&on(), &cases);
    let lacking = on().send(&post("/", FORM, "module=user&method=getBaseInfo"));
    assert_eq!(lacking.status, 200, "{lacking:?}");
    let only_get = json!({ "m": { "GET::read": { "description": "Read", "parameters": {} } } });
    let server = TestServer::echo(&[("app.json", json!({ "dispatch": true })), ("m.json", only_get)]);
    let response = server.send(&post("/", FORM, "module=m&method=read"));
    assert_eq!((response.status, response.field("allow")), (405, Some("GET, HEAD, OPTIONS")), "{response:?}");
}

#[test]
fn pages_of_other_origins_may_send_names_to_any_path() {
    let at = |settings: Json| {
        let mut settings = settings;
        settings["cors"] = json!({ "origins": ["*"] });
        server(&settings)
    };
    let (on, off, below) = (
        at(json!({ "dispatch": true })),
        at(json!({ "service": { "on": true } })),
        at(json!({ "dispatch": true, "base": "/v1" })),
    );
    let cases = [
        (&on, "/tea/green", "POST", 204),
        (&on, "/tea/green", "PUT", 404),
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
        let allowed = (status == 204).then_some("POST, OPTIONS");
        assert_eq!(
            (response.status, response.field("access-control-allow-methods")),
            (status, allowed),
            "{path} {method}"
        );
    }
}

#[test]
fn errors_of_names_have_the_envelope_of_the_api() {
    for (envelope, body) in [
        ("phalapi", json!({ "ret": 404, "data": {}, "msg": "Bad Request: no such service as a/b" })),
        (
            "plain",
            json!({ "type": "about:blank", "title": "unknown service", "status": 404, "code": "unknown-service", "detail": "no service has the name a/b" }),
        ),
    ] {
        let server = server(&json!({ "dispatch": true, "envelope": envelope }));
        let response = server.send(&post("/", FORM, "module=a&method=b")).json();
        for (name, value) in body.as_object().unwrap() {
            assert_eq!(&response[name], value, "{response}");
        }
    }
}

#[test]
fn names_are_ignored_if_they_are_not_enabled() {
    let server = server(&json!({}));
    let cases = [
        (
            post("/x", FORM, "module=store&method=buy"),
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
    assert_all(&server, &cases);
}
