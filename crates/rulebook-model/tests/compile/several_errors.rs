//! Tests that an error neither hides the other errors of a definition nor causes further errors.

use super::{compile_definition, load_one_file};
use serde_json::{Value as Json, json};

/// Returns the messages of the errors of a definition with these schemas and this method.
fn messages(schemas: &Json, method: &Json) -> Vec<String> {
    let mut method = method.clone();
    method["info"] = json!("Try it");
    let text = json!({ "schemas": schemas, "POST": method }).to_string();
    let (_, report) = compile_definition(load_one_file(&text));
    report.diagnostics.iter().map(|diagnostic| diagnostic.message.clone()).collect()
}

fn field(term: &str) -> Json {
    json!({ "info": "A field", "type": term })
}

#[test]
fn an_error_does_not_hide_other_errors_and_causes_none() {
    let none = json!({});
    let constraints = json!([{ "less": ["a", "nope"] }, { "foo": ["a", "nope"] }, { "less": ["a", "b"] }]);
    let fields = json!({ "a": field("?int"), "b": field("?string") });
    let broken = json!({ "info": "A", "fields": { "x": field("strng") } });
    let with = |schema: Json| json!({ "A": broken, "B": schema });
    let unknown = "unknown type `strng`";
    let cases = [
        // All constraints of an object are checked, as those of a method are.
        (
            json!({ "A": { "info": "A", "fields": fields, "constraints": constraints } }),
            none.clone(),
            vec![
                "`less` has the unknown name `nope`",
                "unknown constraint `foo`",
                "`less` cannot compare `int` with `string`",
            ],
        ),
        // A parameter or a field with an error has a known name.
        (
            none.clone(),
            json!({ "in": { "a": field("?int"), "b": field("?strng") }, "constraints": constraints }),
            vec!["`less` has the unknown name `nope`", "unknown constraint `foo`", unknown],
        ),
        (
            json!({ "A": { "info": "A", "fields": { "a": field("?int"), "b": field("?strng") }, "constraints": constraints } }),
            none.clone(),
            vec!["`less` has the unknown name `nope`", "unknown constraint `foo`", unknown],
        ),
        // A schema with an error does not hide those of types that name it.
        (
            with(json!({ "info": "B", "type": "union", "tag": "t", "of": ["A"] })),
            none.clone(),
            vec![unknown, "a union with `tag` needs a schema in `of` for each value of the tag"],
        ),
        (
            with(json!({ "info": "B", "extends": ["A"], "fields": { "y": field("strnig") } })),
            none.clone(),
            vec![unknown, "unknown type `strnig`"],
        ),
        (
            with(
                json!({ "info": "B", "extends": ["A"], "without": ["z"], "closed": true, "constraints": [{ "less": ["x", "y"] }] }),
            ),
            json!({ "in": { "b": field("?B"), "c": field("partial<A>"), "d": field("array<A>") } }),
            vec![unknown],
        ),
        // A union in a schema with an error can contain this schema.
        (
            json!({ "A": { "info": "A", "fields": {
                "x": field("strng"),
                "y": { "info": "Y", "type": "union", "tag": "t", "of": { "a": "A" } },
                "z": { "info": "Z", "type": "union", "of": ["int", "A"] }
            } } }),
            none.clone(),
            vec![unknown],
        ),
    ];
    for (schemas, method, expected) in cases {
        let (mut found, mut expected) = (messages(&schemas, &method), expected);
        found.sort();
        expected.sort_unstable();
        assert_eq!(found, expected, "{schemas} {method}");
    }
}

#[test]
fn a_schema_whose_type_has_no_fields_cannot_extend_others() {
    let base = json!({ "info": "A", "fields": { "x": field("int") } });
    for term in ["string", "int(1,5)", "map<int>", "array<int>", "array", "[]string", "A", "array<A>", "partial<A>"] {
        let schemas = json!({ "A": base, "B": { "info": "B", "type": term, "extends": ["A"] } });
        let expected = format!("a schema of the type `{term}` cannot extend others");
        assert_eq!(messages(&schemas, &json!({})), [expected], "{term}");
    }
    for term in ["object", "filled_object", "array<object>", "[]object"] {
        let schemas = json!({ "A": base, "B": { "info": "B", "type": term, "extends": ["A"] } });
        assert!(messages(&schemas, &json!({})).is_empty(), "{term}");
    }
}
