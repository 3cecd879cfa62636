//! Tests that everything in a description is expressed by the definition or is named as a loss.

use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json, json};

use super::super::run_program;
use super::{files_in, import_text, special_losses};

/// Imports a description with these paths and schemas. Returns `app.json`, the only module, and the losses without
/// their messages.
pub(super) fn import(paths: &Json, schemas: &Json) -> (Json, Json, Vec<String>) {
    let description = json!({
        "openapi": "3.2.0", "info": { "title": "Losses", "version": "1" }, "paths": paths,
        "components": { "schemas": schemas }
    });
    let (folder, result) = import_text("api.json", &description.to_string());
    assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""), "{description}");
    let checked = run_program(folder.path(), &["check"]);
    assert_eq!(checked.exit_code, Some(0), "{}", checked.stdout);
    let files = files_in(&folder.path().join("api"));
    let parse = |name: &str| serde_json::from_str::<Json>(&files[name]).unwrap();
    let losses = special_losses(folder.path());
    let losses = losses.lines().map(|loss| loss.splitn(3, ": ").take(2).collect::<Vec<_>>().join(" ")).collect();
    (parse("app.json"), parse("default.json"), losses)
}

pub(super) fn get(operation: &Json) -> Json {
    let mut operation = operation.clone();
    operation["responses"] = json!({ "204": { "description": "No Content" } });
    json!({ "/p": { "get": operation } })
}

#[test]
fn members_that_no_part_of_the_definition_expresses_are_losses_at_their_places() {
    let no_content = json!({ "204": { "description": "No Content" } });
    let paths = json!({ "/p": {
        "summary": "A path", "head": { "responses": no_content }, "options": { "responses": no_content },
        "put": {
            "requestBody": { "description": "A body", "content": { "application/json": { "schema": {
                "description": "A note", "type": "object", "properties": { "a": { "$ref": "#/components/schemas/Big" } }
            } } } },
            "responses": no_content, "unheard": { "of": 1 }
        }
    } });
    let variant =
        |tag: &str| json!({ "type": "object", "required": ["tag"], "properties": { "tag": { "const": tag } } });
    let schemas = json!({
        "Big": { "type": "integer", "maximum": 1e30 },
        "One": variant("One"), "Two": variant("Two"),
        "Either": {
            "oneOf": [{ "$ref": "#/components/schemas/One" }, { "$ref": "#/components/schemas/Two" }],
            "discriminator": {
                "propertyName": "tag", "defaultMapping": "One",
                "mapping": { "other": "#/components/schemas/Missing" }
            }
        },
        "Noted": { "type": "string", "discriminator": { "propertyName": "tag" } }
    });
    let (_, _, losses) = import(&paths, &schemas);
    let body = "/paths/~1p/put/requestBody";
    assert_eq!(
        losses,
        [
            "annotation /paths/~1p/summary",
            "method /paths/~1p/head",
            "method /paths/~1p/options",
            &format!("annotation {body}/description"),
            &format!("annotation {body}/content/application~1json/schema/description"),
            "unknown /paths/~1p/put/unheard",
            "keyword, accepts fewer /components/schemas/Big/maximum",
            "union, accepts fewer /components/schemas/Either/discriminator/defaultMapping",
            "union, accepts fewer /components/schemas/Either/discriminator/mapping/other",
            "annotation /components/schemas/Noted/discriminator",
        ]
    );
}

#[test]
fn a_default_to_which_a_reference_leads_is_applied_or_reported() {
    let reference = json!({ "$ref": "#/components/schemas/Size" });
    let paths = get(&json!({ "parameters": [{ "name": "size", "in": "query", "schema": reference }] }));
    let size = json!({ "type": "integer", "default": 5 });
    let (_, module, losses) = import(&paths, &json!({ "Size": size }));
    assert_eq!((&module["/"]["p"]["GET"]["in"]["GET@size"]["default"], losses.len()), (&json!(5), 0), "{losses:?}");
    let object = json!({ "type": "object", "properties": { "size": reference } });
    let (_, _, losses) = import(&get(&json!({})), &json!({ "Size": size, "S": object }));
    assert_eq!(losses, ["default /components/schemas/Size/default"]);
}

#[test]
fn equal_members_of_several_parts_hide_no_losses() {
    let member = json!({ "a": { "type": "integer", "multipleOf": 3 } });
    let schemas = json!({
        "First": { "allOf": [
            { "type": "object", "properties": member, "minProperties": 1 }, { "$ref": "#/components/schemas/Last" }
        ] },
        "Last": { "type": "object", "properties": member }
    });
    let (_, _, losses) = import(&get(&json!({})), &schemas);
    assert_eq!(
        losses,
        [
            "keyword, accepts more /components/schemas/First/allOf/0/properties/a/multipleOf",
            "keyword, accepts more /components/schemas/Last/properties/a/multipleOf",
        ]
    );
}

#[test]
fn a_json_body_without_a_schema_is_any_json() {
    let body = json!({ "required": true, "content": { "application/json": {} } });
    let operation = json!({ "requestBody": body, "responses": { "204": { "description": "No Content" } } });
    let (_, module, losses) = import(&json!({ "/p": { "post": operation } }), &json!({}));
    assert_eq!((&module["/"]["p"]["POST"]["in"]["*"]["type"], losses.len()), (&json!("any"), 0), "{losses:?}");
}

