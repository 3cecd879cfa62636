//! Tests of request ids, which every response and the log contain.

use std::collections::BTreeSet;

use rulebook::RequestId;
use serde_json::{Value, json};

use super::shop_engine;
use crate::client::{Request, TestServer};
use crate::handlers::{block_on, build, files};

/// Returns requests that are handled in different ways, each with the status of its response.
fn requests_of_every_kind() -> Vec<(Request, u16)> {
    let locked = || Request::new("POST", "/shop");
    let form = "application/x-www-form-urlencoded";
    vec![
        (Request::new("GET", "/shop"), 200),
        (Request::new("HEAD", "/shop"), 200),
        (Request::new("PUT", "/shop"), 204),
        (Request::new("GET", "/shop?how=sold"), 410),
        (Request::new("GET", "/shop?how=internal"), 500),
        (Request::new("GET", "/shop?how=panic"), 500),
        (Request::new("GET", "/nowhere"), 404),
        (Request::new("DELETE", "/shop"), 405),
        (Request::new("GET", "/%ff"), 400),
        (Request::new("GET", format!("/{}", "x".repeat(9_000))), 414),
        (locked(), 401),
        (locked().scope(&["buyer"]), 403),
        (locked().scope(&["seller"]), 400),
        (locked().scope(&["seller"]).body("text/csv", "x"), 415),
        (locked().scope(&["seller"]).body(form, vec![b'x'; 101]), 413),
        (locked().scope(&["seller"]).body(form, "text=x"), 200),
        (locked().field("expect", "100-continue").field("content-length", 9), 401),
        (locked().field("expect", "a miracle").field("content-length", 9), 417),
        (locked().field("authorization", "Bearer panic"), 500),
        (Request::new("OPTIONS", "/shop"), 200),
        (Request::new("OPTIONS", "*"), 200),
        (Request::new("GET", "/openapi.json"), 200),
        (Request::new("GET", "/healthz"), 200),
        (Request::new("GET", "/readyz"), 200),
        (Request::new("GET", "/metrics"), 200),
        (Request::new("POST", "/metrics"), 405),
    ]
}

#[test]
fn every_response_has_a_different_request_id() {
    let server = TestServer::start(&shop_engine());
    let mut names = BTreeSet::new();
    for (request, status) in requests_of_every_kind() {
        let response = server.send(&request);
        assert_eq!(response.status, status, "{request:?}{response:?}");
        let name = response.field("x-request-id").unwrap_or_else(|| panic!("{request:?}{response:?}"));
        assert!(name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit()), "{response:?}");
        assert_eq!(response.head.to_lowercase().matches("x-request-id").count(), 1, "{response:?}");
        assert!(names.insert(name.to_owned()), "{name} occurs twice");
    }
}

#[test]
fn a_valid_request_id_from_the_client_is_used() {
    let server = TestServer::start(&shop_engine());
    for (index, (request, _)) in requests_of_every_kind().into_iter().enumerate() {
        let name = format!("proxy-1:{index}.a_B");
        let response = server.send(&request.field("X-Request-Id", &name));
        assert_eq!(response.field("x-request-id"), Some(name.as_str()), "{response:?}");
    }
    let longest = "x".repeat(RequestId::MAX_LEN);
    let response = server.send(&Request::new("GET", "/shop").field("x-request-id", &longest));
    assert_eq!(response.field("x-request-id"), Some(longest.as_str()));
}

#[test]
fn an_invalid_request_id_from_the_client_is_replaced() {
    let server = TestServer::start(&shop_engine());
    let too_long = "x".repeat(RequestId::MAX_LEN + 1);
    let bad: [&[u8]; 7] = [b"", b"a b", b"a\tb", b"a\"b", b"a,b", b"caf\xc3\xa9", too_long.as_bytes()];
    for name in bad {
        let response = server.send(&Request::new("GET", "/shop").raw_field("x-request-id", name));
        assert_eq!(response.status, 200, "{response:?}");
        assert_eq!(response.field("x-request-id").map(str::len), Some(16), "{response:?}");
    }
}

#[test]
fn handlers_and_the_methods_that_they_call_know_the_request_id() {
    let server = TestServer::start(&shop_engine());
    let response = server.send(&Request::new("GET", "/shop?how=nested").field("x-request-id", "from-outside"));
    assert_eq!(response.json()["own"], "from-outside", "{response:?}");
    assert_eq!(response.json()["nested"], "from-outside", "{response:?}");
    let response = server.send(&Request::new("GET", "/shop?how=nested"));
    assert_eq!(response.json()["own"].as_str(), response.field("x-request-id"), "{response:?}");
    assert_eq!(response.json()["own"], response.json()["nested"], "{response:?}");

    let outside = block_on(shop_engine().call("shop.get").text("how", "name").send());
    assert_eq!(outside.get("name"), Some(&Value::Null), "a call from code has no request");
}

#[test]
fn an_internal_error_has_the_request_id_of_the_response() {
    let server = TestServer::start(&shop_engine());
    for how in ["internal", "panic"] {
        let response = server.send(&Request::new("GET", format!("/shop?how={how}")));
        assert_eq!(response.json()["request_id"].as_str(), response.field("x-request-id"), "{response:?}");
    }
    let response = server.send(&Request::new("POST", "/shop").field("authorization", "Bearer panic"));
    assert_eq!(response.json()["request_id"].as_str(), response.field("x-request-id"), "{response:?}");
}

#[test]
fn captures_and_positional_parameters_do_not_match_paths_of_the_server() {
    let any = json!({
        "GET": { "info": "Anything", "in": { "URL#0": { "info": "What", "type": "?string", "name": "what" } } },
    });
    let capture = json!({ "/": { "{what}": {
        "GET": { "info": "Anything", "in": { "{what}": { "info": "What", "type": "string" } } },
        "POST": { "info": "Anything", "in": { "{what}": { "info": "What", "type": "string" } } }
    } } });
    for definition in [any, capture] {
        let mut all = files("shop", &definition);
        all.extend(files("app", &json!({ "unbound": "echo" })));
        let server = TestServer::start(&build(all, []));
        assert_eq!(server.send(&Request::new("GET", "/health")).json()["args"]["what"], "health");
        assert_eq!(server.send(&Request::new("GET", "/healthz")).body, b"ok\n");
        assert_eq!(server.send(&Request::new("POST", "/healthz")).status, 405);
    }
}
