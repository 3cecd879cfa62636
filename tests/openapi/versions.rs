//! Tests the documents in other versions of OpenAPI than 3.1.
//!
//! The script `tests/external/openapi` validates these documents with another program.

use std::path::Path;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use rulebook_model::describe::{OpenapiVersion, convert_openapi, openapi};
use rulebook_model::model::Api;
use serde_json::{Map, Value as Json, json};
use support::generate;
use support::schema_validator::plain_validator;

use super::{engine_of_folder, engine_with_files, methods};

/// The keywords of a Schema Object in OpenAPI 3.0.
const KEYWORDS: [&str; 33] = [
    "title",
    "multipleOf",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "maxProperties",
    "minProperties",
    "required",
    "enum",
    "type",
    "allOf",
    "oneOf",
    "anyOf",
    "not",
    "items",
    "properties",
    "additionalProperties",
    "description",
    "format",
    "default",
    "nullable",
    "discriminator",
    "readOnly",
    "writeOnly",
    "example",
    "deprecated",
];

/// Converts a schema to OpenAPI 3.0, in a document with the component `Other`.
fn schema_in_3_0(schema: &Json, other: &Json) -> Json {
    let document = json!({ "openapi": "3.1.0", "components": { "schemas": { "Schema": schema, "Other": other } } });
    convert_openapi(document, OpenapiVersion::V3_0)["components"]["schemas"]["Schema"].take()
}

#[test]
fn keywords_that_openapi_3_0_lacks_are_converted_or_omitted() {
    let only_null = json!({ "type": "string", "nullable": true, "enum": [null] });
    let reference = json!({ "$ref": "#/components/schemas/Other" });
    for (schema, expected) in [
        (
            json!({ "type": ["string", "null"], "minLength": 1 }),
            json!({ "type": "string", "nullable": true, "minLength": 1 }),
        ),
        (json!({ "type": "null" }), only_null.clone()),
        (json!({ "const": "a" }), json!({ "enum": ["a"] })),
        (json!({ "type": "array" }), json!({ "type": "array", "items": {} })),
        (
            json!({ "type": "number", "exclusiveMinimum": 2 }),
            json!({ "type": "number", "minimum": 2, "exclusiveMinimum": true }),
        ),
        (json!({ "minimum": 3, "exclusiveMinimum": 2 }), json!({ "minimum": 3 })),
        (json!({ "maximum": 3, "exclusiveMaximum": 2 }), json!({ "maximum": 2, "exclusiveMaximum": true })),
        (json!({ "type": "string", "examples": ["a", "b"] }), json!({ "type": "string", "example": "a" })),
        (json!({ "contentEncoding": "base64", "type": "string" }), json!({ "type": "string", "format": "byte" })),
        (json!({ "type": "string", "contentMediaType": "image/png" }), json!({ "type": "string", "format": "binary" })),
        (
            json!({ "type": ["string", "integer", "null"], "minLength": 1, "minimum": 0, "description": "A" }),
            json!({
                "description": "A",
                "anyOf": [{ "type": "string", "nullable": true, "minLength": 1 }, { "type": "integer", "minimum": 0 }]
            }),
        ),
        (
            json!({ "description": "A", "anyOf": [{ "type": "string", "enum": ["a"] }, { "type": "null" }] }),
            json!({ "type": "string", "nullable": true, "enum": ["a", null], "description": "A" }),
        ),
        (json!({ "anyOf": [reference, { "type": "null" }] }), json!({ "anyOf": [reference, only_null] })),
        (json!({ "$ref": reference["$ref"] }), reference.clone()),
        (json!({ "$ref": reference["$ref"], "description": "A" }), json!({ "description": "A", "allOf": [reference] })),
        (json!({ "type": "object", "required": [] }), json!({ "type": "object" })),
        (
            json!({ "type": "object", "propertyNames": { "maxLength": 2 }, "additionalProperties": true }),
            json!({ "type": "object", "additionalProperties": true }),
        ),
        (
            json!({ "type": "object", "patternProperties": { "a": {} }, "additionalProperties": false }),
            json!({ "type": "object" }),
        ),
        (
            json!({ "type": "array", "prefixItems": [{ "type": "string" }], "items": false }),
            json!({ "type": "array", "items": {} }),
        ),
        (json!({ "if": {}, "then": {}, "dependentRequired": {}, "$comment": "A", "x-a": 1 }), json!({ "x-a": 1 })),
        (
            json!({ "properties": { "type": true, "const": false } }),
            json!({ "properties": { "type": {}, "const": { "not": {} } } }),
        ),
        (json!({ "enum": [] }), json!({ "not": {} })),
    ] {
        assert_eq!(schema_in_3_0(&schema, &json!({ "type": "string" })), expected, "{schema}");
    }
}

