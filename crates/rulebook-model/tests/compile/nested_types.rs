//! Tests of types in the attributes of other types, such as `of`, and of the names of schemas in types.

use rulebook_model::compile::{ProgramExtensions, check_definition};
use rulebook_model::model::Api;
use serde_json::{Value as Json, json};

use super::{compile_definition, compile_valid_definition, diagnostic_codes, load_one_file};
use support::canonical::assert_same;
use support::schema_validator::validator;

/// Returns a definition with these schemas and one method, whose parameter `x` has these keys besides `info`.
fn definition(schemas: &Json, parameter: &Json) -> String {
    let mut keys = parameter.clone();
    keys["info"] = json!("X");
    json!({ "schemas": schemas, "POST": { "info": "Try it", "in": { "x": keys } } }).to_string()
}

/// Returns the model of a definition with these schemas and one parameter. Its printed form is the same definition.
fn api(schemas: &Json, parameter: &Json) -> Api {
    let api = compile_valid_definition(load_one_file(&definition(schemas, parameter)));
    assert_same(&api);
    api
}

/// Asserts that a parameter accepts the value `valid`, and rejects each of the values `invalid`. So does its JSON
/// Schema.
fn assert_values(parameter: &Json, valid: &Json, invalid: &[Json]) {
    let api = api(&json!({}), parameter);
    let check = &api.modules[0].services[0].methods[0].parameters[0].r#type.check;
    let validator = validator(&check.schema());
    for (value, is_valid) in std::iter::once((valid, true)).chain(invalid.iter().map(|value| (value, false))) {
        assert_eq!(check.checked(value.into()).is_ok(), is_valid, "{parameter}: {value}");
        assert_eq!(validator.is_valid(value), is_valid, "{parameter}: {value}: {}", check.schema());
    }
}

#[test]
fn fields_of_objects_in_attributes_are_checked() {
    let object = json!({ "type": "object", "fields": { "s": { "info": "S", "type": "string(3)" } } });
    let list = json!({ "type": "array<object>", "fields": object["fields"] });
    let tagged = json!({ "type": "union", "tag": "k", "of": { "a": object } });
    assert_values(&tagged, &json!({ "k": "a", "s": "abc" }), &[json!({ "k": "a", "s": "abcd" }), json!({ "k": "a" })]);
    let untagged = json!({ "type": "union", "of": ["int", object, list] });
    assert_values(&untagged, &json!({ "s": "abc" }), &[json!({ "s": "abcd" }), json!({}), json!([{}])]);
    assert_values(&untagged, &json!([{ "s": "abc" }]), &[json!([{ "s": "abcd" }])]);
    let in_items = json!({ "type": "array<union>", "items": { "of": ["int", object] } });
    assert_values(&in_items, &json!([1, { "s": "abc" }]), &[json!([{ "s": "abcd" }])]);
    let in_map = json!({ "type": "map<?union>", "items": { "tag": "k", "of": { "a": object } }, "max": 1 });
    assert_values(&in_map, &json!({ "m": { "k": "a", "s": "abc" } }), &[json!({ "m": { "k": "a" } })]);
    let in_union = json!({ "type": "union", "of": ["int", { "type": "union", "of": ["bool", object] }] });
    let not_unique = compile_definition(load_one_file(&definition(&json!({}), &in_union))).1;
    assert!(not_unique.is_empty(), "{not_unique}");
}

#[test]
fn fields_of_objects_in_attributes_may_refer_to_schemas_around_them() {
    let of = json!(["int", { "type": "object", "fields": { "next": { "info": "N", "type": "?Term" } } }]);
    let schemas = json!({ "Term": { "info": "A term", "type": "union", "of": of } });
    let api = api(&schemas, &json!({ "type": "Term" }));
    let check = &api.modules[0].services[0].methods[0].parameters[0].r#type.check;
    assert!(check.checked((&json!({ "next": { "next": 5 } })).into()).is_ok());
    assert!(check.checked((&json!({ "next": { "next": "5" } })).into()).is_err());
    let without_end = json!(["int", { "type": "Term" }]);
    let schemas = json!({ "Term": { "info": "A term", "type": "union", "of": without_end } });
    let report = compile_definition(load_one_file(&definition(&schemas, &json!({ "type": "Term" })))).1;
    assert_eq!(diagnostic_codes(&report), ["endless-schema"], "{report}");
}

