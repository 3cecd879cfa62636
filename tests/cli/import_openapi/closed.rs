//! Tests of objects that have no other members than those that the description names.

use serde_json::json;

use super::effects::import_schema;

#[test]
fn an_object_that_a_part_closes_has_no_members_that_the_part_does_not_know() {
    let empty = json!({ "type": "object", "max": 0 });
    let closed = json!({ "type": "object", "additionalProperties": false });
    let texts = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let a = json!({ "a": { "type": "integer" } });
    let pattern = json!({ "type": "object", "patternProperties": { "^a": { "type": "integer" } } });
    for (schema, converted, losses) in [
        (json!({ "type": "object", "additionalProperties": false, "maxProperties": 2 }), empty.clone(), &[][..]),
        (
            json!({ "type": "object", "unevaluatedProperties": false, "propertyNames": { "maxLength": 1 } }),
            empty.clone(),
            &[],
        ),
        (json!({ "allOf": [closed, texts] }), empty.clone(), &[]),
        (json!({ "allOf": [texts, { "type": "object", "unevaluatedProperties": false }] }), empty.clone(), &[]),
        (json!({ "allOf": [pattern, closed] }), empty, &[]),
        (json!({ "allOf": [texts], "unevaluatedProperties": false }), json!({ "type": "map<string>" }), &[]),
        (
            json!({ "type": "object", "additionalProperties": false, "patternProperties": { "^a": {}, "^b": true } }),
            json!({ "type": "object" }),
            &["keyword, accepts more S/additionalProperties"],
        ),
        (
            json!({ "type": "object", "patternProperties": { "^a": false } }),
            json!({ "type": "object" }),
            &["keyword, accepts more S/patternProperties/^a"],
        ),
        (
            json!({ "allOf": [
                { "type": "object", "properties": a }, { "type": "object", "unevaluatedProperties": false }
            ] }),
            json!({ "type": "object", "closed": true, "fields": { "a": { "info": "a", "type": "?int" } } }),
            &["keyword, accepts more S/allOf/1/unevaluatedProperties"],
        ),
        (
            json!({ "allOf": [{ "type": "object", "additionalProperties": true }], "unevaluatedProperties": false }),
            json!({ "type": "object" }),
            &[],
        ),
        (
            json!({
                "type": "object", "properties": a, "unevaluatedProperties": false,
                "allOf": [{ "oneOf": [{ "properties": { "b": {} } }, { "properties": { "c": {} } }] }]
            }),
            json!({ "type": "object", "fields": { "a": { "info": "a", "type": "?int" } } }),
            &["all-of, accepts more S/allOf/0", "keyword, accepts more S/unevaluatedProperties"],
        ),
    ] {
        let (mut found, mut found_losses) = import_schema(&json!({ "S": schema }));
        found.as_object_mut().unwrap().remove("info");
        found.as_object_mut().unwrap().entry("type").or_insert("object".into());
        found_losses.sort();
        assert_eq!(found, converted, "{schema}");
        assert_eq!(found_losses, losses, "{schema}");
    }
}
