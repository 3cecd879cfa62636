//! Tests that constraints of schemas are expressed or reported, and that no valid value is refused.

use serde_json::{Value as Json, json};

use super::{files_in, import_text, special_losses};

/// Imports a description with these schemas and this body of a request. Returns `app.json`, the parameters, and the
/// kinds and the places of the losses.
fn import(schemas: &Json, body: &Json) -> (Json, Json, Vec<String>) {
    let description = json!({
        "openapi": "3.1.0", "info": { "title": "Constraints", "version": 1.5 }, "components": { "schemas": schemas },
        "paths": { "/p": { "post": {
            "requestBody": { "required": true, "content": { "application/json": { "schema": body } } },
            "responses": { "204": { "description": "No Content" } }
        } } }
    });
    let (folder, result) = import_text("api.json", &description.to_string());
    assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""), "{description}");
    let files = files_in(&folder.path().join("api"));
    let parse = |text: &str| serde_json::from_str::<Json>(text).unwrap();
    let module = files.iter().find(|(file, _)| *file != "app.json").unwrap().1;
    let losses = special_losses(folder.path());
    let losses = losses.lines().map(|loss| {
        let (kind, rest) = loss.split_once(": ").unwrap();
        assert!(!kind.ends_with(", accepts fewer"), "{loss}");
        let kind = kind.trim_end_matches(", accepts more");
        let place = rest.split_once(": ").unwrap().0;
        assert!(description.pointer(place).is_some(), "{loss}");
        format!("{kind} {place}")
    });
    (parse(&files["app.json"]), parse(module)["/"]["p"]["POST"]["in"].clone(), losses.collect())
}

