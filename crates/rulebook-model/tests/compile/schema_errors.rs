//! Tests of the errors of schemas and constraints, and of the errors of values that they reject.

use std::fmt::Write;

use rulebook_model::Value;
use serde_json::{Map, Value as Json, json};

use super::{compile_definition, compile_valid_definition, diagnostic_codes, load_one_file};

/// Returns a definition with these schemas and one method, whose parameter `x` has these keys besides `info`.
fn definition(schemas: &Json, parameter: &Json) -> String {
    let mut keys = parameter.clone();
    keys["info"] = json!("X");
    json!({ "schemas": schemas, "POST": { "info": "Try it", "in": { "x": keys } } }).to_string()
}

/// Returns the messages of the errors of a definition.
fn messages(schemas: &Json, parameter: &Json) -> Vec<String> {
    let (_, report) = compile_definition(load_one_file(&definition(schemas, parameter)));
    report.diagnostics.iter().map(|diagnostic| diagnostic.message.clone()).collect()
}

/// Returns the error of a value of the parameter: its path, and what was expected and received. It is empty if the
/// value is valid.
fn value_error(parameter: &Json, value: Value<'_>) -> String {
    let api = compile_valid_definition(load_one_file(&definition(&json!({}), parameter)));
    let check = &api.modules[0].services[0].methods[0].parameters[0].r#type.check;
    match check.checked(value) {
        Ok(_) => String::new(),
        Err(error) => format!("{}: expected {}, got {}", error.path, error.expected, error.got),
    }
}

/// Returns schemas of which each extends the next.
fn chain(count: usize) -> Json {
    let schema = |index: usize| {
        let field = format!("f{index}");
        let mut schema = json!({ "info": "A part", "fields": { (field): { "info": "F", "type": "?int" } } });
        if index + 1 < count {
            schema["extends"] = json!([format!("S{}", index + 1)]);
        }
        (format!("S{index}"), schema)
    };
    Json::Object((0..count).map(schema).collect::<Map<_, _>>())
}

#[test]
fn long_chains_of_extends_are_one_error() {
    assert!(messages(&chain(64), &json!({ "type": "S0" })).is_empty());
    let expected = ["more than 64 schemas extend each other in a chain"];
    for count in [65, 3_000] {
        assert_eq!(messages(&chain(count), &json!({ "type": "int" })), expected, "{count}");
    }
}

#[test]
fn a_schema_that_extends_itself_is_an_error_at_the_name_that_leads_back() {
    let schemas = json!({
        "Base": { "info": "A base", "fields": {} },
        "A": { "info": "A", "extends": ["Base", "B"] },
        "B": { "info": "B", "extends": ["A"] },
        "C": { "info": "C", "extends": ["A"] }
    });
    let text = definition(&schemas, &json!({ "type": "int" }));
    let (_, report) = compile_definition(load_one_file(&text));
    assert_eq!(diagnostic_codes(&report), ["bad-option", "bad-option"], "{report}");
    let found: Vec<_> = report.diagnostics.iter().map(|error| error.message.as_str()).collect();
    assert_eq!(found, ["the schema `A` extends itself", "the schema `B` extends itself"]);
    let column = text.find("\"B\"]").unwrap() + 1;
    assert!(report.to_string().contains(&format!(":1:{}", column + 1)), "{report}");
}

