//! Tests methods without a handler that respond with examples of their outputs.

use proptest::prelude::*;
use rulebook::error::ErrorCode;
use rulebook::{Engine, Rulebook, Unbound};
use rulebook_model::call::Value;
use rulebook_model::describe::example::outputs_example;
use rulebook_model::model::Method;
use serde_json::{Value as Json, json};

use super::{call, files};

fn mock(definition: &Json) -> Result<Engine, String> {
    let rulebook = Rulebook::read(files("notes", definition)).unbound(Unbound::Mock);
    rulebook.build().map_err(|report| report.render(false))
}

#[test]
fn with_mock_methods_without_a_handler_return_an_example() {
    let outputs = json!({
        "title": { "info": "The title", "type": "string(1, 20)", "example": "Bread" },
        "size": { "info": "The number of characters", "type": "uint(3, 9)" }
    });
    let mut method = json!({ "info": "A note", "out": outputs });
    let file = json!({ "info": "A file", "options": { "download": true } });
    let valued = json!({ "info": "A value", "out": { "n": { "info": "A number", "type": "int" } }, "handler": { "value": { "n": 7 } } });
    method["in"] = json!({ "x": { "info": "Anything", "type": "string" } });
    let definition =
        json!({ "/": { "note": { "POST": method }, "file": { "GET": file }, "seven": { "GET": valued } } });
    let engine = Rulebook::read(files("notes", &definition)).unbound(Unbound::Mock).build().unwrap();
    let outputs = |target: &str, arguments: Json| call(&engine, target, &arguments).outputs();
    let note = outputs("note.post", json!({ "x": "y" })).unwrap();
    assert_eq!(note["title"], "Bread");
    assert!((3..=9).contains(&note["size"].as_u64().unwrap()), "{note}");
    assert_eq!(outputs("note.post", json!({ "x": "y" })).unwrap(), note, "every call has the same outputs");
    assert_eq!(outputs("note.post", json!({})).unwrap_err().code(), ErrorCode::MissingParameter);
    assert_eq!(outputs("seven.get", json!({})).unwrap(), json!({ "n": 7 }));
    assert!(call(&engine, "file.get", &json!({})).download().is_some());
}

/// Checks the outputs of a method as clients do: required outputs exist, and all have their types.
fn check_outputs(method: &Method, outputs: &Json) {
    for output in &method.outputs {
        let value = if output.is_whole() { Some(outputs) } else { outputs.get(&output.name) };
        match value {
            None | Some(Json::Null) if output.optional => {}
            None => panic!("{}: the output {} is missing in {outputs}", method.id, output.name),
            Some(value) => {
                let checked = output.r#type.check.checked(Value::from(value));
                assert!(checked.is_ok(), "{}: {} is {value}", method.id, output.name);
            }
        }
    }
}

#[test]
fn schemas_that_contain_each_other_have_examples() {
    let field = |r#type: &str| json!({ "info": "A field", "type": r#type });
    let object = |fields: Json| json!({ "info": "An object", "fields": fields });
    let tagged = |of: Json| json!({ "info": "A union", "type": "union", "tag": "k", "of": of });
    for (schemas, expected) in [
        (
            json!({ "A": object(json!({ "x": field("int"), "y": field("?B") })), "B": tagged(json!({ "i": "A" })) }),
            json!({ "k": "i", "x": 1 }),
        ),
        (
            json!({
                "A": object(json!({ "y": field("?B"), "x": field("C") })),
                "B": object(json!({ "c": field("C"), "a": field("A") })),
                "C": tagged(json!({ "i": "D", "j": "A" })),
                "D": object(json!({ "n": field("array<C>"), "b": field("?B") })),
            }),
            Json::Null,
        ),
        (
            json!({
                "A": object(json!({ "b": field("?B") })),
                "P": object(json!({ "a": field("A") })),
                "B": object(json!({ "q": field("Q"), "list": field("array<B>") })),
                "Q": tagged(json!({ "p": "P", "b": "B" })),
            }),
            Json::Null,
        ),
    ] {
        let outputs = json!({ "b": field("B"), "list": field("array<B>") });
        let methods = json!({ "note": { "GET": { "info": "A note", "out": outputs } } });
        let engine = mock(&json!({ "schemas": schemas, "/": methods })).unwrap();
        let outputs = call(&engine, "note.get", &json!({})).outputs().unwrap();
        assert!(expected.is_null() || outputs["b"] == expected, "{outputs}");
        check_outputs(&engine.api().modules[0].services[0].methods[0], &outputs);
    }
}

