//! Tests that the schemas of parameters match the values that types decode from texts.

use std::borrow::Cow;

use proptest::prelude::*;
use rulebook_model::describe::openapi;
use serde_json::{Value as Json, json};

use super::{engine_with_definition, validator};
use crate::client::{Request, TestServer};
use support::generate::{TypeCase, choices_up_to, type_case};

proptest! {
    #![proptest_config(support::random::cases(256))]

    /// The value that a type decodes from a valid text matches the schema of the parameter, at every location of a
    /// parameter.
    #[test]
    fn decoded_texts_match_the_schema_of_the_parameter(mut choices in choices_up_to(40)) {
        let TypeCase { term, attributes, value, text } = type_case(1, false, &mut choices);
        let mut parameter = json!({ "info": "I", "type": term, "name": "x" });
        parameter.as_object_mut().unwrap().extend(attributes);
        if let Some(value) = value {
            parameter["example"] = value;
        }
        let keys = ["URL#0", "GET@x", "HEADER@x", "COOKIE@x", "x"];
        let uris: serde_json::Map<_, _> =
            keys.iter().enumerate().map(|(number, key)| {
                (format!("u{number}"), json!({ "POST": { "info": "I", "in": { *key: parameter } } }))
            }).collect();
        let engine = engine_with_definition(&json!({ "modules": { "site": { "/": uris } } }));
        let document = openapi(engine.api());
        let check = &engine.api().modules[0].services[0].methods[0].parameters[0].r#type.check;
        let Some(text) = text else { return Ok(()) };
        let decoded = serde_json::to_value(check.decode(Cow::Borrowed(text))).unwrap();
        for own in super::operations(&document) {
            let of_form = own.operation_object.pointer("/requestBody/content/multipart~1form-data/schema");
            let own = own.operation_object["parameters"].get(0);
            let (schema, decoded) = match (own, of_form) {
                (_, Some(schema)) => (schema, json!({ "x": decoded })),
                (Some(own), None) => (
                    own.get("schema").unwrap_or_else(|| &own["content"]["application/json"]["schema"]),
                    decoded.clone(),
                ),
                (None, None) => panic!("{own:?} is not described"),
            };
            // An example of the type `any` is a text, so that it cannot be used here: a cookie cannot contain spaces,
            // and a segment cannot be empty.
            let is_any = term == "any" && !decoded.is_string();
            let is_no_cookie = own.is_some_and(|own| own["in"] == "cookie") && text.contains(' ');
            let is_no_segment = own.is_some_and(|own| own["in"] == "path") && text.is_empty();
            prop_assert!(is_any || is_no_cookie || is_no_segment || validator(&document, schema).is_valid(&decoded), "{decoded} of {schema}");
        }
    }
}

fn described_parameter(uri: &str, key: &str, term: &str, beside: &Json) -> Json {
    let mut own = json!({ "info": "I", "type": term, "name": "x" });
    own.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
    let document = super::openapi_of_uris(&json!({ uri: { "GET": { "info": "I", "in": { key: own } } } }));
    super::operations(&document).pop().unwrap().operation_object["parameters"][0].clone()
}

