//! Compares one API that is defined in three dialects: its models, documents and responses are equal.

use std::path::PathBuf;

use rulebook::{Rulebook, Unbound};
use rulebook_model::describe::canonical_definition;
use rulebook_model::model::Api;
use serde_json::{Value as Json, json};
use support::WithoutSpans as _;

use crate::client::{Bearer, Request, TestServer};

const DIALECTS: [&str; 3] = ["tree", "methods", "rules"];

fn dialect_folder(dialect: &str) -> PathBuf {
    PathBuf::from(format!("crates/rulebook-model/tests/definitions/good/three-{dialect}"))
}

#[test]
fn models_of_all_dialects_are_equal() {
    let [tree, methods, rules] = DIALECTS.map(|dialect| {
        let loaded = rulebook_model::load(dialect_folder(dialect));
        let api = loaded.unwrap_or_else(|report| panic!("{dialect}: {report}"));
        // The programs for which the other dialects were made also write in methods for GET.
        assert!(api.methods().all(|(.., method)| method.follows_http_semantics == (dialect == "tree")), "{dialect}");
        api.without_spans()
    });
    let printed = |api: &Api| format!("{:#}", canonical_definition(api));
    for (dialect, api) in [("methods", &methods), ("rules", &rules)] {
        assert_eq!(printed(api), printed(&tree), "{dialect}");
        assert_eq!(*api, tree, "{dialect}");
    }
    assert_eq!(tree.modules.iter().flat_map(|module| &module.services).count(), 2);
}

/// Sends a request to the server of each dialect, and returns the status and the body of each response.
fn send_to_all_servers(servers: &[TestServer; 3], request: &Request) -> [(u16, Json); 3] {
    servers.each_ref().map(|server| {
        let response = server.send(request);
        (response.status, response.json())
    })
}

#[test]
fn documents_and_responses_of_all_dialects_are_equal() {
    let servers = DIALECTS.map(|dialect| {
        let built = Rulebook::load(dialect_folder(dialect)).authenticator(Bearer).unbound(Unbound::Echo).build();
        TestServer::start(&built.unwrap_or_else(|report| panic!("{report}")))
    });
    let write = || Request::new("POST", "/article/write").scope(&["admin"]);
    let read = |target: &str| Request::new("GET", target);
    for request in [
        Request::new("OPTIONS", "/article/read"),
        Request::new("OPTIONS", "/article/write"),
        Request::new("OPTIONS", "/"),
        read("/openapi.json"),
        read("/article/read?article_id=3"),
        read("/Article/READ?article_id=3&article_id=4&lang=fr").field("x-trace", "abc"),
        read("/article/read?article_id=x&lang=1"),
        read("/article/unread"),
        Request::new("POST", "/article/read"),
        write()
            .body("application/json", json!({ "title": 7, "tags": "a,b", "rate": ".5", "hidden": "on" }).to_string()),
        write().multipart(&[("name=title", b"A"), ("name=state", b"draft"), ("name=since", b"2015-01-31 10:00:00")]),
        write().multipart(&[("name=title", b"A"), ("name=picture; filename=a.png", b"abc")]),
        Request::new("POST", "/article/write").scope(&["poster"]),
    ] {
        let [tree, methods, rules] = send_to_all_servers(&servers, &request);
        assert_eq!(methods, tree, "{request:?}");
        assert_eq!(rules, tree, "{request:?}");
    }
    let [(status, body), ..] = send_to_all_servers(&servers, &read("/article/read?article_id=3"));
    let args = json!({ "article_id": 3, "lang": "en", "trace": null });
    assert_eq!((status, &body["ret"], &body["data"]["args"]), (200, &json!(200), &args), "{body}");
}
