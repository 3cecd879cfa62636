//! Tests that services of the API take precedence over the pages of the server.

use rulebook::Unbound;
use serde_json::{Value as Json, json};

use super::{fetch, folder_with_static_files};
use crate::client::{TestServer, engine};

#[test]
fn services_of_the_api_take_precedence_over_pages() {
    let files = folder_with_static_files();
    let serve = |api: Json| {
        let engine = engine(&[("app.json", api)], |rulebook| rulebook.unbound(Unbound::Echo));
        (TestServer::with_static(&engine, Some(&files.path().join("static"))), TestServer::start(&engine))
    };
    let root = json!({ "modules": { "root": { "GET": { "info": "The root" } } } });
    let (own, built_in) = serve(root);
    for server in [&own, &built_in] {
        assert_eq!(fetch(server, "/").json()["error"], 0);
    }
    assert_eq!(fetch(&own, "/static/").field("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(fetch(&built_in, "/static/").field("location"), Some("../docs/"));
    // A capture of the API matches the paths of the built-in files, but not those below `/docs/` and `/static/`.
    let (_, server) = serve(json!({ "modules": { "any": { "/": { "{x}": { "GET": { "info": "Anything",
        "in": { "{x}": { "info": "What", "type": "string" } } } } } } } }));
    assert_eq!(fetch(&server, "/docs.js").json()["args"]["x"], "docs.js");
    assert_eq!(fetch(&server, "/").field("location"), Some("docs/"));
    assert_eq!(fetch(&server, "/static").field("location"), Some("static/"));
    assert_eq!(fetch(&server, "/docs").field("location"), Some("docs/"));
    assert_eq!(fetch(&server, "/static/docs.js").field("content-type"), Some("text/javascript; charset=utf-8"));
    // Pages are not below the base path of the API.
    let (_, server) = serve(json!({ "base": "/v1", "modules": { "root": { "GET": { "info": "The root" } } } }));
    assert_eq!(fetch(&server, "/").field("location"), Some("docs/"));
    assert_eq!(fetch(&server, "/v1").json()["error"], 0);
}
