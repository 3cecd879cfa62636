//! Tests that the discriminators of unions with a tag refer to components.

use std::path::Path;

use rulebook_model::describe::openapi;
use serde_json::{Value as Json, json};

use super::{engine_of_folder, engine_with_definition, resolved, validator};

/// Returns the component to which a reference leads.
fn component<'d>(document: &'d Json, reference: &Json) -> &'d Json {
    document.pointer(reference.as_str().unwrap().strip_prefix('#').unwrap()).unwrap_or_else(|| panic!("{reference}"))
}

/// Checks that the branches of a union are the components of its discriminator.
fn assert_maps_branches(union: &Json) {
    let branches: Vec<_> = union["oneOf"].as_array().unwrap().iter().map(|branch| &branch["$ref"]).collect();
    let mapping: Vec<_> = union["discriminator"]["mapping"].as_object().unwrap().values().collect();
    assert_eq!(mapping, branches, "{union}");
}

#[test]
fn types_that_do_not_declare_the_tag_become_components_with_the_tag() {
    let folder = Path::new("crates/rulebook-model/tests/definitions/good/unions");
    let document = openapi(engine_of_folder(folder).api());
    let event = &document["components"]["schemas"]["Event"];
    assert_maps_branches(event);
    let mapping = &event["discriminator"]["mapping"];
    assert_eq!(mapping["removed"], "#/components/schemas/Removed");
    let created = component(&document, &mapping["created"]);
    let tag = json!({ "type": { "type": "string", "const": "created" } });
    assert_eq!(
        *created,
        json!({ "allOf": [
            { "$ref": "#/components/schemas/Created" },
            { "type": "object", "properties": tag, "required": ["type"] }
        ] })
    );
    let batch = component(&document, &mapping["batch"]);
    assert_eq!(batch["additionalProperties"], false);
    assert_eq!(batch["properties"]["type"]["const"], "batch");
    let validator = validator(&document, event);
    for (event, is_valid) in [
        (json!({ "type": "created", "id": 1, "by": "Ada", "more": 1 }), true),
        (json!({ "type": "removed" }), true),
        (json!({ "type": "batch", "events": [{ "type": "removed" }] }), true),
        (json!({ "type": "batch", "events": [], "more": 1 }), false),
        (json!({ "id": 1, "by": "Ada" }), false),
    ] {
        assert_eq!(validator.is_valid(&event), is_valid, "{event}");
    }
}

#[test]
fn components_of_unions_have_unused_names() {
    let text = json!({ "text": { "info": "A", "type": "string" } });
    let number = json!({ "number": { "info": "A", "type": "int" } });
    let union = |of: Json| json!({ "info": "A", "type": "union", "tag": "kind", "of": of });
    let inline = union(json!({ "a": "Text", "b": "Number" }));
    let definition = json!({
        "schemas": {
            "Text": { "info": "A", "fields": text },
            "Number": { "info": "A", "fields": number },
            "One": union(json!({ "a b": "Text", "a_b": "Number", "a": "Text" })),
            "Other": union(json!({ "a b": "Text", "a_b": "Text" }))
        },
        "modules": { "site": { "/": { "x": { "POST": { "info": "A", "in": {
            "one": { "info": "A", "type": "One" },
            "other": { "info": "A", "type": "array<Other>" },
            "inline": inline
        } } } } } }
    });
    let engine = engine_with_definition(&definition);
    let document = openapi(engine.api());
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in ["One", "Other"] {
        assert_maps_branches(&schemas[name]);
    }
    // Two values have the same name.
    assert_eq!(
        schemas["One"]["discriminator"]["mapping"],
        json!({
            "a b": "#/components/schemas/One.a_b.10a3f9f2",
            "a_b": "#/components/schemas/One.a_b.1ba46871",
            "a": "#/components/schemas/One.a"
        })
    );
    assert_eq!(schemas["Other"]["discriminator"]["mapping"]["a b"], "#/components/schemas/Other.a_b.10a3f9f2");
    let body = &document["paths"]["/x"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    let inline = &resolved(&document, body)["properties"]["inline"];
    assert_maps_branches(inline);
    assert_eq!(inline["discriminator"]["mapping"]["b"], "#/components/schemas/x.post.body.inline.b");
    let validator = validator(&document, inline);
    assert!(validator.is_valid(&json!({ "kind": "b", "number": 1 })));
    assert!(!validator.is_valid(&json!({ "kind": "b", "text": "x" })));
}
