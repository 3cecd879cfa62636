//! Tests that losses say whether the definition accepts more or fewer values than the description.

use serde_json::{Value as Json, json};

use super::losses::{get, import};

/// Returns the converted schema `S` of these schemas, and the losses without their messages, with places in the schema.
pub(super) fn import_schema(schemas: &Json) -> (Json, Vec<String>) {
    let (app, _, losses) = import(&get(&json!({})), schemas);
    let losses = losses.iter().map(|loss| loss.replace("/components/schemas/", ""));
    (app["schemas"]["S"].clone(), losses.collect())
}

#[test]
fn types_that_are_replaced_by_any_accept_more() {
    let cat = |kind: &str| json!({ "type": "object", "required": ["k"], "properties": { "k": { "const": kind } } });
    let either = json!({
        "oneOf": [{ "$ref": "#/components/schemas/A" }, { "$ref": "#/components/schemas/B" }],
        "discriminator": { "propertyName": "k" }
    });
    for schema in [
        json!({ "type": "string", "minLength": 2, "maxLength": 0 }),
        json!({ "type": "object", "additionalProperties": false, "minProperties": 1 }),
        either,
    ] {
        let (converted, losses) = import_schema(&json!({ "A": cat("x"), "B": cat("y"), "S": schema }));
        assert_eq!(converted["type"], "any", "{schema}");
        assert_eq!(losses, ["type, accepts more S"], "{schema}");
    }
}

#[test]
fn branches_without_a_type_that_become_objects_or_arrays_accept_fewer() {
    let text = json!({ "type": "string" });
    let object = json!({ "type": "object", "properties": { "x": text } });
    let required = json!({ "required": ["a"] });
    for (schema, losses) in [
        (
            json!({ "oneOf": [text, required] }),
            &["union, accepts more S/oneOf", "keyword, accepts fewer S/oneOf/1"][..],
        ),
        (json!({ "anyOf": [text, required] }), &["keyword, accepts fewer S/anyOf/1"]),
        (json!({ "oneOf": [object, required] }), &["union, accepts more S/oneOf", "keyword, accepts fewer S/oneOf/1"]),
        (
            json!({ "anyOf": [text, { "properties": { "a": text } }, object] }),
            &["union, accepts more S/anyOf", "keyword, accepts fewer S/anyOf/1"],
        ),
        (
            json!({ "oneOf": [{ "type": "array" }, { "minItems": 1 }] }),
            &["union, accepts more S/oneOf", "keyword, accepts fewer S/oneOf/1"],
        ),
        (
            json!({ "properties": { "a": text }, "oneOf": [text, { "type": "integer" }] }),
            &["keyword, accepts fewer S", "constraint, accepts more S/oneOf"],
        ),
    ] {
        let (_, found) = import_schema(&json!({ "S": schema }));
        assert_eq!(found, losses, "{schema}");
    }
}

#[test]
fn the_type_next_to_constants_and_branches_is_expressed_or_reported() {
    let number = json!({ "type": "number" });
    for (schema, converted, losses) in [
        (
            json!({ "enum": [1, 1.5], "type": "integer" }),
            json!({ "type": "const", "value": 1 }),
            &["keyword S/enum/1"][..],
        ),
        (json!({ "enum": ["a", null], "type": ["string", "null"] }), json!({ "type": "const", "value": "a" }), &[]),
        (
            json!({ "enum": ["a", null], "type": "string" }),
            json!({ "type": "const", "value": "a" }),
            &["keyword, accepts more S/enum"],
        ),
        (
            json!({ "enum": ["a", 2, true], "type": "string" }),
            json!({ "type": "enum", "range": ["a", "2", "true"] }),
            &["keyword, accepts more S/enum/1", "keyword, accepts more S/enum/2"],
        ),
        (
            json!({ "enum": [1, "2", "x"], "type": "integer" }),
            json!({ "type": "union", "of": [{ "type": "const", "value": 1 }, { "type": "const", "value": 2 }] }),
            &["keyword, accepts more S/enum/1", "keyword S/enum/2"],
        ),
        (
            json!({ "const": 1.5, "type": "integer" }),
            json!({ "type": "const", "value": 1.5 }),
            &["keyword, accepts more S/type"],
        ),
        (
            json!({ "allOf": [number], "type": "integer" }),
            json!({ "type": "float" }),
            &["keyword, accepts more S/type"],
        ),
        (
            json!({ "anyOf": [number, { "type": "string" }], "type": ["integer", "string"] }),
            json!({ "type": "union", "of": ["float", "string"] }),
            &["keyword, accepts more S/type"],
        ),
    ] {
        let (mut found, found_losses) = import_schema(&json!({ "S": schema }));
        found.as_object_mut().unwrap().remove("info");
        assert_eq!(found, converted, "{schema}");
        assert_eq!(found_losses, losses, "{schema}");
    }
}

