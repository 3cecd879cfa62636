//! Tests of request bodies that are not objects with fields.

use std::fs;

use rulebook_model::describe::openapi;
use rulebook_model::model::{Api, Parameter};
use serde_json::{Value as Json, json};

use super::{import_text, special_losses};

/// Imports a description, and returns its API and its losses.
fn import(description: &Json) -> (Api, String) {
    let (folder, result) = import_text("api.json", &description.to_string());
    assert_eq!(result.exit_code, Some(0), "{}", result.stderr);
    let files = fs::read_dir(folder.path().join("api")).unwrap().map(|entry| entry.unwrap().path());
    let files = files.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    (rulebook_model::read(files).unwrap(), special_losses(folder.path()))
}

/// Imports an operation with this request body, and returns its parameters and the losses.
fn import_body(body: &Json) -> (Vec<Parameter>, String) {
    let operation = json!({
        "parameters": [{ "name": "body", "in": "query", "schema": { "type": "string" } }],
        "requestBody": body, "responses": { "204": { "description": "No Content" } }
    });
    let (api, losses) = import(&json!({
        "openapi": "3.1.0", "info": { "title": "Bodies", "version": "1" }, "paths": { "/a": { "put": operation } }
    }));
    (api.modules[0].services[0].methods[0].parameters.clone(), losses)
}

#[test]
fn a_json_body_that_is_not_an_object_with_fields_is_the_whole_body() {
    let required = |schema: Json| json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    for (body, written, is_optional) in [
        (required(json!({ "type": "array", "items": { "type": "integer" } })), "array<int>", false),
        (required(json!({ "type": "string", "maxLength": 5 })), "string(0,5)", false),
        (required(json!({ "type": "object", "additionalProperties": { "type": "boolean" } })), "map<bool>", false),
        (required(json!({ "type": "object" })), "object", false),
        (required(json!({})), "any", false),
        (required(json!({ "oneOf": [{ "type": "string" }, { "type": "integer" }] })), "union", false),
        (json!({ "content": { "application/x+json": { "schema": { "type": "boolean" } } } }), "bool", true),
    ] {
        let (parameters, losses) = import_body(&body);
        let whole = parameters.iter().find(|parameter| parameter.is_whole_body()).unwrap();
        assert_eq!((whole.r#type.written.term.as_str(), whole.optional), (written, is_optional), "{body}");
        assert_eq!(whole.name, "body_2", "another parameter has the name: {body}");
        let null = if is_optional { ": the body can also be null\n" } else { "" };
        assert!(losses.ends_with(null) && losses.lines().count() == usize::from(is_optional), "{body}: {losses}");
    }
}

#[test]
fn the_description_the_default_and_the_example_of_a_body_are_imported() {
    let schema = json!({ "type": "array", "items": { "type": "integer" }, "default": [1] });
    let content = json!({ "application/json": { "schema": schema, "example": [2] }, "text/csv": { "schema": {} } });
    let (parameters, losses) = import_body(&json!({ "description": "All numbers", "content": content }));
    let whole = parameters.iter().find(|parameter| parameter.is_whole_body()).unwrap();
    assert_eq!((whole.info.as_str(), &whole.default), ("All numbers", &Some(json!([1]))));
    assert_eq!(whole.example, Some(json!([2])));
    assert!(losses.contains("text~1csv: the body is imported as `application/json`"), "{losses}");
}

#[test]
fn forms_that_are_not_objects_are_omitted() {
    let schema = json!({ "type": "array", "items": { "type": "integer" } });
    let content = json!({ "application/x-www-form-urlencoded": { "schema": schema } });
    let (parameters, losses) = import_body(&json!({ "content": content }));
    assert_eq!(parameters.len(), 1);
    assert!(losses.starts_with("body: ") && losses.contains("it is omitted"), "{losses}");
}

#[test]
fn a_body_that_is_neither_json_nor_a_form_is_a_file() {
    let binary = || json!({ "schema": { "type": "string", "format": "binary" } });
    for (content, range, loss) in [
        (json!({ "image/png": binary(), "image/jpeg": {} }), json!(["image/png", "image/jpeg"]), ""),
        (json!({ "application/octet-stream": binary() }), json!(null), ""),
        (json!({ "text/plain; charset=utf-8": { "schema": { "type": "string" } } }), json!(["text/plain"]), ""),
        (json!({ "text/csv": binary() }), json!(null), "accepts more: "),
    ] {
        let (parameters, losses) = import_body(&json!({ "required": true, "description": "It", "content": content }));
        let file = parameters.iter().find(|parameter| parameter.is_raw_body()).unwrap();
        assert_eq!((file.info.as_str(), file.optional), ("It", false), "{content}");
        let written = file.r#type.written.attributes.get("range").cloned().unwrap_or_default();
        assert_eq!(written, range, "{content}");
        assert!(losses.contains(loss) && losses.is_empty() == loss.is_empty(), "{content}: {losses}");
    }
    let content = json!({ "application/xml": { "schema": { "type": "object" } } });
    let (parameters, losses) = import_body(&json!({ "content": content }));
    assert_eq!(parameters.len(), 1);
    assert!(losses.starts_with("body: ") && losses.contains("it is omitted"), "{losses}");
}

#[test]
fn the_openapi_document_of_a_whole_body_is_imported_as_this_body() {
    let folder = "crates/rulebook-model/tests/definitions/good/whole-body";
    let original = rulebook::Rulebook::load(folder).check().unwrap_or_else(|report| panic!("{report}"));
    let (imported, _) = import(&openapi(&original));
    let bodies = |api: &Api| {
        let methods = api.modules.iter().flat_map(|module| &module.services).flat_map(|service| &service.methods);
        let whole = methods.filter_map(|method| method.parameters.iter().find(|one| one.is_whole_body()));
        let mut all: Vec<_> = whole.map(|one| (one.info.clone(), one.optional)).collect();
        all.sort();
        all
    };
    // A body that is an object has fields in the imported definition.
    let kept: Vec<_> = bodies(&original).into_iter().filter(|(info, _)| info != "The item").collect();
    assert_eq!(bodies(&imported), kept);
}

#[test]
fn a_json_body_that_can_be_null_is_the_whole_body_with_its_fields() {
    let properties = json!({ "a": { "type": "integer" } });
    for required in [json!([]), json!(["a"])] {
        let schema = json!({ "type": ["object", "null"], "required": required, "properties": properties });
        let content = json!({ "application/json": { "schema": schema } });
        for is_required in [false, true] {
            let (parameters, losses) = import_body(&json!({ "required": is_required, "content": content }));
            let whole = parameters.iter().find(|parameter| parameter.is_whole_body()).unwrap();
            assert_eq!((whole.r#type.written.term.as_str(), whole.optional), ("object", true), "{schema}");
            // A request can also omit the body.
            assert_eq!(losses.starts_with("null, accepts more: "), is_required, "{losses}");
            assert_eq!(losses.lines().count(), usize::from(is_required), "{losses}");
        }
        // Forms have fields, and cannot be null.
        let form = "application/x-www-form-urlencoded";
        let (parameters, losses) = import_body(&json!({ "required": true, "content": { form: { "schema": schema } } }));
        assert_eq!((parameters[1].key.as_str(), losses.as_str()), ("a", ""));
        let both = json!({ "application/json": { "schema": schema }, form: { "schema": schema } });
        let (parameters, losses) = import_body(&json!({ "required": true, "content": both }));
        assert_eq!(parameters[1].key, "a");
        assert!(losses.starts_with("body, accepts fewer: ") && losses.contains("the body null is refused"), "{losses}");
    }
}
