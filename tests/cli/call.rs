//! `rulebook call`.

use serde_json::{Value as Json, json};

use super::{folder, run, shop, unfinished};

/// Runs a call. Returns the exit code and the printed document.
fn call(arguments: &[&str]) -> (Option<i32>, Json) {
    let result = run(shop().path(), &[&["call"], arguments].concat());
    (result.code, serde_json::from_str(&result.out).unwrap_or_else(|error| panic!("{error}: {result:?}")))
}

#[test]
fn outputs_are_printed() {
    let args = |id: Json, tags: Json| (Some(0), json!({ "args": { "id": id, "tags": tags } }));
    assert_eq!(call(&["article.get"]), args(json!(null), json!(null)));
    assert_eq!(call(&["article.get", "id=7", "tags=a", "tags=b=c"]), args(json!(7), json!(["a", "b=c"])));
    assert_eq!(call(&["GET /article/7?tag=x"]), args(json!(7), json!(["x"])));
    assert_eq!(call(&["article.get", "--json", r#"{"id": 7, "tags": ["a", ""]}"#]), args(json!(7), json!(["a", ""])));
    let posted = (Some(0), json!({ "args": { "title": "x", "price": 0 } }));
    assert_eq!(call(&["article.post", "title=x", "--scope", "writer,member"]), posted);
    assert_eq!(call(&["article.post", "--scope", "writer", "--scope", "member", "title=x"]), posted);
}

#[test]
fn errors_are_printed_as_problem_documents() {
    let code = |arguments: &[&str]| {
        let (exit, document) = call(arguments);
        assert_eq!(exit, Some(1), "{arguments:?}");
        (document["status"].as_u64().unwrap(), document["code"].as_str().unwrap().to_owned())
    };
    let is = |status: u64, name: &str| (status, name.to_owned());
    assert_eq!(code(&["article.post", "title=x"]), is(401, "unauthenticated"));
    assert_eq!(code(&["article.post", "title=x", "--scope", ""]), is(403, "forbidden"));
    assert_eq!(code(&["article.post", "title=x", "--scope", "writer"]), is(403, "forbidden"));
    assert_eq!(code(&["article.post", "--scope", "admin"]), is(400, "missing-parameter"));
    assert_eq!(code(&["article.post", "title=", "--scope", "admin"]), is(400, "invalid-parameter"));
    assert_eq!(code(&["article.get", "id=x"]), is(400, "invalid-parameter"));
    assert_eq!(code(&["article.get", "id=1", "id=2"]), is(400, "invalid-parameter"));
    assert_eq!(code(&["article.get", "--json", r#"{"id": "7"}"#]), is(400, "invalid-parameter"));
    assert_eq!(code(&["article.get", "number=7"]), is(500, "internal"));
    assert_eq!(code(&["PUT /article"]), is(405, "unknown-method"));
    let (_, document) = call(&["article.get", "id=x"]);
    let error = &document["errors"][0];
    assert_eq!((&error["parameter"], &error["got"]), (&json!("id"), &json!("\"x\"")));
}

#[test]
fn what_only_a_log_would_know_is_told_beside_the_document() {
    let folder = shop();
    let unknown = run(folder.path(), &["call", "article.get", "number=7"]);
    assert!(unknown.err.contains("\"number\"") && unknown.err.contains("id, tags"), "{unknown:?}");
    assert!(!unknown.out.contains("number"), "{unknown:?}");
    for (given, message) in [
        ("artcle.get", "there is no method with the id `artcle.get`; did you mean `article.get`?\n"),
        ("nothing", "there is no method with the id `nothing`\n"),
        ("GET /nothing", ""),
    ] {
        let unknown = run(folder.path(), &["call", given]);
        assert_eq!((unknown.code, unknown.err.as_str()), (Some(1), message));
    }
}

#[test]
fn methods_without_a_handler_are_errors() {
    let folder = unfinished(&json!({}));
    let refused = run(folder.path(), &["call", "extra.get"]);
    assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""));
    assert!(refused.err.contains("error[unbound-method]") && refused.err.ends_with("2 errors\n"), "{}", refused.err);
    let unbound = run(folder.path(), &["call", "extra.get", "--unbound", "501"]);
    let document: Json = serde_json::from_str(&unbound.out).unwrap();
    assert_eq!((unbound.code, &document["status"]), (Some(1), &json!(501)));
}

#[test]
fn a_file_is_printed_unchanged() {
    let method = json!({ "info": "A file", "in": { "GET@page": { "info": "Which", "type": "int", "name": "page" } },
        "options": { "download": true } });
    let app = json!({ "unbound": "echo" });
    let folder = folder(&[("app.json", app), ("shop.json", json!({ "/": { "file": { "GET": method } } }))]);
    let result = run(folder.path(), &["call", "file.get", "page=7"]);
    assert_eq!((result.code, result.out.as_str(), result.err.as_str()), (Some(0), r#"{"args":{"page":7}}"#, ""));
}
