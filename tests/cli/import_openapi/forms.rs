//! Tests of how the fields of forms are sent.

use serde_json::{Value as Json, json};

use super::losses::import;

const FORM: &str = "application/x-www-form-urlencoded";

/// Imports an operation whose body has these media types. Returns its parameters, and the losses without their
/// messages, with places in the media types.
fn import_body(content: &Json) -> (Json, Vec<String>) {
    let responses = json!({ "204": { "description": "No Content" } });
    let operation = json!({ "requestBody": { "required": true, "content": content }, "responses": responses });
    let schemas = json!({ "Ids": { "type": "array", "items": { "type": "integer" } } });
    let (_, module, losses) = import(&json!({ "/p": { "post": operation } }), &schemas);
    let losses = losses.iter().map(|loss| loss.replace("/paths/~1p/post/requestBody/content/", ""));
    (module["/"]["p"]["POST"]["in"].clone(), losses.collect())
}

/// Returns the schema of an object with a field `a`.
fn object(field: &Json) -> Json {
    json!({ "type": "object", "required": ["a"], "properties": { "a": field } })
}

#[test]
fn the_style_of_a_field_is_expressed_or_reported_at_its_place() {
    let array = json!({ "type": "array", "items": { "type": "integer" } });
    let plain = json!({ "info": "a", "type": "array<int>" });
    let exploded = json!({ "info": "a", "type": "array<int>", "format": "explode" });
    let separated =
        |separator: &str| json!({ "info": "a", "type": "array<int>", "format": "explode", "separator": separator });
    let map = json!({ "info": "a", "type": "map<int>" });
    let named = json!({ "info": "a", "type": "Ids" });
    let reference = json!({ "$ref": "#/components/schemas/Ids" });
    let object_of_numbers = json!({ "type": "object", "additionalProperties": { "type": "integer" } });
    for (field, encoding, expected, losses) in [
        (&array, json!({ "style": "form", "explode": false }), &exploded, &[][..]),
        (&array, json!({ "explode": false }), &exploded, &[]),
        (&array, json!({ "style": "form", "explode": true }), &plain, &[]),
        (&array, json!({ "style": "form" }), &plain, &[]),
        (&array, json!({ "style": "pipeDelimited" }), &separated("|"), &[]),
        (&array, json!({ "style": "spaceDelimited", "explode": false }), &separated(" "), &[]),
        (&array, json!({ "style": "unheard" }), &plain, &["style {}/encoding/a"]),
        (
            &array,
            json!({ "contentType": "text/plain" }),
            &plain,
            &["content-type, accepts more {}/encoding/a/contentType"],
        ),
        (&array, json!({ "headers": { "X-A": {} } }), &plain, &[]),
        (&array, json!({ "allowReserved": true }), &plain, &["style {}/encoding/a/allowReserved"]),
        (&object_of_numbers, json!({ "style": "deepObject" }), &map, &[]),
        (&object_of_numbers, json!({ "style": "form" }), &map, &["style {}/encoding/a"]),
        (&reference, json!({ "explode": false }), &named, &["style {}/encoding/a"]),
        (&reference, json!({ "explode": true }), &named, &[]),
    ] {
        let content = json!({ FORM: { "schema": object(field), "encoding": { "a": encoding } } });
        let (parameters, found) = import_body(&content);
        let losses: Vec<String> = losses.iter().map(|loss| loss.replace("{}", &FORM.replace('/', "~1"))).collect();
        assert_eq!((&parameters["a"], found), (expected, losses), "{content}");
    }
}

#[test]
fn the_style_of_a_form_next_to_json_is_expressed_and_of_one_next_to_files_is_reported() {
    let schema = object(&json!({ "type": "array", "items": { "type": "integer" } }));
    let form = json!({ "schema": schema, "encoding": { "a": { "explode": false } } });
    for (other, format, losses) in [
        ("application/json", json!("explode"), &[][..]),
        ("multipart/form-data", json!(null), &["content-type application~1x-www-form-urlencoded/encoding"]),
    ] {
        let (parameters, found) = import_body(&json!({ other: { "schema": schema }, FORM: form }));
        assert_eq!(
            (&parameters["a"]["format"], found.as_slice()),
            (&format, &losses.iter().map(|loss| (*loss).to_owned()).collect::<Vec<_>>()[..]),
            "{other}"
        );
    }
}

#[test]
fn the_style_of_a_field_that_the_form_does_not_have_is_reported() {
    let schema = object(&json!({ "type": "string" }));
    let content = json!({ FORM: { "schema": schema, "encoding": { "b": { "explode": false } } } });
    assert_eq!(import_body(&content).1, ["unknown application~1x-www-form-urlencoded/encoding/b"]);
}