#[test]
fn every_constraint_of_a_schema_is_expressed_or_reported() {
    let cat = json!({ "type": "object", "required": ["p"],
        "properties": { "p": { "type": "string" }, "t": { "type": "string" } } });
    let cat_reference = json!({ "$ref": "#/components/schemas/Cat" });
    let object = |more: Json| {
        let mut object = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    for (schema, losses) in [
        (
            object(json!({ "allOf": [{ "if": { "required": ["a"] }, "then": { "required": ["b"] } }] })),
            &["keyword allOf/0/if", "keyword allOf/0/then"][..],
        ),
        (object(json!({ "allOf": [{ "not": { "required": ["a"] } }] })), &["keyword allOf/0/not"]),
        (json!({ "allOf": [cat_reference, { "not": { "required": ["t"] } }] }), &["keyword allOf/1/not"]),
        (
            json!({ "allOf": [cat_reference, { "anyOf": [{ "required": ["p"] }, { "required": ["t"] }] }] }),
            &["constraint allOf/1/anyOf"],
        ),
        (
            json!({ "allOf": [{ "$ref": "#/components/schemas/Cat", "required": ["t"] }, { "type": "object" }] }),
            &["keyword allOf/0/required"],
        ),
        (json!({ "$ref": "#/components/schemas/Cat", "required": ["t"] }), &["keyword required"]),
        (
            json!({ "anyOf": [cat_reference, { "type": "string" }], "required": ["t"], "minProperties": 3,
                "maxLength": 3 }),
            &["constraint required", "keyword minProperties", "keyword maxLength"],
        ),
        (json!({ "oneOf": [{ "type": "string" }, { "type": "integer" }], "minLength": 5 }), &["keyword minLength"]),
        (object(json!({ "propertyNames": { "pattern": "^a" } })), &["keyword propertyNames"]),
        (
            json!({ "allOf": [object(json!({})), { "type": "object", "properties": { "b": {} },
                "additionalProperties": false }] }),
            &["keyword allOf/1/additionalProperties"],
        ),
        (object(json!({ "required": ["z"] })), &[]),
        (object(json!({ "minProperties": 1 })), &[]),
    ] {
        let (_, _, found) = import(&json!({ "Cat": cat, "S": schema }), &json!({ "type": "array", "items": {} }));
        let place = |loss: &&str| format!("{}/{}", loss.replace(' ', " /components/schemas/S/"), "");
        let expected: Vec<String> = losses.iter().map(|loss| place(loss).trim_end_matches('/').to_owned()).collect();
        assert_eq!(found, expected, "{schema}");
    }
}

#[test]
fn schemas_of_names_become_the_keys_of_a_map() {
    let text = json!({ "type": "string" });
    for (names, keys, losses) in [
        (json!({ "enum": ["a", "b"] }), json!({ "type": "enum", "range": ["a", "b"] }), 0),
        (json!({ "$ref": "#/components/schemas/K" }), json!({ "type": "K" }), 0),
        (json!({ "maxLength": 3 }), json!({ "type": "string(0,3)" }), 0),
        (json!({ "enum": ["a", 1] }), Json::Null, 1),
        (json!({ "anyOf": [{ "pattern": "a" }, { "pattern": "b" }] }), Json::Null, 1),
    ] {
        for (others, term) in [(Some(&text), "map<string>"), (None, "map<any>")] {
            let mut schema = json!({ "type": "object", "propertyNames": names });
            if let Some(others) = others {
                schema["additionalProperties"] = others.clone();
            }
            let schemas = json!({ "S": schema, "K": { "type": "string", "pattern": "^k" } });
            let (app, _, found) = import(&schemas, &json!({ "type": "array", "items": {} }));
            let converted = &app["schemas"]["S"];
            assert_eq!((&converted["type"], &converted["keys"]), (&json!(term), &keys), "{schema}");
            assert_eq!(found, vec!["keyword /components/schemas/S/propertyNames"; losses], "{schema}");
        }
    }
}

#[test]
fn constraints_of_a_body_with_fields_are_reported() {
    let body = json!({ "type": "object", "minProperties": 2, "maxProperties": 2, "required": ["a", "z"],
        "properties": { "a": { "type": "string" } }, "propertyNames": { "maxLength": 1 },
        "allOf": [{ "if": { "required": ["a"] } }], "not": { "required": ["b"] } });
    let (app, parameters, mut losses) = import(&json!({}), &body);
    assert_eq!((&parameters["a"]["type"], &app["version"]), (&json!("string"), &json!("1.5")));
    assert_eq!(parameters["z"]["type"], "any", "a required member without a schema can have any value");
    losses.sort();
    let place = "/paths/~1p/post/requestBody/content/application~1json/schema";
    let expected = ["allOf/0/if", "maxProperties", "minProperties", "not", "propertyNames"];
    assert_eq!(losses, expected.map(|keyword| format!("keyword {place}/{keyword}")));
}

#[test]
fn no_value_that_a_schema_accepts_is_refused() {
    for (schema, converted, losses) in [
        (json!({ "minimum": 3 }), json!({ "type": "any" }), &["minimum"][..]),
        (json!({ "pattern": "a" }), json!({ "type": "any" }), &["pattern"]),
        (json!({ "format": "date" }), json!({ "type": "any" }), &["format"]),
        (
            json!({ "allOf": [{ "minimum": 3 }, { "title": "A" }] }),
            json!({ "type": "any" }),
            &["allOf/0/minimum", "allOf/1/title"],
        ),
        (
            json!({ "type": "object", "patternProperties": { "^x": { "type": "string" } } }),
            json!({ "type": "object" }),
            &["patternProperties/^x"],
        ),
        (
            json!({ "type": "object", "patternProperties": { "^x": { "type": "string" } },
                "additionalProperties": { "type": "integer" } }),
            json!({ "type": "object" }),
            &["patternProperties/^x", "additionalProperties"],
        ),
        (
            json!({ "type": "array", "prefixItems": [{ "type": "string" }], "items": { "type": "integer" } }),
            json!({ "type": "array<any>" }),
            &["prefixItems", "items"],
        ),
        (
            json!({ "type": "array", "items": { "oneOf": [{ "$ref": "#/components/schemas/N" }, { "type": "integer" }] } }),
            json!({ "type": "array<?union>", "items": { "of": ["N", "int"] } }),
            &[],
        ),
        (
            json!({ "type": "array", "items": { "allOf": [{ "$ref": "#/components/schemas/N" }, { "title": "A" }] } }),
            json!({ "type": "array<?N>" }),
            &["items/allOf/1"],
        ),
    ] {
        let schemas = json!({ "N": { "type": ["string", "null"] } });
        let body = json!({ "type": "object", "properties": { "x": schema } });
        let (_, parameters, found) = import(&schemas, &body);
        let mut parameter = parameters["x"].clone();
        parameter.as_object_mut().unwrap().remove("info");
        let mut expected = converted;
        expected["type"] = format!("?{}", expected["type"].as_str().unwrap()).into();
        assert_eq!(parameter, expected, "{schema}");
        let found: Vec<&str> = found.iter().map(|loss| loss.split_once("/properties/x/").unwrap().1).collect();
        assert_eq!(found, losses, "{schema}");
    }
}

#[test]
fn the_places_of_invalid_examples_and_defaults_exist() {
    for (parameter, place) in [
        (json!({ "schema": { "type": "integer", "examples": ["q"] } }), "schema/examples"),
        (json!({ "schema": { "type": "integer", "example": "q" } }), "schema/example"),
        (json!({ "schema": { "type": "integer" }, "example": "q" }), "example"),
        (json!({ "schema": { "type": "integer" }, "examples": { "a": { "value": "q" } } }), "examples"),
        (json!({ "schema": { "type": "integer", "default": "q" } }), "schema/default"),
    ] {
        let mut parameter = parameter;
        parameter["name"] = "x".into();
        parameter["in"] = "query".into();
        let text = json!({ "openapi": "3.1.0", "info": { "title": "A", "version": "1" },
            "paths": { "/p": { "get": { "parameters": [parameter], "responses": {} } } } })
        .to_string();
        let (folder, _) = import_text("api.json", &text);
        let losses = special_losses(folder.path());
        assert!(losses.contains(&format!(": /paths/~1p/get/parameters/0/{place}: ")), "{text}: {losses}");
    }
}

#[test]
fn messages_of_constraints_are_imported() {
    let one = |name: &str| json!({ "required": [name], "properties": { (name): { "not": { "type": "null" } } } });
    let field = json!({ "type": ["integer", "null"] });
    let schema = json!({ "type": "object", "properties": { "a": field, "b": field },
        "allOf": [{ "anyOf": [one("a"), one("b")], "x-message": "Choose one" }] });
    let body = json!({ "type": "object", "properties": { "s": { "$ref": "#/components/schemas/S" } } });
    let (app, _, losses) = import(&json!({ "S": schema }), &body);
    assert_eq!(app["schemas"]["S"]["constraints"], json!([{ "at_least_one": ["a", "b"], "message": "Choose one" }]));
    assert!(losses.is_empty(), "{losses:?}");
}