#[test]
fn media_types_of_parts_of_a_body_that_are_not_checked_accept_more() {
    let body = |encoding: Json| {
        let binary = json!({ "type": "string", "format": "binary" });
        let schema = json!({ "type": "object", "required": ["photo"], "properties": { "photo": binary } });
        let content = json!({ "multipart/form-data": { "schema": schema, "encoding": { "photo": encoding } } });
        let mut paths = get(&json!({ "requestBody": { "required": true, "content": content } }));
        let operation = paths["/p"].as_object_mut().unwrap().remove("get").unwrap();
        paths["/p"]["post"] = operation;
        import(&paths, &json!({})).2
    };
    let place = "/paths/~1p/post/requestBody/content/multipart~1form-data/encoding";
    assert_eq!(body(json!({ "contentType": "image/png" })), [format!("content-type, accepts more {place}")]);
    assert_eq!(body(json!({ "style": "form" })), [format!("content-type {place}")]);
}

#[test]
fn branches_of_one_of_that_are_equal_or_accept_null_twice_accept_more() {
    let word = json!({ "type": "string", "enum": ["x"] });
    let or_null = |name: &str| json!({ "type": [name, "null"] });
    for (schema, losses) in [
        (json!({ "oneOf": [word, word, { "type": "boolean" }] }), &["union, accepts more S/oneOf/1"][..]),
        (json!({ "anyOf": [word, word, { "type": "boolean" }] }), &[]),
        (json!({ "oneOf": [or_null("string"), or_null("boolean")] }), &["union, accepts more S/oneOf"]),
        (json!({ "oneOf": [or_null("string"), { "type": "null" }] }), &["union, accepts more S/oneOf"]),
        (json!({ "anyOf": [or_null("string"), or_null("boolean")] }), &[]),
        (json!({ "oneOf": [or_null("string"), { "type": "boolean" }] }), &[]),
        (json!({ "oneOf": [{ "type": "null" }, {}] }), &["union, accepts more S/oneOf"]),
    ] {
        let (_, found) = import_schema(&json!({ "S": schema }));
        assert_eq!(found, losses, "{schema}");
    }
}

#[test]
fn a_condition_about_members_that_can_be_null_is_omitted_also_if_they_have_no_type() {
    // In a definition, a member that is null counts as missing.
    for nullable in [json!({}), json!(true), json!({ "type": ["string", "null"] })] {
        let schema = json!({
            "type": "object", "properties": { "a": nullable, "b": { "type": "string" } },
            "anyOf": [{ "required": ["a"] }, { "required": ["b"] }]
        });
        let (found, losses) = import_schema(&json!({ "S": schema }));
        assert_eq!(found.get("constraints"), None, "{schema}");
        assert_eq!(losses, ["constraint, accepts more S/anyOf"], "{schema}");
    }
}

#[test]
fn formats_whose_types_accept_more_and_lists_without_constants_accept_more() {
    let date_time = json!({ "type": "string", "format": "date-time" });
    for (schema, losses) in [
        (date_time.clone(), &["format, accepts more S/format"][..]),
        (json!({ "type": "array", "items": date_time }), &["format, accepts more S/items/format"]),
        (json!({ "type": "string", "format": "date" }), &[]),
        (json!({ "type": "string", "format": "ipv4" }), &["format, accepts more S/format"]),
        (json!({ "enum": [] }), &["keyword, accepts more S/enum"]),
        (json!({ "type": "string", "enum": [] }), &["keyword, accepts more S/enum"]),
        (json!({ "enum": [null] }), &[]),
    ] {
        let (_, found) = import_schema(&json!({ "S": schema }));
        assert_eq!(found, losses, "{schema}");
    }
}

#[test]
fn keywords_without_an_effect_on_values_of_the_type_are_named() {
    for (schema, losses) in [
        (json!({ "type": "string", "minimum": 5 }), &["keyword S/minimum"][..]),
        (json!({ "type": "integer", "minLength": 5, "pattern": "a" }), &["keyword S/minLength", "keyword S/pattern"]),
        (json!({ "type": "object", "items": { "type": "string", "format": "x" } }), &["keyword S/items"]),
        (json!({ "type": "array", "properties": { "a": { "multipleOf": 2 } } }), &["keyword S/properties"]),
        (json!({ "type": ["boolean", "null"], "maxItems": 1 }), &["keyword S/maxItems"]),
        (json!({ "type": "integer", "minLength": 0, "items": {}, "required": [] }), &[]),
    ] {
        let (_, found) = import_schema(&json!({ "S": schema }));
        assert_eq!(found, losses, "{schema}");
    }
}

#[test]
fn decimal_numbers_keep_their_digits() {
    let decimal = |pattern: &str| json!({ "type": "string", "format": "decimal", "pattern": pattern });
    for (schema, r#type, min) in [
        (decimal(r"^-?(?:0|[1-9][0-9]{0,7})(?:\.[0-9]{1,2})?$"), "decimal(10,2)", Json::Null),
        (decimal(r"^(?:0|[1-9][0-9]{0,7})(?:\.[0-9]{1,2})?$"), "decimal(10,2)", json!(0)),
        (decimal("^-?[0-9]$"), "decimal(1,0)", Json::Null),
    ] {
        let (converted, losses) = import_schema(&json!({ "S": schema }));
        assert_eq!((&converted["type"], &converted["min"]), (&json!(r#type), &min), "{schema}");
        assert_eq!(losses, [""; 0], "{schema}");
    }
    let (converted, losses) = import_schema(&json!({ "S": { "type": "string", "format": "decimal" } }));
    assert_eq!((&converted["type"], losses), (&json!("string"), vec!["format, accepts more S/format".to_owned()]));
}