#[test]
fn keywords_about_required_members_and_the_constraints_of_documents_become_constraints() {
    let text = json!({ "type": "string" });
    let schema = json!({
        "type": "object", "properties": { "a": text, "b": text, "c": text },
        "dependentRequired": { "a": ["b"] }, "oneOf": [{ "required": ["b"] }, { "required": ["c"] }]
    });
    let body = json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    let operation = json!({
        "requestBody": body, "responses": { "204": { "description": "No Content" } },
        "x-constraints": [{ "equal": ["a", "b"], "message": "They differ" }, { "exactly_one": ["b", "c"] }]
    });
    let requires = json!({ "requires": { "a": ["b"] } });
    let exactly_one = json!({ "exactly_one": ["b", "c"] });
    let (app, module, losses) = import(&json!({ "/p": { "post": operation } }), &json!({ "S": schema }));
    assert_eq!(app["schemas"]["S"]["constraints"], json!([requires, exactly_one]));
    assert_eq!(
        module["/"]["p"]["POST"]["constraints"],
        json!([{ "equal": ["a", "b"], "message": "They differ" }, exactly_one, requires])
    );
    assert_eq!(losses, [""; 0]);
    // A request without a body has neither of the two fields.
    let mut optional = operation;
    optional["requestBody"]["required"] = false.into();
    let (_, _, losses) = import(&json!({ "/p": { "post": optional } }), &json!({}));
    assert_eq!(losses, ["body, accepts fewer /paths/~1p/post/requestBody"]);
}

#[test]
fn references_in_a_circle_and_to_paths_in_other_files_are_named_as_such() {
    let text = json!({
        "openapi": "3.1.0", "info": { "title": "A", "version": "1" },
        "paths": { "/p": { "$ref": "other.yaml#/paths/p" } },
        "components": { "schemas": {
            "A": { "$ref": "#/components/schemas/B" }, "B": { "$ref": "#/components/schemas/A" }
        } }
    });
    let (folder, result) = import_text("api.json", &text.to_string());
    assert_eq!(result.exit_code, Some(0), "{}", result.stderr);
    assert_eq!(
        special_losses(folder.path()),
        "reference: /paths/~1p: `other.yaml#/paths/p` leads to another file: its operations are omitted\n\
         reference, accepts more: /components/schemas/A: the references lead nowhere, or only back to the schema: the type is `any`\n\
         reference, accepts more: /components/schemas/B: the references lead nowhere, or only back to the schema: the type is `any`\n"
    );
}

#[test]
fn descriptions_without_operations_are_imported() {
    let schemas = json!({ "S": { "type": "string" } });
    let webhook = json!({ "post": { "responses": { "200": { "description": "OK" } } } });
    for (key, content, schema_count, losses) in [
        ("components", json!({ "schemas": schemas }), 1, ""),
        ("webhooks", json!({ "sold": webhook }), 0, "webhook: /webhooks/sold: a definition has no webhooks\n"),
        ("paths", json!({}), 0, ""),
    ] {
        let text = json!({ "openapi": "3.1.0", "info": { "title": "A", "version": "1" }, key: content }).to_string();
        let (folder, result) = import_text("api.json", &text);
        assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""), "{key}");
        assert_eq!(special_losses(folder.path()), losses, "{key}");
        let app: Json = serde_json::from_str(&files_in(&folder.path().join("api"))["app.json"]).unwrap();
        assert_eq!(app["schemas"].as_object().map_or(0, Map::len), schema_count, "{key}");
        assert_eq!(run_program(folder.path(), &["check"]).exit_code, Some(0), "{key}");
    }
}

#[test]
fn chains_of_many_references_are_followed_in_linear_time() {
    const COUNT: usize = 20_000;
    let reference = |index: usize| json!({ "$ref": format!("#/components/schemas/S{index}") });
    let mut schemas: Map<String, Json> = (0..COUNT).map(|index| (format!("S{index}"), reference(index + 1))).collect();
    schemas.insert(format!("S{COUNT}"), json!({ "type": ["string", "null"] }));
    let start = Instant::now();
    let (app, _, losses) = import(&get(&json!({})), &schemas.into());
    assert_eq!((app["schemas"]["S0"]["type"].as_str(), losses.len()), (Some("S20000"), 0));
    // Following each of the references from the beginning would take much longer.
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn definitions_in_a_schema_are_losses_only_in_what_refers_to_them() {
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/S/{name}") });
    let schemas = json!({ "S": {
        "$defs": {
            "Short": { "type": "string", "maxLength": 3 },
            "Even": { "type": "integer", "multipleOf": 2, "$defs": { "Inner": { "type": "string", "format": "x" } } },
            "Unused": { "type": "string", "format": "unheard" }
        },
        "definitions": { "Old": { "type": "boolean" } },
        "type": "object",
        "properties": {
            "short": reference("$defs/Short"), "even": reference("$defs/Even"),
            "inner": reference("$defs/Even/$defs/Inner"), "old": reference("definitions/Old")
        }
    } });
    let (app, _, losses) = import(&get(&json!({})), &schemas);
    assert_eq!(app["schemas"]["S"]["fields"]["short"]["type"], "?string(0,3)");
    assert_eq!(
        losses,
        [
            "keyword, accepts more /components/schemas/S/$defs/Even/multipleOf",
            "format, accepts more /components/schemas/S/$defs/Even/$defs/Inner/format",
        ]
    );
}
