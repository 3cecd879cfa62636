//! Tests of `rulebook call`.

use serde_json::{Value as Json, json};

use super::{definition_folder, folder_with_unbound_service, run_program, shop_folder};

/// Runs `rulebook call`. Returns the exit code and the printed JSON document.
fn run_call(arguments: &[&str]) -> (Option<i32>, Json) {
    let result = run_program(shop_folder().path(), &[&["call"], arguments].concat());
    (result.exit_code, serde_json::from_str(&result.stdout).unwrap_or_else(|error| panic!("{error}: {result:?}")))
}

#[test]
fn the_outputs_of_the_method_are_printed_as_json() {
    let args = |id: Json, tags: Json| (Some(0), json!({ "args": { "id": id, "tags": tags } }));
    assert_eq!(run_call(&["article.get"]), args(json!(null), json!(null)));
    assert_eq!(run_call(&["article.get", "id=7", "tags=a", "tags=b=c"]), args(json!(7), json!(["a", "b=c"])));
    assert_eq!(run_call(&["GET /article/7?tag=x"]), args(json!(7), json!(["x"])));
    assert_eq!(
        run_call(&["article.get", "--json", r#"{"id": 7, "tags": ["a", ""]}"#]),
        args(json!(7), json!(["a", ""]))
    );
    let posted = (Some(0), json!({ "args": { "title": "x", "price": 0 } }));
    assert_eq!(run_call(&["article.post", "title=x", "--scope", "writer,member"]), posted);
    assert_eq!(run_call(&["article.post", "--scope", "writer", "--scope", "member", "title=x"]), posted);
}

#[test]
fn errors_are_printed_as_problem_documents() {
    let code = |arguments: &[&str]| {
        let (exit, document) = run_call(arguments);
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
    assert_eq!(code(&["PUT /article"]), is(405, "unknown-method"));
    let (_, document) = run_call(&["article.get", "id=x"]);
    let error = &document["errors"][0];
    assert_eq!((&error["parameter"], &error["got"]), (&json!("id"), &json!("\"x\"")));
}

#[test]
fn unknown_arguments_are_invalid_usage() {
    let folder = shop_folder();
    let cases: [(&[&str], &str); 7] = [
        (&["article.get", "tgas=x"], "the method `article.get` has no parameter \"tgas\"; did you mean `tags`?"),
        (
            &["article.get", "number=7"],
            "the method `article.get` has no parameter \"number\"; its parameters are id, tags",
        ),
        (&["article.get", "--json", r#"{"Tag": []}"#], "no parameter \"Tag\"; did you mean `tags`?"),
        (&["GET /article/7", "tgas=x"], "no parameter \"tgas\"; did you mean `tags`?"),
        (&["GET /article/7?tga=x"], "no parameter \"tga\"; did you mean `tag`?"),
        (&["GET /article/7?tga[long]=x"], "no parameter \"tga[long]\"; did you mean `tag`?"),
        (&["article.post", "titel=x", "--scope", "admin"], "no parameter \"titel\"; did you mean `title`?"),
    ];
    for (arguments, message) in cases {
        let result = run_program(folder.path(), &[&["call"], arguments].concat());
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(result.stderr.starts_with("error: ") && result.stderr.contains(message), "{}", result.stderr);
    }
}

#[test]
fn suggestions_for_unknown_methods_are_printed_to_standard_error() {
    let folder = shop_folder();
    for (given, message) in [
        ("artcle.get", "there is no method with the id `artcle.get`; did you mean `article.get`?\n"),
        ("nothing", "there is no method with the id `nothing`\n"),
        ("GET /nothing", ""),
    ] {
        let unknown = run_program(folder.path(), &["call", given]);
        assert_eq!((unknown.exit_code, unknown.stderr.as_str()), (Some(1), message));
    }
}

#[test]
fn calling_a_method_without_a_handler_fails() {
    let folder = folder_with_unbound_service(&json!({}));
    let refused = run_program(folder.path(), &["call", "extra.get"]);
    assert_eq!((refused.exit_code, refused.stdout.as_str()), (Some(1), ""));
    assert!(
        refused.stderr.contains("error[unbound-method]") && refused.stderr.ends_with("2 errors\n"),
        "{}",
        refused.stderr
    );
    let unbound = run_program(folder.path(), &["call", "extra.get", "--unbound", "501"]);
    let document: Json = serde_json::from_str(&unbound.stdout).unwrap();
    assert_eq!((unbound.exit_code, &document["status"]), (Some(1), &json!(501)));
}

#[test]
fn the_file_of_a_download_is_printed_unchanged() {
    let method = json!({ "info": "A file", "in": { "GET@page": { "info": "Which", "type": "int", "name": "page" } },
        "options": { "download": true } });
    let app = json!({ "unbound": "echo" });
    let folder = definition_folder(&[("app.json", app), ("shop.json", json!({ "/": { "file": { "GET": method } } }))]);
    let result = run_program(folder.path(), &["call", "file.get", "page=7"]);
    assert_eq!(
        (result.exit_code, result.stdout.as_str(), result.stderr.as_str()),
        (Some(0), r#"{"args":{"page":7}}"#, "")
    );
}
