//! Tests unions, maps, constants and parts of schemas.

use rulebook_model::call::Value;
use rulebook_model::describe::{openapi, typescript};
use serde_json::{Value as Json, json};

use super::{api_in, server_of};
use crate::client::{Request, TestServer};

const FOLDER: &str = "unions";

fn post(body: &Json) -> Request {
    Request::new("POST", "/events").body("application/json", body.to_string())
}

#[test]
fn errors_in_a_union_that_contains_itself_name_null_once() {
    let union = json!({ "info": "V", "type": "union", "of": ["int", "array<?V>", "?string(2,3)"] });
    let parameter = json!({ "v": { "info": "A value", "type": "V" } });
    let definition = json!({ "schemas": { "V": union }, "/": { "v": { "POST": { "info": "I", "in": parameter } } } });
    let api = rulebook_model::read(vec![("site.json".into(), definition.to_string().into_bytes())]).unwrap();
    let check = &api.modules[0].services[0].methods[0].parameters[0].r#type.check;
    for value in [json!(true), json!([true])] {
        let error = check.checked(Value::from(&value)).unwrap_err();
        assert_eq!(error.expected.matches("null").count(), 1, "{value}: {}", error.expected);
    }
    assert!(check.checked(Value::from(&json!([null, [null, 5]]))).is_ok());
}

#[test]
fn values_have_one_of_the_types_and_errors_name_the_path() {
    let server = server_of(FOLDER);
    let event = |event: Json| json!({ "event": event });
    let created = json!({ "type": "created", "id": 1, "by": "Ada" });
    for (body, error) in [
        (event(created.clone()), None),
        (event(json!({ "by": "Ada", "id": 1, "type": "created", "more": true })), None),
        (event(json!({ "type": "removed" })), None),
        (event(json!({ "type": "batch", "events": [created, { "type": "batch", "events": [] }] })), None),
        (
            event(json!({ "id": 1, "by": "Ada" })),
            Some("event.type in the body: expected one of created, removed, batch"),
        ),
        (event(json!({ "type": "Created" })), Some("event.type in the body: expected one of created, removed, batch")),
        (event(json!({ "type": ["created"] })), Some("event.type in the body: expected one of created")),
        (event(json!("created")), Some("event in the body: expected an object")),
        (event(json!({ "type": "created", "id": 1 })), Some("event.by in the body: expected a string")),
        (
            event(json!({ "type": "batch", "events": [{ "type": "removed", "reason": "new" }] })),
            Some("event.events[0].reason in the body: expected one of spam, old"),
        ),
        (
            event(json!({ "type": "batch", "events": [], "more": 1 })),
            Some("event.more in the body: expected no member"),
        ),
        (json!({ "title": "Hello" }), None),
        (json!({ "title": { "en": "Hello", "fr": "Bonjour" } }), None),
        (json!({ "title": { "en": "" } }), Some("title.en in the body: expected a string of 1 to 20 characters")),
        (
            json!({ "title": 1 }),
            Some("title in the body: expected a string of 1 to 20 characters, or an object, or null"),
        ),
        (json!({ "term": { "op": "plus", "terms": [1, { "op": "minus", "term": 2 }] } }), None),
        (
            json!({ "term": { "op": "plus", "terms": [1, { "op": "minus", "term": "2" }] } }),
            Some("term.terms[1].term in the body: expected"),
        ),
        (json!({ "term": { "op": "times" } }), Some("term.op in the body: expected one of plus, minus, got \"times\"")),
        (json!({ "term": {} }), Some("term.op in the body: expected one of plus, minus, got nothing")),
        (json!({ "settings": { "en": { "id": 1, "by": "x" } } }), None),
        (
            json!({ "settings": { "de": { "id": 1, "by": "x" } } }),
            Some("settings.de in the body: expected a member whose name is one of en, fr"),
        ),
        (json!({ "settings": { "en": { "id": 1 } } }), Some("settings.en.by in the body: expected")),
        (json!({ "change": {} }), None),
        (json!({ "change": { "by": "Eve" } }), None),
        (json!({ "change": { "by": "" } }), Some("change.by in the body: expected")),
        (json!({ "state": "draft" }), None),
        (json!({ "state": 1.0 }), None),
        (json!({ "state": true }), None),
        (json!({ "state": 2 }), Some("state in the body: expected")),
    ] {
        let response = server.send(&post(&body));
        let text = String::from_utf8_lossy(&response.body).replace("\\\"", "\"");
        match error {
            None => assert_eq!(response.status, 200, "{body}: {text}"),
            Some(error) => {
                assert_eq!(response.status, 400, "{body}: {text}");
                assert!(text.contains(error), "{body}: {text}");
            }
        }
    }
}

