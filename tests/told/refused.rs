//! Requests for documents that are refused, and the caching of their responses.

use serde_json::json;

use super::{by, shop};
use crate::client::{Request, Site};

const DOCUMENTS: [(&str, &str); 6] = [
    ("OPTIONS", "/"),
    ("OPTIONS", "/open"),
    ("OPTIONS", "/vault"),
    ("GET", "/openapi.json"),
    ("HEAD", "/llms.txt"),
    ("GET", "/docs/"),
];

#[test]
fn other_values_of_as_are_refused() {
    let site = Site::echo(&shop("public"));
    for (method, target) in DOCUMENTS {
        for query in ["?as=you", "?as=", "?as", "?as=me&as=me", "?as=ME", "?as=%FF"] {
            let answer = site.send(&Request::new(method, format!("{target}{query}")));
            assert_eq!(answer.status, 400, "{method} {target}{query}: {answer:?}");
            if method != "HEAD" {
                let errors = &answer.json()["errors"][0];
                assert_eq!((&errors["parameter"], &errors["in"]), (&json!("as"), &json!("query")), "{answer:?}");
            }
        }
        let king = site.send(&by(method, &format!("{target}?x=1&as=%6De"), Some(&["king"])));
        assert_eq!(king.status, 200, "{method} {target}: {king:?}");
    }
    // `as` has no meaning for calls.
    assert_eq!(site.send(&Request::new("GET", "/open?as=you")).status, 200);
}

#[test]
fn an_invalid_credential_is_refused() {
    for (options, query, status) in [("public", "?as=me", 401), ("own", "", 401), ("public", "", 200)] {
        let site = Site::echo(&shop(options));
        for (method, target) in DOCUMENTS {
            let request = Request::new(method, format!("{target}{query}")).field("authorization", "Bearer nonsense");
            let answer = site.send(&request);
            assert_eq!(answer.status, status, "{method} {target}: {answer:?}");
            assert_eq!(answer.field("www-authenticate").is_some(), status == 401);
            let panics = Request::new(method, format!("{target}{query}")).field("authorization", "Bearer panic");
            assert_eq!(site.send(&panics).status, if status == 401 { 500 } else { 200 }, "{method} {target}");
        }
    }
}

#[test]
fn a_definition_is_refused_in_the_envelope_of_its_module() {
    let module = json!({ "envelope": "phalapi", "/": { "a": { "GET": { "info": "One" } } } });
    let site = Site::echo(&[("app.json", json!({ "options": "own" })), ("a.json", module)]);
    let refused = site.send(&Request::new("OPTIONS", "/a").field("authorization", "Bearer nonsense"));
    // This envelope hides the HTTP status.
    assert_eq!((refused.status, refused.json()["ret"].as_u64()), (200, Some(401)), "{refused:?}");
    assert!(refused.field("www-authenticate").is_some() && refused.field("etag").is_none(), "{refused:?}");
}

#[test]
fn shared_caches_may_not_keep_documents_for_the_caller() {
    for (options, query, own) in [("public", "?as=me", true), ("own", "", true), ("public", "", false)] {
        let site = Site::echo(&shop(options));
        for (method, target) in DOCUMENTS {
            let target = format!("{target}{query}");
            let answer = site.send(&by(method, &target, Some(&["king"])));
            let cache = answer.field("cache-control").unwrap();
            assert_eq!(cache, if own { "private, no-cache" } else { "no-cache" }, "{method} {target}");
            assert_eq!(answer.head.to_lowercase().matches("cache-control").count(), 1);
            let varies = answer.head.to_lowercase().contains("vary: authorization, cookie");
            assert_eq!(varies, own, "{answer:?}");
            let tag = answer.field("etag").unwrap();
            let known = site.send(&by(method, &target, Some(&["king"])).field("if-none-match", tag));
            assert_eq!((known.status, known.field("cache-control")), (304, Some(cache)), "{known:?}");
            let other = site.send(&by(method, &target, Some(&["admin"])).field("if-none-match", tag));
            let same = !own || target.starts_with("/open?") || target == "/open";
            assert_eq!(other.status == 304, same, "{method} {target}: {other:?}");
        }
    }
}

/// A preflight has no credential of the call that follows.
#[test]
fn preflights_are_anonymous() {
    let [(_, mut app), shop, vault] = shop("own");
    app["cors"] = json!({ "origins": ["https://h5.example"] });
    let site = Site::echo(&[("app.json", app), shop, vault]);
    let preflight = Request::new("OPTIONS", "/vault/gold").field("origin", "https://h5.example");
    let answer = site.send(&preflight.field("access-control-request-method", "GET"));
    assert_eq!(
        (answer.status, answer.field("access-control-allow-methods")),
        (204, Some("GET, HEAD, OPTIONS")),
        "{answer:?}"
    );
}