#[test]
fn schemas_that_become_wider_are_not_excluded_from_others() {
    let wider = json!({ "type": "object", "propertyNames": { "maxLength": 2 } });
    let reference = json!({ "$ref": "#/components/schemas/Other" });
    assert_eq!(schema_in_3_0(&json!({ "not": reference }), &wider), json!({}));
    assert_eq!(schema_in_3_0(&json!({ "not": reference }), &json!({ "type": "object" })), json!({ "not": reference }));
    let one_of = json!({ "oneOf": [reference, { "type": "object" }] });
    assert_eq!(schema_in_3_0(&one_of, &wider), json!({ "anyOf": one_of["oneOf"] }));
    assert_eq!(schema_in_3_0(&one_of, &json!({ "type": "string" })), one_of);
}

#[test]
fn parts_that_openapi_3_0_lacks_are_omitted() {
    let document = json!({
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": { "title": "A", "summary": "B", "version": "1", "license": { "name": "MIT", "identifier": "MIT" } },
        "webhooks": {},
        "security": [],
        "paths": { "/a": { "get": {
            "security": [{ "bearer": ["a"] }, { "bearer": ["b"] }],
            "responses": { "200": { "$ref": "#/components/responses/A", "description": "A" } }
        } } },
        "components": { "pathItems": {}, "responses": { "A": { "description": "A", "content": {
            "application/json": { "schema": { "const": 1 }, "example": { "const": 1 } }
        } } } }
    });
    let expected = json!({
        "openapi": "3.0.3",
        "info": { "title": "A", "version": "1", "license": { "name": "MIT" } },
        "security": [],
        "paths": { "/a": { "get": {
            "security": [{ "bearer": [] }],
            "responses": { "200": { "$ref": "#/components/responses/A" } }
        } } },
        "components": { "responses": { "A": { "description": "A", "content": {
            "application/json": { "schema": { "enum": [1] }, "example": { "const": 1 } }
        } } } }
    });
    assert_eq!(convert_openapi(document, OpenapiVersion::V3_0), expected);
}

#[test]
fn only_the_version_text_of_an_openapi_3_2_document_differs() {
    let document = openapi(engine_of_folder(Path::new("api")).api());
    let mut converted = convert_openapi(document.clone(), OpenapiVersion::V3_2);
    assert_eq!(converted["openapi"].take(), "3.2.0");
    converted["openapi"] = json!("3.1.0");
    assert_eq!(converted, document);
    assert_eq!(convert_openapi(document.clone(), OpenapiVersion::V3_1), document);
}

/// Returns the first keyword in a schema that OpenAPI 3.0 does not have.
fn unknown_keyword(schema: &Json) -> Option<String> {
    let Json::Object(keywords) = schema else { return Some(schema.to_string()) };
    if keywords.contains_key("$ref") {
        return (keywords.len() > 1).then(|| schema.to_string());
    }
    keywords.iter().find_map(|(keyword, value)| match keyword.as_str() {
        "properties" => value.as_object().unwrap().values().find_map(unknown_keyword),
        "items" | "not" => unknown_keyword(value),
        "additionalProperties" if !value.is_boolean() => unknown_keyword(value),
        "allOf" | "anyOf" | "oneOf" => value.as_array().unwrap().iter().find_map(unknown_keyword),
        "type" => (!value.is_string()).then(|| value.to_string()),
        known if KEYWORDS.contains(&known) || known.starts_with("x-") => None,
        other => Some(other.to_owned()),
    })
}

/// Returns a Schema Object of OpenAPI 3.0 as a JSON Schema 2020-12 that accepts the same values.
fn to_2020_12(schema: &Json) -> Json {
    let Json::Object(keywords) = schema else { return schema.clone() };
    let convert = |(keyword, value): (&String, &Json)| {
        let value = match (keyword.as_str(), value) {
            ("properties", Json::Object(properties)) => {
                properties.iter().map(|(name, schema)| (name.clone(), to_2020_12(schema))).collect()
            }
            ("allOf" | "anyOf" | "oneOf", Json::Array(schemas)) => schemas.iter().map(to_2020_12).collect(),
            ("items" | "not" | "additionalProperties", schema) => to_2020_12(schema),
            ("type", name) if keywords.get("nullable") == Some(&json!(true)) => json!([name, "null"]),
            (_, value) => value.clone(),
        };
        (keyword.clone(), value)
    };
    let mut converted: Map<String, Json> = keywords.iter().map(convert).collect();
    for (bound, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        if converted.remove(exclusive) == Some(json!(true)) {
            let value = converted.remove(bound).unwrap();
            converted.insert(exclusive.to_owned(), value);
        }
    }
    Json::Object(converted)
}

