//! Tests that the schemas of parameters match the values that types decode from texts.

use std::borrow::Cow;

use proptest::prelude::*;
use rulebook_model::describe::openapi;
use serde_json::{Value as Json, json};

use super::{engine_with_definition, validator};
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
    for (at, bad) in [("HEADER@x", " é"), ("COOKIE@x", "a;b")] {
        let schema = &described_parameter("a", at, "string", &json!({}))["schema"];
        let validator = validator(&json!({}), schema);
        assert!(validator.is_valid(&json!("abc")) && !validator.is_valid(&json!(bad)), "{schema}");
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
