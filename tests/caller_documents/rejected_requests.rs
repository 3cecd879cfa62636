//! Tests requests for documents that the server rejects, and how caches may store responses with documents.

use serde_json::json;

use super::{request_with_permissions, shop_definition};
use crate::client::{Request, TestServer};

const DOCUMENT_TARGETS: [(&str, &str); 6] = [
    ("OPTIONS", "/"),
    ("OPTIONS", "/open"),
    ("OPTIONS", "/vault"),
    ("GET", "/openapi.json"),
    ("HEAD", "/llms.txt"),
    ("GET", "/docs/"),
];

#[test]
fn requests_for_documents_with_other_values_of_as_are_refused() {
    let server = TestServer::echo(&shop_definition("public"));
    for (method, target) in DOCUMENT_TARGETS {
        for query in ["?as=you", "?as=", "?as", "?as=me&as=me", "?as=ME", "?as=%FF"] {
            let response = server.send(&Request::new(method, format!("{target}{query}")));
            assert_eq!(response.status, 400, "{method} {target}{query}: {response:?}");
            if method != "HEAD" {
                let errors = &response.json()["errors"][0];
                assert_eq!((&errors["parameter"], &errors["in"]), (&json!("as"), &json!("query")), "{response:?}");
            }
        }
        let king = server.send(&request_with_permissions(method, &format!("{target}?x=1&as=%6De"), Some(&["king"])));
        assert_eq!(king.status, 200, "{method} {target}: {king:?}");
    }
    // Calls of methods ignore the query parameter `as`.
    assert_eq!(server.send(&Request::new("GET", "/open?as=you")).status, 200);
}

#[test]
fn requests_for_documents_with_an_invalid_credential_are_refused() {
    for (options, query, status) in [("public", "?as=me", 401), ("own", "", 401), ("public", "", 200)] {
        let server = TestServer::echo(&shop_definition(options));
        for (method, target) in DOCUMENT_TARGETS {
            let request = Request::new(method, format!("{target}{query}")).field("authorization", "Bearer nonsense");
            let response = server.send(&request);
            assert_eq!(response.status, status, "{method} {target}: {response:?}");
            assert_eq!(response.field("www-authenticate").is_some(), status == 401);
            let panics = Request::new(method, format!("{target}{query}")).field("authorization", "Bearer panic");
            assert_eq!(server.send(&panics).status, if status == 401 { 500 } else { 200 }, "{method} {target}");
        }
    }
}

#[test]
fn errors_of_options_are_in_the_envelope_of_the_module() {
    let module = json!({ "envelope": "phalapi", "/": { "a": { "GET": { "info": "One" } } } });
    let server = TestServer::echo(&[("app.json", json!({ "options": "own" })), ("a.json", module)]);
    let refused = server.send(&Request::new("OPTIONS", "/a").field("authorization", "Bearer nonsense"));
    // The envelope of this module uses the status 200 for errors too.
    assert_eq!((refused.status, refused.json()["ret"].as_u64()), (200, Some(401)), "{refused:?}");
    assert!(refused.field("www-authenticate").is_some() && refused.field("etag").is_none(), "{refused:?}");
}

#[test]
fn shared_caches_may_not_keep_documents_for_the_caller() {
    for (options, query, own) in [("public", "?as=me", true), ("own", "", true), ("public", "", false)] {
        let server = TestServer::echo(&shop_definition(options));
        for (method, target) in DOCUMENT_TARGETS {
            let target = format!("{target}{query}");
            let response = server.send(&request_with_permissions(method, &target, Some(&["king"])));
            let cache = response.field("cache-control").unwrap();
            assert_eq!(cache, if own { "private, no-cache" } else { "no-cache" }, "{method} {target}");
            assert_eq!(response.head.to_lowercase().matches("cache-control").count(), 1);
            let varies = response.head.to_lowercase().contains("vary: authorization, cookie");
            assert_eq!(varies, own, "{response:?}");
            let tag = response.field("etag").unwrap();
            let known =
                server.send(&request_with_permissions(method, &target, Some(&["king"])).field("if-none-match", tag));
            assert_eq!((known.status, known.field("cache-control")), (304, Some(cache)), "{known:?}");
            let other =
                server.send(&request_with_permissions(method, &target, Some(&["admin"])).field("if-none-match", tag));
            let same = !own || target.starts_with("/open?") || target == "/open";
            assert_eq!(other.status == 304, same, "{method} {target}: {other:?}");
        }
    }
}

/// A preflight does not contain the credential of the request that the browser sends after it.
#[test]
fn preflights_are_anonymous() {
    let [(_, mut app), shop, vault] = shop_definition("own");
    app["cors"] = json!({ "origins": ["https://h5.example"] });
    let server = TestServer::echo(&[("app.json", app), shop, vault]);
    let preflight = Request::new("OPTIONS", "/vault/gold").field("origin", "https://h5.example");
    let response = server.send(&preflight.field("access-control-request-method", "GET"));
    assert_eq!(
        (response.status, response.field("access-control-allow-methods")),
        (204, Some("GET, HEAD, OPTIONS")),
        "{response:?}"
    );
}
