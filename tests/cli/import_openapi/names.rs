//! Tests of the names of members that become fields, outputs and parameters.

use serde_json::{Value as Json, json};

use super::losses::{get, import};
use super::{files_in, import_text, run_program, special_losses};

/// Returns paths with an operation that has this JSON body.
fn post(schema: &Json) -> Json {
    let content = json!({ "application/json": { "schema": schema } });
    let responses = json!({ "204": { "description": "No Content" } });
    json!({ "/p": { "post": { "requestBody": { "required": true, "content": content }, "responses": responses } } })
}

fn object(names: &[&str]) -> Json {
    let properties: serde_json::Map<String, Json> =
        names.iter().map(|name| ((*name).to_owned(), json!({ "type": "integer" }))).collect();
    json!({ "type": "object", "required": names, "properties": properties })
}

#[test]
fn members_whose_names_begin_like_comments_become_fields_outputs_and_parameters() {
    let names = ["x-k", "$ref", "$schema", "$origin", "@type", "user@host", "{open", "#"];
    let mut closed = object(&names);
    closed["additionalProperties"] = false.into();
    let content = json!({ "application/json": { "schema": object(&names) } });
    let mut paths = post(&object(&names));
    paths["/p"]["post"]["responses"] = json!({ "200": { "description": "OK", "content": content } });
    let (app, module, losses) = import(&paths, &json!({ "S": closed }));
    let keys = |object: &Json| object.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let method = &module["/"]["p"]["POST"];
    assert_eq!(keys(&app["schemas"]["S"]["fields"]), names);
    assert_eq!(app["schemas"]["S"]["closed"], true);
    assert_eq!((keys(&method["in"]), keys(&method["out"])), (names.map(str::to_owned).into(), keys(&method["in"])));
    assert_eq!(losses, [""; 0]);
}

#[test]
fn fields_of_a_body_with_blanks_have_another_name_in_code() {
    let (_, module, losses) = import(&post(&object(&["x y"])), &json!({}));
    assert_eq!(module["/"]["p"]["POST"]["in"]["x y"]["name"], "x_y");
    assert_eq!(losses, [""; 0]);
}

#[test]
fn a_json_body_whose_members_cannot_be_parameters_is_the_whole_body() {
    for name in ["*", "{id}", "GET@x", "URL#0", "a[]"] {
        let (_, module, losses) = import(&post(&object(&[name])), &json!({}));
        assert_eq!(module["/"]["p"]["POST"]["in"]["*"]["fields"][name]["type"], "int", "{name}");
        assert_eq!(losses, [""; 0], "{name}");
    }
    // A form has no whole body.
    let mut paths = post(&object(&["a", "GET@x"]));
    let content = &mut paths["/p"]["post"]["requestBody"]["content"];
    *content = json!({ "application/x-www-form-urlencoded": content["application/json"] });
    let (_, module, losses) = import(&paths, &json!({}));
    assert_eq!(module["/"]["p"]["POST"]["in"].as_object().unwrap().keys().collect::<Vec<_>>(), ["a"]);
    let place = "/paths/~1p/post/requestBody/content/application~1x-www-form-urlencoded/schema/properties/GET@x";
    assert_eq!(losses, [format!("name, accepts more {place}")]);
}

#[test]
fn an_object_with_a_member_that_cannot_be_a_field_is_open() {
    let name = "name, accepts more /components/schemas/S/properties/x y";
    let closing = "keyword, accepts more /components/schemas/S/additionalProperties";
    let any = "name /components/schemas/S/properties/x y";
    for (schema, losses) in [
        (json!({ "properties": { "a": {}, "x y": { "type": "integer" } } }), &[name][..]),
        (json!({ "properties": { "x y": {} }, "required": ["x y"] }), &[name]),
        (json!({ "properties": { "a": {}, "x y": {} } }), &[any]),
        (
            json!({ "properties": { "a": {}, "x y": { "type": "integer" } }, "additionalProperties": false }),
            &[name, closing],
        ),
        (json!({ "properties": { "x y": {} }, "additionalProperties": false }), &[any, closing]),
    ] {
        let mut schema = schema;
        schema["type"] = "object".into();
        let (app, _, found) = import(&get(&json!({})), &json!({ "S": schema }));
        let converted = &app["schemas"]["S"];
        assert_eq!((converted.get("closed"), converted.get("max")), (None, None), "{schema}");
        assert_eq!(found, losses, "{schema}");
    }
}

#[test]
fn values_of_a_discriminator_that_begin_like_comments_select_their_branches() {
    let branch = |tag: &str| json!({ "type": "object", "required": ["t"], "properties": { "t": { "const": tag } } });
    let either = json!({
        "oneOf": [{ "$ref": "#/components/schemas/A" }, { "$ref": "#/components/schemas/B" }],
        "discriminator": {
            "propertyName": "t", "mapping": { "x-a": "#/components/schemas/A", "$b": "#/components/schemas/B" }
        }
    });
    let schemas = json!({ "A": branch("x-a"), "B": branch("$b"), "S": either });
    let (app, _, losses) = import(&get(&json!({})), &schemas);
    assert_eq!(app["schemas"]["S"]["of"], json!({ "x-a": { "type": "A" }, "$b": { "type": "B" } }));
    assert_eq!(losses, [""; 0]);
}

#[test]
fn modules_of_long_tags_have_different_names_of_files_and_are_named() {
    let tags = ["x".repeat(300), "x".repeat(301), "\u{e9}".repeat(200), format!("y{}", "\u{4e16}".repeat(100))];
    let operation = |tag: &String| json!({ "tags": [tag], "responses": { "204": { "description": "No Content" } } });
    let paths: serde_json::Map<String, Json> =
        tags.iter().enumerate().map(|(index, tag)| (format!("/p{index}"), json!({ "get": operation(tag) }))).collect();
    let text = json!({ "openapi": "3.1.0", "info": { "title": "A", "version": "1" }, "paths": paths }).to_string();
    let (folder, result) = import_text("api.json", &text);
    assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""));
    let x = "x".repeat(200);
    let names = [x.clone(), format!("{x}_2"), "\u{e9}".repeat(100), format!("y{}", "\u{4e16}".repeat(66))];
    let files = files_in(&folder.path().join("api"));
    let losses = special_losses(folder.path());
    for (index, (tag, name)) in tags.iter().zip(&names).enumerate() {
        let module: Json = serde_json::from_str(&files[&format!("{name}.json")]).unwrap();
        assert_eq!(module["info"], **tag);
        let loss = format!("name: /paths/~1p{index}/get/tags/0: the tag is too long: the module is `{name}`");
        assert_eq!(losses.lines().nth(index), Some(loss.as_str()));
    }
    assert_eq!((files.len(), losses.lines().count()), (5, 4), "{losses}");
    assert_eq!(run_program(folder.path(), &["check"]).exit_code, Some(0));
}