#[test]
fn errors_of_schemas_and_constraints_name_the_cause() {
    let base = json!({ "info": "A base", "fields": { "a": { "info": "A", "type": "?int" } } });
    let with = |schema: Json| json!({ "A": base, "B": schema });
    let object = |a: Json, b: Json, constraint: Json| json!({ "type": "object", "fields": { "a": a, "b": b }, "constraints": [constraint] });
    let field = |term: &str| json!({ "info": "A field", "type": term });
    let seconds = json!({ "info": "A time", "type": "?datetime", "format": "timestamp" });
    let own_part = json!({ "info": "B", "fields": { "b": { "info": "B", "type": "?partial<B>" } } });
    let int = json!({ "type": "int" });
    let less = json!({ "less": ["a", "b"] });
    let equal = json!({ "equal": ["a", "b"] });
    let cases = [
        (
            with(json!({ "info": "B", "type": "int", "extends": ["A"] })),
            int.clone(),
            "a schema of the type `int` cannot extend others",
        ),
        (with(own_part), int.clone(), "`partial<B>` cannot be a part of the schema `B`"),
        (json!({}), json!({ "type": "partial<int>" }), "`int` is not a schema of objects"),
        (
            json!({}),
            object(seconds.clone(), field("?datetime"), less.clone()),
            "`less` cannot compare two values of the type `datetime` with different formats",
        ),
        (
            json!({}),
            object(field("?int"), field("?string"), equal.clone()),
            "`equal` cannot compare `int` with `string`, because their values always differ",
        ),
        (json!({}), object(field("?int"), field("?int"), json!({ "requires": {} })), "`requires` has no names"),
        (
            json!({}),
            object(field("?int"), field("?int"), json!({ "together": ["a", "b"], "message": " " })),
            "the `message` of a constraint is blank",
        ),
    ];
    for (schemas, parameter, expected) in cases {
        assert_eq!(messages(&schemas, &parameter), [expected], "{schemas} {parameter}");
    }
    for (a, b) in [
        (field("?int"), field("?float")),
        (field("?any"), field("?int")),
        (field("?numeric"), field("?int")),
        (field("?text_id"), field("?int")),
        (field("?enum(a|b)"), field("?string")),
        (seconds, field("?int")),
    ] {
        assert!(messages(&json!({}), &object(a.clone(), b.clone(), equal.clone())).is_empty(), "{a} {b}");
    }
}

#[test]
fn errors_of_constraints_between_members_do_not_quote_secrets() {
    let text = json!({ "info": "A text", "type": "string" });
    let mut fields = Map::new();
    for name in ["password", "confirmation", "text", "copy"] {
        fields.insert(name.to_owned(), text.clone());
    }
    let constraints = json!([{ "equal": ["password", "confirmation"] }, { "equal": ["text", "copy"] }]);
    let parameter = json!({ "type": "object", "fields": fields, "constraints": constraints });
    let error = |copies: [&str; 2]| {
        let value = json!({ "password": "hunter2", "confirmation": copies[0], "text": "a", "copy": copies[1] });
        value_error(&parameter, (&value).into())
    };
    assert_eq!(error(["hunter3", "a"]), ".confirmation: expected the same value as password, got a hidden value");
    assert_eq!(error(["hunter2", "b"]), ".copy: expected the same value as text, got \"b\"");
}

#[test]
fn errors_of_unions_name_each_type_once_and_the_member_that_chooses_it() {
    let object = |kind: &str| json!({ "type": "object", "fields": { "kind": { "info": "The kind", "type": format!("const({kind})") } } });
    let parameter = json!({ "type": "union", "of": ["int(1,5)", object("a"), object("b"), object("7")] });
    let mut errors = String::new();
    for value in [json!(9), json!("x"), json!({}), json!({ "kind": "c" }), json!({ "kind": 7 })] {
        writeln!(errors, "{}", value_error(&parameter, (&value).into())).unwrap();
    }
    let expected = "\
: expected a whole number from 1 to 5, or an object, got 9
: expected a whole number from 1 to 5, or an object, got \"x\"
.kind: expected one of a, b, 7, got nothing
.kind: expected one of a, b, 7, got \"c\"

";
    assert_eq!(errors, expected);
}

#[test]
fn the_text_null_is_the_value_of_the_type_null() {
    let parameter = |r#type: &Json| {
        let api = compile_valid_definition(load_one_file(&definition(&json!({}), r#type)));
        api.modules[0].services[0].methods[0].parameters[0].r#type.check.clone()
    };
    let decoded = |check: &dyn rulebook_model::types::Check, text: &str| check.decode(text.to_owned().into()).to_json();
    let null = parameter(&json!({ "type": "null" }));
    assert_eq!([decoded(&*null, "null"), decoded(&*null, "x")], [json!(null), json!("x")]);
    let first = parameter(&json!({ "type": "union", "of": ["null", "string"] }));
    assert_eq!([decoded(&*first, "null"), decoded(&*first, "7")], [json!(null), json!("7")]);
    let last = parameter(&json!({ "type": "union", "of": ["string", "null"] }));
    assert_eq!(decoded(&*last, "null"), json!("null"));
    let with_array = parameter(&json!({ "type": "union", "of": ["string", "int", "array<int>"] }));
    assert_eq!(
        [decoded(&*with_array, "7"), decoded(&*with_array, "[7]"), decoded(&*with_array, "seven")],
        [json!(7), json!([7]), json!("seven")]
    );
}