#[test]
fn comments_in_types_of_attributes_and_in_constraints_are_ignored() {
    let entry = json!({ "type": "string", "$comment": "a text", "x-reviewed": true });
    assert_values(&json!({ "type": "union", "of": ["int", entry] }), &json!("a"), &[json!(true)]);
    let of = json!({ "$comment": "two", "x-note": "kinds", "a": "object", "x-ray": { "type": "object" } });
    let tagged = json!({ "type": "union", "tag": "k", "of": of });
    assert_values(&tagged, &json!({ "k": "x-ray" }), &[json!({ "k": "x-note" }), json!({ "k": "$comment" })]);
    let fields = json!({ "a": { "info": "A", "type": "?int" }, "x-b": { "info": "B", "type": "?int" } });
    for constraint in [
        json!({ "together": ["a", "x-b"], "$comment": "both" }),
        json!({ "requires": { "a": ["x-b"], "x-b": ["a"], "x-comment": "both", "$comment": 1 } }),
    ] {
        let object = json!({ "type": "object", "fields": fields, "constraints": [constraint] });
        let (_, report) = compile_definition(load_one_file(&definition(&json!({}), &object)));
        assert!(report.is_empty(), "{report}");
    }
}

#[test]
fn words_of_enums_and_constants_may_be_names_of_schemas() {
    let schemas = json!({
        "Kind": { "info": "A kind", "type": "enum(Kind|Other)" },
        "Other": { "info": "A kind", "type": "enum", "range": ["Kind", "Other"] },
        "Same": { "info": "A word", "type": "const(Same)" },
        "Quoted": { "info": "A word", "type": "const", "value": "Quoted" },
        "First": { "info": "A word", "type": "enum(Second)" },
        "Second": { "info": "A word", "type": "enum(First)" },
        "Pattern": { "info": "A file", "type": "filename(Pattern|Kind)" },
        "Words": { "info": "Words", "type": "array<enum(Words|Kind)>" },
        "Union": { "info": "A union", "type": "union", "of": [
            "int", "enum(Union)", { "type": "enum", "range": ["Kind"] }, { "type": "const", "value": "Second" }
        ] },
        "Text": { "info": "A text with a type", "type": "varchar(1,9,Base)" },
        "Base": { "info": "A text", "type": "enum(Text|Base)" }
    });
    for name in schemas.as_object().unwrap().keys() {
        api(&schemas, &json!({ "type": name }));
    }
}

#[test]
fn types_in_attributes_can_be_nested_as_deep_as_the_text() {
    let mut inner = json!("int");
    for level in 0..58 {
        inner = match level % 2 {
            0 => json!({ "type": "union", "of": [{ "type": "map<int>" }, inner] }),
            _ => json!({ "type": "array<union>", "items": { "of": [inner] } }),
        };
    }
    let (_, report) =
        compile_definition(load_one_file(&definition(&json!({}), &json!({ "type": "union", "of": [inner] }))));
    assert!(report.is_empty() || diagnostic_codes(&report) == ["syntax"], "{report}");
}

#[test]
fn functions_in_types_of_attributes_must_exist() {
    let parameter = json!({ "type": "union", "of": [{ "type": "callable", "callback": "no_such" }] });
    let loaded = load_one_file(&definition(&json!({}), &parameter));
    let checked = check_definition(loaded, ProgramExtensions::default()).unwrap_or_else(|report| panic!("{report}"));
    let messages: Vec<_> = checked.unknown_function_errors.iter().map(|error| error.message.as_str()).collect();
    assert_eq!(messages, ["this program has no function `no_such`"]);
}