#[test]
fn examples_fulfill_every_requirement_of_the_types() {
    let field = |r#type: &str| json!({ "info": "A field", "type": r#type });
    let object = |constraints: Json| {
        let fields = json!({ "since": field("?date"), "until": field("?date"), "name": field("?string") });
        json!({ "type": "object", "fields": fields, "constraints": constraints })
    };
    let outputs = [
        object(json!([{ "less": ["since", "until"] }])),
        object(json!([{ "at_most": ["until", "since"] }])),
        object(json!([{ "equal": ["since", "until"] }])),
        object(json!([{ "exactly_one": ["since", "name"] }, { "requires": { "until": ["since"] } }])),
        object(json!([{ "together": ["since", "until"] }, { "at_least_one": ["since", "name"] }])),
        json!({ "type": "string(2000,3000)" }),
        json!({ "type": "string(10000)" }),
        json!({ "type": "string(10,12)", "regex": "^([a-z]{2}-)+[0-9]{2}$" }),
        json!({ "type": "string(500)", "regex": "/^(\\w+ ?)+[.!?]$/" }),
        json!({ "type": "array<int>", "min": 500 }),
        json!({ "type": "map<int>", "min": 30, "keys": "string(2)" }),
        json!({ "type": "object", "closed": true, "min": 1, "max": 1, "fields": { "a": field("?int"), "b": field("?int") } }),
        json!({ "type": "Tree" }),
        json!({ "type": "array<Period>", "min": 2 }),
        json!({ "type": "partial<Period>" }),
        json!({ "type": "Shape" }),
    ];
    let schemas = json!({
        "Period": { "info": "A period", "fields": { "since": field("date"), "until": field("date") },
            "constraints": [{ "less": ["since", "until"] }] },
        "Tree": { "info": "A tree", "fields": { "parent": field("?Tree"), "leaves": field("array<Tree>"), "period": field("Period") } },
        "Round": { "info": "Round", "fields": { "kind": field("const(round)"), "radius": field("float(0.5,1)") } },
        "Shape": { "info": "A shape", "type": "union", "tag": "kind", "of": { "round": "Round", "period": "Period" } }
    });
    for (number, mut output) in outputs.into_iter().enumerate() {
        output["info"] = json!("An output");
        for name in ["x", "*"] {
            let method = json!({ "info": "Gets it", "out": { (name): output } });
            let definition = json!({ "schemas": schemas, "/": { "it": { "GET": method } } });
            let engine = mock(&definition).unwrap_or_else(|report| panic!("{number}: {report}"));
            let outputs = call(&engine, "it.get", &json!({})).outputs();
            let outputs = outputs.unwrap_or_else(|error| panic!("{output}: {error}"));
            check_outputs(&engine.api().modules[0].services[0].methods[0], &outputs);
        }
    }
}

#[test]
fn outputs_without_an_example_are_reported_at_the_start() {
    let outputs = |term: &str, example: Option<&str>| {
        let mut output = json!({ "info": "A code", "type": term, "regex": "^(a|bbbb)$" });
        if let Some(example) = example {
            output["example"] = json!(example);
        }
        json!({ "/": { "it": { "GET": { "info": "Gets it", "out": { "code": output, "other": { "info": "O", "type": "int" } } } } } })
    };
    let report = mock(&outputs("string(2)", None)).unwrap_err();
    let expected =
        "error[bad-handler]: no example of the output `code` of it.get can be generated from the type `string(2)`";
    assert!(report.contains(expected), "{report}");
    assert!(report.contains("api/notes.json:7:") && report.contains("add an `example` to the output"), "{report}");
    assert_eq!(report.matches("error[").count(), 1, "{report}");
    assert!(mock(&outputs("?string(2)", None)).is_ok(), "an optional output is omitted");
    assert!(mock(&outputs("string(1)", Some("a"))).is_ok());
}

proptest! {
    #![proptest_config(support::random::cases(64))]

    /// A generated type has a value, so that only types with a function of the program have no example.
    #[test]
    fn each_method_of_a_random_definition_has_an_example_or_is_reported(generated in support::generate::definitions()) {
        let api = rulebook_model::read(generated.bytes()).unwrap_or_else(|report| panic!("{report}"));
        let methods = || api.modules.iter().flat_map(|module| &module.services).flat_map(|service| &service.methods);
        for method in methods() {
            let outputs = outputs_example(method);
            prop_assert!(outputs.is_some(), "{}", method.id);
            check_outputs(method, &outputs.unwrap_or_default());
        }
        let accept = |value: &Json, _: Option<&Json>| Ok(value.clone());
        let rulebook = Rulebook::read(generated.bytes()).unbound(Unbound::Mock);
        let built = rulebook.callable("Class::method", accept).callable("exclaim", accept).build();
        if let Err(report) = built {
            let text = report.to_string();
            let count = text.matches("error[").count();
            prop_assert_eq!(text.matches("error[bad-handler]: no example of the output").count(), count, "{}", text);
            prop_assert!(format!("{generated:?}").contains("callable"), "{}", text);
        }
    }
}