#[test]
fn list_parameters_have_the_style_in_which_the_server_reads_them() {
    let list = |at: &str, attributes: Json| {
        let own = described_parameter("a", at, "array<int>", &attributes);
        let json = own.get("content").is_some();
        format!("{} {} {}", own["style"], own["explode"], if json { "JSON" } else { "text" })
    };
    let (comma, other, json) =
        (json!({ "format": "explode" }), json!({ "format": "explode", "separator": ";" }), json!({ "format": "json" }));
    for (at, attributes, expected) in [
        ("GET@x", json!({}), r#""form" true text"#),
        ("GET@x", comma.clone(), r#""form" false text"#),
        ("GET@x", other.clone(), r#""form" true text"#),
        ("GET@x", json.clone(), "null null JSON"),
        ("HEADER@x", json!({}), "null null JSON"),
        ("HEADER@x", comma.clone(), r#""simple" false text"#),
        ("COOKIE@x", comma.clone(), r#""form" false text"#),
        ("COOKIE@x", other, "null null JSON"),
        ("URL#0", json!({}), "null null JSON"),
        ("URL#0", comma, r#""simple" false text"#),
    ] {
        assert_eq!(list(at, attributes.clone()), expected, "{at} {attributes}");
    }
}

#[test]
fn schemas_of_texts_exclude_what_their_location_cannot_contain() {
    for (at, term, expected) in [
        ("GET@x", "string", json!({ "type": "string" })),
        ("GET@x", "any", json!({ "type": "string" })),
        ("URL#0", "string", json!({ "type": "string", "minLength": 1 })),
        ("URL#0", "string(0,3)", json!({ "type": "string", "minLength": 1, "maxLength": 3 })),
        (
            "GET@x",
            "array<?int>",
            json!({
                "type": "array",
                "items": { "type": "integer", "minimum": i64::MIN, "maximum": i64::MAX },
                "minItems": 1
            }),
        ),
        (
            "GET@x",
            "array<string>",
            json!({
                "type": "array", "items": { "type": "string", "not": { "type": "string", "pattern": r"^\s*\[" } }, "minItems": 1
            }),
        ),
        ("GET@x", "?array<bool>", json!({ "type": "array", "items": { "type": "boolean" } })),
    ] {
        let mut schema = described_parameter("a", at, term, &json!({}))["schema"].take();
        schema.as_object_mut().unwrap().remove("examples");
        assert_eq!(schema, expected, "{at} {term}");
    }
    for (at, bad) in [("HEADER@x", " é"), ("COOKIE@x", "a;b"), ("URL#0", "")] {
        for (term, beside) in [("string", json!({})), ("enum", json!({ "range": [bad, "abc"] }))] {
            let schema = &described_parameter("a", at, term, &beside)["schema"];
            let validator = validator(&json!({}), schema);
            assert!(validator.is_valid(&json!("abc")) && !validator.is_valid(&json!(bad)), "{schema}");
        }
    }
}

#[test]
fn null_in_a_union_is_described_as_the_text_null() {
    let union = json!({ "of": ["int", "null"] });
    for (term, beside, valid) in [
        ("union", union.clone(), [json!(5), json!("null")]),
        ("array<union>", json!({ "items": union }), [json!([5, "null"]), json!(["null"])]),
    ] {
        let parameter = described_parameter("a", "GET@x", term, &beside);
        let validator = validator(&json!({}), &parameter["schema"]);
        for value in valid {
            assert!(validator.is_valid(&value), "{value}: {parameter}");
        }
        for value in [Json::Null, json!("nothing"), json!([null])] {
            assert!(!validator.is_valid(&value), "{value}: {parameter}");
        }
    }
}

#[test]
fn defaults_of_parameters_are_values_decoded_by_their_types() {
    for (term, default, expected) in [
        ("int", json!("5"), json!(5)),
        ("int", json!(5), json!(5)),
        ("string", json!("5"), json!("5")),
        ("truthy", json!("yes"), json!(true)),
        ("array<int>", json!("[1,2]"), json!([1, 2])),
    ] {
        let own = described_parameter("a", "GET@x", term, &json!({ "default": default }));
        assert_eq!((&own["schema"]["default"], &own["required"]), (&expected, &json!(false)), "{term} {default}");
    }
}

/// If a list is sent as JSON, the server also reads a single value as the only item of the list. The schema accepts
/// exactly these values. A JSON string arrives with its quotes, so that it is an item only of a list of any texts.
#[test]
fn a_single_value_in_place_of_a_list_is_accepted_as_documented() {
    let values = [
        "3",
        "-1",
        "1.5",
        "true",
        "null",
        "\"a\"",
        "\"2024-02-29\"",
        "{}",
        r#"{"a":1}"#,
        "[]",
        "[3]",
        "[[3]]",
        r#"[{"a":1}]"#,
    ];
    let types = [
        ("array<int>", json!({})),
        ("array<int>", json!({ "min": 2 })),
        ("array<int>", json!({ "format": "json" })),
        ("array<date>", json!({})),
        ("array<string>", json!({})),
        ("array<bool>", json!({})),
        ("array<object>", json!({})),
        ("array<filled_object>", json!({})),
        ("array<array<string>>", json!({})),
        ("array<array<int>>", json!({})),
        ("array<array<int>>", json!({ "items": { "format": "json" } })),
        ("array<loose_array<int>>", json!({})),
        ("array", json!({})),
        ("filled_array<float>", json!({ "min": 2 })),
        ("loose_array", json!({})),
        ("loose_array<date>", json!({})),
        ("loose_array<int>", json!({})),
        ("loose_array<int>", json!({ "min": 2 })),
        ("loose_array<object>", json!({})),
        ("loose_array<array<int>>", json!({})),
        ("array<numeric>", json!({})),
        ("array<truthy>", json!({})),
        ("array<loose_int>", json!({})),
    ];
    let mut failures = Vec::new();
    for (term, attributes) in types {
        let mut parameter = json!({ "info": "I", "type": term, "name": "x" });
        parameter.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
        let method = |key: &str| json!({ "info": "I", "in": { key: parameter } });
        let uris = json!({
            "query": { "GET": method("GET@x") },
            "header": { "GET": method("HEADER@X-X") },
            "cookie": { "GET": method("COOKIE@x") },
            "path": { "GET": method("URL#0") },
            "form": { "POST": method("x") }
        });
        let engine = engine_with_definition(&json!({ "modules": { "site": { "/": uris } } }));
        let document = openapi(engine.api());
        let server = TestServer::start(&engine);
        for operation in super::operations(&document) {
            let object = &operation.operation_object;
            let form = &object["requestBody"]["content"]["application/x-www-form-urlencoded"];
            let is_json = form["encoding"]["x"]["contentType"] == "application/json";
            let schema = match object["parameters"].get(0) {
                Some(parameter) => parameter.pointer("/content/application~1json/schema"),
                None => super::resolved(&document, &form["schema"]).pointer("/properties/x").filter(|_| is_json),
            };
            // Lists that are not sent as JSON have a field for each item.
            let Some(schema) = schema else { continue };
            for value in values {
                let encoded: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
                let request = match operation.path.trim_start_matches('/').split('/').next().unwrap() {
                    "query" => Request::new("GET", format!("/query?x={encoded}")),
                    "header" => Request::new("GET", "/header").field("x-x", value),
                    // The quotes of JSON are not allowed in a cookie.
                    "cookie" if value.contains('"') => continue,
                    "cookie" => Request::new("GET", "/cookie").field("cookie", format!("x={value}")),
                    "path" => Request::new("GET", format!("/path/{encoded}")),
                    _ => {
                        Request::new("POST", "/form").body("application/x-www-form-urlencoded", format!("x={encoded}"))
                    }
                };
                let (response, json) = (server.send(&request), serde_json::from_str::<Json>(value).unwrap());
                let is_valid = validator(&document, schema).is_valid(&json);
                // For `numeric`, the text `null` is null.
                let is_known = term.contains("numeric") && value == "null";
                if !is_known && is_valid != (response.status == 200) {
                    failures.push(format!(
                        "{term} {attributes} in {}: {value}: {} of {schema}",
                        operation.path, response.status
                    ));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}: {}", failures.len(), failures.join("\n"));
}