#[test]
fn texts_and_names_with_brackets_become_values_of_the_type_that_they_fit() {
    let server = server_of(FOLDER);
    for (query, expected) in [
        ("after=5", json!({ "after": 5 })),
        ("after={%22type%22:%22removed%22}", json!({ "after": { "type": "removed" } })),
        (
            "after[id]=7&after[by]=Ada&after[type]=created",
            json!({ "after": { "id": 7, "by": "Ada", "type": "created" } }),
        ),
        ("titles[a]=x&titles[b][en]=y", json!({ "titles": { "a": "x", "b": { "en": "y" } } })),
        ("titles={%22a%22:null}", json!({ "titles": { "a": null } })),
    ] {
        let response = server.send(&Request::new("GET", format!("/events?{query}")));
        let mut args = json!({ "after": null, "titles": null });
        args.as_object_mut().unwrap().extend(expected.as_object().cloned().unwrap());
        response.assert_args(&args);
    }
    let status = |query: &str| server.send(&Request::new("GET", format!("/events?{query}"))).status;
    for query in ["after=x", "after[id]=7", "after[type]=created&after[id]=x&after[by]=y", "titles[a][b][c]=d"] {
        assert_eq!(status(query), 400, "{query}");
    }
    assert_eq!(status(&format!("after{}=1", "[events][0]".repeat(40))), 413, "too many levels");
}

#[test]
fn a_constant_of_any_kind_in_brackets_says_of_which_type_an_object_is() {
    let object = |constant: &str| json!({ "info": "I", "fields": { "k": { "info": "K", "type": constant } } });
    let schemas = json!({
        "One": object("const(1)"), "Text": object("const(one)"), "Yes": object("const(true)"),
        "Cat": { "info": "I", "fields": { "name": { "info": "N", "type": "?string" } } }
    });
    let parameters = json!({
        "GET@u": { "info": "U", "type": "?union", "of": ["One", "Text", "Yes"] },
        "GET@l": { "info": "L", "type": "?array<union>", "items": { "of": ["One", "Yes"] } },
        "GET@t": { "info": "T", "type": "?union", "tag": "kind", "of": { "x-cat": { "type": "Cat" }, "$cat": { "type": "Cat" } } }
    });
    let definition = json!({ "schemas": schemas, "GET": { "info": "I", "in": parameters } });
    let server = TestServer::echo(&[("app.json", json!({})), ("test.json", definition)]);
    for (query, name, expected) in [
        ("u[k]=1", "u", json!({ "k": 1 })),
        ("u[k]=one", "u", json!({ "k": "one" })),
        ("u[k]=true", "u", json!({ "k": true })),
        ("l[0][k]=1&l[1][k]=true", "l", json!([{ "k": 1 }, { "k": true }])),
        // A value of a tag may begin like a comment, if its type is an object.
        ("t[kind]=x-cat", "t", json!({ "kind": "x-cat" })),
        ("t[kind]=$cat&t[name]=Ada", "t", json!({ "kind": "$cat", "name": "Ada" })),
    ] {
        let response = server.send(&Request::new("GET", format!("/?{query}")));
        let mut args = json!({ "u": null, "l": null, "t": null });
        args[name] = expected;
        response.assert_args(&args);
    }
    for query in ["u[k]=2", "u[k]=false", "l[0][k]=one", "t[kind]=cat"] {
        assert_eq!(server.send(&Request::new("GET", format!("/?{query}"))).status, 400, "{query}");
    }
}

#[test]
fn documents_describe_unions_and_maps() {
    let api = api_in(FOLDER);
    let document = openapi(&api);
    let schemas = &document["components"]["schemas"];
    let event = &schemas["Event"];
    let references: Vec<_> = event["oneOf"].as_array().unwrap().iter().map(|branch| &branch["$ref"]).collect();
    let component = |name: &str| json!(format!("#/components/schemas/{name}"));
    assert_eq!(references, [&component("Event.created"), &component("Removed"), &component("Event.batch")]);
    assert_eq!(schemas["Event.batch"]["additionalProperties"], json!(false));
    assert_eq!(schemas["Settings"]["propertyNames"]["enum"], json!(["en", "fr"]));
    let types = typescript(&api);
    for declaration in [
        "export type Event = Created & {",
        "export type TextArgument = string | { [name: string]: string } | null;",
        "export type Term = number | Sum | Negation;",
        "state?: \"draft\" | 1 | boolean | null;",
    ] {
        assert!(types.contains(declaration), "{declaration}: {types}");
    }
    let server = server_of(FOLDER);
    let page = String::from_utf8(server.send(&Request::new("GET", "/docs/schemas/Event.md")).body).unwrap();
    for part in [
        "an object whose type is created (Created), or removed (Removed), or batch (Batch)",
        "[`Created`]",
        "[`Removed`]",
        "[`Batch`]",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}