/// Calls a function with each component of a document, and with the schemas of parameters and bodies, by their places.
fn for_each_schema(value: &Json, place: &str, found: &mut dyn FnMut(&str, &Json)) {
    match value {
        Json::Object(members) => members.iter().for_each(|(name, member)| {
            let place = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
            match name.as_str() {
                "schema" => found(&place, member),
                "schemas" => member.as_object().unwrap().iter().for_each(|(name, schema)| {
                    found(&format!("{place}/{}", name.replace('~', "~0").replace('/', "~1")), schema);
                }),
                "example" | "examples" | "x-constraints" => {}
                _ => for_each_schema(member, &place, found),
            }
        }),
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| {
                for_each_schema(item, &format!("{place}/{index}"), found);
            });
        }
        _ => {}
    }
}

/// Checks that the schemas of an API in OpenAPI 3.0 have only keywords of 3.0, and accept every value that the schemas
/// in OpenAPI 3.1 accept. Returns the number of compared values, and of those that only 3.0 accepts.
fn compare_schemas(api: &Api) -> (usize, usize) {
    let current = openapi(api);
    let older = convert_openapi(current.clone(), OpenapiVersion::V3_0);
    let checks = methods(api).flat_map(|(_, method)| &method.parameters).map(|parameter| &parameter.r#type.check);
    let checks = checks.chain(methods(api).flat_map(|(_, method)| &method.outputs).map(|output| &output.r#type.check));
    let mut values: Vec<Json> = checks.flat_map(|check| check.boundary_values()).map(|value| json!(value)).collect();
    values.extend([json!(null), json!(true), json!(0), json!(-1.5), json!("a"), json!([]), json!([null]), json!({})]);
    values.extend([json!({ "a": null }), json!({ "a much longer name": 1 }), json!([["a"], 1])]);
    values.sort_by_cached_key(Json::to_string);
    values.dedup();
    let older_components = to_2020_12_components(&older);
    let (mut count, mut only_older) = (0, 0);
    for_each_schema(&current, "", &mut |place, schema| {
        let converted = older.pointer(place).unwrap_or_else(|| panic!("{place}"));
        assert_eq!(unknown_keyword(converted), None, "{place}: {converted}");
        let validator = |components: &Json, schema: &Json| {
            plain_validator(&json!({ "components": { "schemas": components }, "allOf": [schema] }))
        };
        let one = validator(&current["components"]["schemas"], schema);
        let other = validator(&older_components, &to_2020_12(converted));
        for value in &values {
            count += 1;
            match (one.is_valid(value), other.is_valid(value)) {
                (true, false) => panic!("{place}: {value} is valid for {schema}, but not for {converted}"),
                (false, true) => only_older += 1,
                _ => {}
            }
        }
    });
    (count, only_older)
}

fn to_2020_12_components(document: &Json) -> Json {
    let components = document["components"]["schemas"].as_object().into_iter().flatten();
    components.map(|(name, schema)| (name.clone(), to_2020_12(schema))).collect()
}

#[test]
fn schemas_in_openapi_3_0_accept_every_value_that_those_in_3_1_accept() {
    let good = Path::new("crates/rulebook-model/tests/definitions/good");
    for folder in ["everything", "schemas", "unions", "constraints"] {
        let (count, only_older) = compare_schemas(engine_of_folder(&good.join(folder)).api());
        assert!(count > 100, "{folder}: {count}");
        assert!(only_older * 20 < count, "{folder}: {only_older} of {count} values are valid only in OpenAPI 3.0");
    }
    let mut runner = TestRunner::deterministic();
    for _ in 0..20 {
        let generated = generate::definitions().new_tree(&mut runner).unwrap().current();
        let files = generated.files.iter().map(|(name, json)| (name.into(), json.to_string().into_bytes())).collect();
        compare_schemas(engine_with_files(files).api());
    }
}
