//! Tests that the examples in an OpenAPI document match the schemas next to them, and that required parameters have
//! examples.

use std::path::Path;

use proptest::prelude::*;
use rulebook_model::describe::openapi;
use serde_json::{Map, Value as Json, json};

use super::{engine_of_folder, operations, resolved, validator};
use support::generate::{choices_up_to, method};

/// Checks that the examples and the default in a schema and in its nested schemas match the schema.
fn assert_schema_examples(document: &Json, schema: &Json) {
    for example in schema["examples"].as_array().into_iter().flatten().chain(schema.get("default")) {
        assert!(validator(document, schema).is_valid(example), "{example} does not match {schema}");
    }
    let members = ["properties"].into_iter().flat_map(|key| schema[key].as_object().into_iter().flat_map(Map::values));
    members.chain(schema.get("items")).for_each(|part| assert_schema_examples(document, part));
}

/// Checks the examples of an object that has a schema, such as a Parameter Object.
fn assert_examples_match(document: &Json, beside: &Json) {
    let named = beside["examples"].as_object().into_iter().flat_map(Map::values).map(|own| &own["value"]);
    let all: Vec<_> = beside.get("example").into_iter().chain(named).collect();
    if !all.is_empty() {
        let validator = validator(document, &beside["schema"]);
        for example in all {
            assert!(validator.is_valid(example), "{example} does not match {}", beside["schema"]);
        }
    }
    assert_schema_examples(document, resolved(document, &beside["schema"]));
}

fn assert_all_examples_match(document: &Json) {
    for operation in operations(document) {
        for own in operation.operation_object["parameters"].as_array().into_iter().flatten() {
            assert_examples_match(document, own);
            let contents = own["content"].as_object().into_iter().flat_map(Map::values);
            contents.for_each(|content| assert_examples_match(document, content));
        }
        let bodies = operation.operation_object["requestBody"]["content"].as_object().into_iter().flat_map(Map::values);
        bodies.for_each(|content| assert_examples_match(document, content));
        for response in operation.operation_object["responses"].as_object().unwrap().values() {
            let contents = resolved(document, response)["content"].as_object().into_iter().flat_map(Map::values);
            contents.for_each(|content| assert_examples_match(document, content));
        }
    }
}

#[test]
fn examples_of_the_demo_match_their_schemas() {
    for folder in [
        "api",
        "crates/rulebook-model/tests/definitions/good/everything",
        "crates/rulebook-model/tests/definitions/good/site",
    ] {
        assert_all_examples_match(&openapi(engine_of_folder(Path::new(folder)).api()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..support::random::cases(48) })]

    #[test]
    fn examples_of_any_method_match_their_schemas(mut choices in choices_up_to(80)) {
        let http = ["GET", "POST"][choices.below(2)];
        assert_all_examples_match(&super::openapi_of_uris(&json!({ "a": { http: method(http, 1, &mut choices) } })));
    }
}

#[test]
fn values_that_a_cookie_cannot_contain_are_not_examples_of_cookies() {
    assert_all_examples_match(&super::openapi_of_uris(&json!({ "a": { "GET": { "info": "I", "in": {
        "COOKIE@any": { "info": "I", "type": "any", "example": { "a": [1, null] } }
    } } } })));
}

#[test]
fn numbers_are_examples_of_items_that_can_also_be_texts() {
    assert_all_examples_match(&super::openapi_of_uris(&json!({ "a": { "GET": { "info": "I", "in": {
        "GET@list": { "info": "I", "type": "array<loose_int>", "example": [1] }
    } } } })));
}

#[test]
fn examples_of_the_type_any_are_the_texts_that_clients_send() {
    for (term, callback) in [("any", false), ("callable", true), ("array<any>", false), ("array", false)] {
        let mut own = json!({ "info": "I", "type": term, "example": [1], "default": [[1], 2] });
        if callback {
            own["callback"] = json!("Class::method");
        }
        for key in ["URL#0", "GET@x", "HEADER@X-X", "COOKIE@x", "x"] {
            let method = json!({ "info": "I", "in": { key: own } });
            let document = super::openapi_of_uris(&json!({ "a": { "POST": method } }));
            assert_all_examples_match(&document);
            let shown = document.to_string();
            let is_list = term.starts_with("array");
            assert!(
                is_list || !matches!(key, "URL#0" | "GET@x") || shown.contains(r#""default":"[[1],2]""#),
                "{shown}"
            );
        }
    }
}

#[test]
fn only_required_parameters_have_examples() {
    let document = super::openapi_of_uris(&json!({ "a": { "POST": {
        "info": "I",
        "in": {
            "URL#0": { "info": "I", "type": "?id", "name": "which" },
            "GET@needed": { "info": "I", "type": "enum(small|large)" },
            "GET@shown": { "info": "I", "type": "?int", "example": 7 },
            "GET@left": { "info": "I", "type": "?int" },
            "GET@given": { "info": "I", "type": "int", "default": "5" },
            "HEADER@X-List": { "info": "I", "type": "array<int>" },
            "title": { "info": "I", "type": "string" },
            "size": { "info": "I", "type": "?int", "example": 3 },
            "note": { "info": "I", "type": "?string" }
        },
        "out": {
            "id": { "info": "I", "type": "id", "example": 23 },
            "lines": { "info": "I", "type": "array<object>", "fields": { "no": { "info": "I", "type": "int(1,9)" } } },
            "note": { "info": "I", "type": "?string" }
        }
    } } }));
    let all = operations(&document);
    let operation = &all.iter().find(|own| own.id == "site.a.post" || own.id == "a.post").unwrap().operation_object;
    let filled = |own: &Json| {
        let sent = own.get("example").or_else(|| own["content"]["application/json"].get("example"));
        (own["name"].as_str().unwrap().to_owned(), sent.cloned())
    };
    let filled: Vec<_> = operation["parameters"].as_array().unwrap().iter().map(filled).collect();
    let expected = [
        ("which", Some(json!(1))),
        ("needed", Some(json!("small"))),
        ("shown", None),
        ("left", None),
        ("given", None),
        ("x-list", Some(json!([1]))),
    ];
    assert_eq!(filled, expected.map(|(name, value)| (name.to_owned(), value)));
    let content = &operation["requestBody"]["content"];
    for media_type in ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"] {
        assert_eq!(content[media_type]["example"], json!({ "title": "text", "size": 3 }), "{media_type}");
    }
    assert_eq!(
        operation["responses"]["200"]["content"]["application/json"]["examples"]["success"]["value"],
        json!({ "error": 0, "ErrorDescription": "all right", "id": 23, "lines": [{ "no": 5 }], "note": "text" })
    );
}

#[test]
fn examples_of_objects_in_header_fields_and_cookies_are_ascii() {
    let object = json!({
        "info": "O", "type": "object", "example": { "name": "Zoë" },
        "fields": { "name": { "info": "N", "type": "string" } }
    });
    for (key, is_ascii) in [("HEADER@X-Place", true), ("COOKIE@place", true), ("GET@place", false)] {
        let text = json!({ "/": { "a": { "GET": { "info": "A", "in": { (key): object } } } } }).to_string();
        let api = rulebook_model::read(vec![("a.json".into(), text.into_bytes())]).unwrap();
        let method = &api.modules[0].services[0].methods[0];
        let example = rulebook_model::describe::example::parameter_example(method, &method.parameters[0]).unwrap();
        assert_eq!(example.to_string().is_ascii(), is_ascii, "{key}: {example}");
    }
}
