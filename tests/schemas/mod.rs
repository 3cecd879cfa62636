//! Tests schemas: types with a name, which several methods use.

mod constraints;
mod exceptions;
mod hostile;
mod unions;
mod whole_body;

use std::path::{Path, PathBuf};

use rulebook::Rulebook;
use rulebook_model::describe::{openapi, typescript};
use rulebook_model::model::{Api, Unbound};
use serde_json::{Value as Json, json};

use crate::client::{Request, TestServer};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/rulebook-model/tests/definitions/good").join(name)
}

fn api_in(name: &str) -> Api {
    Rulebook::load(folder(name)).check().unwrap_or_else(|report| panic!("{report}"))
}

/// Starts a server for the definition in a test folder. It responds with the arguments of each call.
fn server_of(name: &str) -> TestServer {
    let engine = Rulebook::load(folder(name)).unbound(Unbound::Echo).build();
    TestServer::start(&engine.unwrap_or_else(|report| panic!("{report}")))
}

fn api() -> Api {
    api_in("schemas")
}

fn server() -> TestServer {
    server_of("schemas")
}

fn article(changes: &Json) -> Request {
    let mut article = json!({ "title": "On engines" });
    for (name, value) in changes.as_object().into_iter().flatten() {
        article[name] = value.clone();
    }
    let body = json!({ "article": article }).to_string();
    Request::new("POST", "/articles").body("application/json", body)
}

#[test]
fn values_are_checked_against_the_schema_and_errors_name_the_path() {
    let server = server();
    let related = |name: &str| json!({ "id": 1, "title": "t", "author": { "id": 2, "name": name }, "related": [] });
    for (changes, error) in [
        (json!({}), None),
        (json!({ "lang": "fr", "tags": ["a", "b"] }), None),
        (json!({ "lang": null, "category": { "name": "c", "parent": { "name": "p" } } }), None),
        (json!({ "category": { "name": "c", "best": related("Ada") } }), None),
        (json!({ "lang": "de" }), Some("article.lang in the body: expected one of en, fr, got \"de\"")),
        (json!({ "tags": ["a", "B"] }), Some("article.tags[1] in the body: expected")),
        (
            json!({ "category": { "name": "c", "parent": { "name": "p", "parent": { "name": 1 } } } }),
            Some("article.category.parent.parent.name in the body: expected a string"),
        ),
        (
            json!({ "category": { "name": "c", "best": related("") } }),
            Some("article.category.best.author.name in the body: expected a string of 1 to 60 characters"),
        ),
        // The schema is closed, and does not have these fields of the schema that it extends.
        (json!({ "id": 1 }), Some("article.id in the body: expected no member with this name, got 1")),
        (json!({ "other": 1 }), Some("article.other in the body: expected no member with this name")),
    ] {
        let response = server.send(&article(&changes));
        let text = String::from_utf8_lossy(&response.body).replace("\\\"", "\"");
        match error {
            None => assert_eq!(response.status, 201, "{changes}: {text}"),
            Some(error) => {
                assert_eq!(response.status, 400, "{changes}: {text}");
                assert!(text.contains(error), "{changes}: {text}");
            }
        }
    }
}

#[test]
fn an_optional_value_can_refuse_null() {
    let schema = json!({ "info": "A note", "fields": {
        "title": { "info": "Its title", "type": "string(1,9)" },
        "done": { "info": "When it was done", "type": "?date" },
    } });
    let app = json!({ "envelope": "plain", "schemas": { "Note": schema } });
    let parameters = json!({
        "note": { "info": "What changes", "type": "?partial<Note>" },
        "by": { "info": "Who changes it", "type": "?string", "nullable": false },
    });
    let module = json!({ "PATCH": { "info": "Changes a note", "in": parameters } });
    let files = [("app.json".into(), app.to_string().into()), ("note.json".into(), module.to_string().into())];
    let engine =
        Rulebook::read(files.to_vec()).unbound(Unbound::Echo).build().unwrap_or_else(|report| panic!("{report}"));
    let server = TestServer::start(&engine);
    for (body, error) in [
        (json!({}), None),
        (json!({ "note": null }), None),
        (json!({ "note": { "done": null } }), None),
        (json!({ "by": null }), Some("by in the body: expected a string, got null")),
        (
            json!({ "note": { "title": null } }),
            Some("note.title in the body: expected a string of 1 to 9 characters, got null"),
        ),
    ] {
        let response = server.send(&Request::new("PATCH", "/").body("application/json", body.to_string()));
        assert_eq!(response.status, if error.is_some() { 400 } else { 200 }, "{body}");
        assert_eq!(response.json()["detail"].as_str(), error, "{body}");
    }
    let openapi = openapi(engine.api());
    let fields = &openapi["components"]["schemas"]["patch.body"]["properties"];
    assert_eq!(fields["by"]["type"], "string", "{fields}");
    let options = server.send(&Request::new("OPTIONS", "/")).json().to_string();
    assert!(options.contains(r#""type":"?string","nullable":false"#), "{options}");
}

#[test]
fn texts_in_queries_and_header_fields_are_decoded_by_the_type_of_the_schema() {
    let server = server();
    let request = Request::new("GET", "/articles?lang=fr&tags=a&tags=b");
    let response = server.send(&request.clone().field("x-category", r#"{"name": "c"}"#));
    let expected = json!({ "lang": "fr", "tags": ["a", "b"], "X-Category": { "name": "c" } });
    response.assert_args(&expected);
    assert_eq!(server.send(&Request::new("GET", "/articles?lang=de")).status, 400);
}

#[test]
fn schemas_are_components_and_types_with_their_names() {
    let document = openapi(&api());
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in ["Author", "Lang", "Category", "NewArticle", "Tag", "blog.Article", "shop.Article"] {
        assert!(schemas.contains_key(name), "{name}: {:?}", schemas.keys());
    }
    assert!(!schemas.contains_key("Article"), "two modules have different schemas with this name");
    let related = &schemas["blog.Article"]["properties"]["related"];
    assert_eq!(related["items"], json!({ "$ref": "#/components/schemas/blog.Article" }));
    assert_eq!(schemas["NewArticle"]["additionalProperties"], false);
    assert_eq!(schemas["Author"]["examples"], json!([{ "id": 7, "name": "Ada Lovelace" }]));
    let types = typescript(&api());
    for declaration in ["export type blog_Article = {", "export type NewArticleArgument = {", "export type Lang = "] {
        assert!(types.contains(declaration), "{declaration}: {types}");
    }
}

#[test]
fn responses_to_options_contain_the_schemas_that_their_methods_use() {
    let response = server().send(&Request::new("OPTIONS", "/shop/cheapest")).json();
    let names = |value: &Json| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&response["schemas"]), ["Article", "Author"]);
    // Within one module the names are unique. The key `shop.Article` would depend on another module.
    assert_eq!(names(&response["$defs"]), ["Article", "Author"]);
}

#[test]
fn schemas_have_pages_with_links_to_and_from_them() {
    let server = server();
    let page = |path: &str| {
        let response = server.send(&Request::new("GET", format!("/docs/{path}.md")));
        assert_eq!(response.status, 200, "{path}");
        String::from_utf8(response.body).unwrap()
    };
    let method = page("methods/articles.post");
    assert!(method.contains("see [`NewArticle`](../schemas/NewArticle.md)"), "{method}");
    assert!(method.contains("see [`Category`](../schemas/Category.md)"), "a member of the schema: {method}");
    assert!(!method.contains("`parent`"), "the members of `Category` are on its page: {method}");
    let schema = page("schemas/Category");
    for part in [
        "- `parent`",
        "see [`Category`](../schemas/Category.md)",
        "see [`Article`](../schemas/blog.Article.md)",
        "../methods/articles.get",
    ] {
        assert!(schema.contains(part), "{part}: {schema}");
    }
    assert!(page("schemas").contains("[`shop.Article`](schemas/shop"), "{}", page("schemas"));
    assert!(page("index").contains("(schemas.md)"));
    let found = String::from_utf8(server.send(&Request::new("GET", "/docs/search.md?q=newarticle")).body).unwrap();
    assert!(found.contains("(schemas/NewArticle.md)"), "{found}");
}

#[test]
fn documents_for_callers_omit_schemas_of_methods_that_the_callers_cannot_see() {
    let text = json!({
        "schemas": {
            "Open": { "info": "Public", "fields": { "a": { "info": "A", "type": "int" } } },
            "Secret": { "info": "Hidden", "fields": { "open": { "info": "A", "type": "?Open" } } }
        },
        "/": {
            "a": { "GET": { "info": "Public", "out": { "a": { "info": "A", "type": "Open" } } } },
            "b": { "GET": { "info": "Hidden", "scope": [["admin"]], "out": { "b": { "info": "B", "type": "Secret" } } } }
        }
    });
    let api = rulebook_model::read(vec![("x.json".into(), text.to_string().into_bytes())]).unwrap();
    let names = |api: &Api| api.modules[0].schemas.iter().map(|schema| schema.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&api.for_permissions(&[])), ["Open"]);
    assert_eq!(names(&api.for_permissions(&["admin".into()])), ["Open", "Secret"]);
}
