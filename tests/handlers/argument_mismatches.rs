//! Tests the errors for argument types that do not accept values which the definition allows.

use std::collections::BTreeMap;
use std::path::Path;

use rulebook::{ApiError, Args, Context, Module, Rulebook};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use super::binding::without_lines;
use super::files_with_parameters;
use support::golden;

async fn empty_handler<T>(_: Args<T>, _: Context) -> Result<(), ApiError> {
    Ok(())
}

/// Binds a handler with the argument type `T`, and returns the report of the errors; an empty text if the type accepts
/// all values.
fn mismatch_report<T: DeserializeOwned + Send + 'static>(parameters: &Json) -> String {
    let module = Module::new("shop").post("/it", empty_handler::<T>);
    match Rulebook::read(files_with_parameters(parameters)).module(module).build() {
        Ok(_) => String::new(),
        Err(report) => without_lines(&report.render(false)),
    }
}

fn one_parameter(term: &str) -> Json {
    json!({ "value": { "info": "One", "type": term } })
}

#[test]
fn each_mismatch_of_an_argument_type_is_reported_with_its_source_line() {
    #[derive(Deserialize)]
    struct OneParameter<T> {
        #[allow(dead_code)]
        value: T,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        Red,
        Green,
    }
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Person {
        name: String,
        age: u8,
    }
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct ThreeParameters {
        first: u8,
        second: String,
        third: i64,
    }
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct MisspeltField {
        article_id: i64,
        titel: Option<String>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct UnknownFieldsDenied {
        first: i64,
    }
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct FlattenedParameters {
        first: i64,
        #[serde(flatten)]
        flattened: FlattenedField,
    }
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct FlattenedField {
        second: u8,
    }
    let several = json!({
        "first": { "info": "One", "type": "int" },
        "second": { "info": "Two", "type": "?string" },
        "third": { "info": "Three", "type": "bool" }
    });
    let two = json!({ "first": { "info": "One", "type": "int" }, "second": { "info": "Two", "type": "int" } });
    let articles = json!({
        "article_id": { "info": "Which", "type": "id" },
        "title": { "info": "Its title", "type": "?string" }
    });
    let person = json!({ "value": { "info": "Somebody", "type": "object", "fields": {
        "name": { "info": "A name", "type": "string" },
        "age": { "info": "In years", "type": "int(0,1000)" }
    } } });
    let cases = [
        ("u8 for int", mismatch_report::<OneParameter<u8>>(&one_parameter("int"))),
        ("u32 for int(-1,9)", mismatch_report::<OneParameter<u32>>(&one_parameter("int(-1,9)"))),
        ("i64 for uint", mismatch_report::<OneParameter<i64>>(&one_parameter("uint"))),
        ("f32 for float", mismatch_report::<OneParameter<f32>>(&one_parameter("float"))),
        ("i64 for float", mismatch_report::<OneParameter<i64>>(&one_parameter("float"))),
        ("i64 for string", mismatch_report::<OneParameter<i64>>(&one_parameter("string"))),
        ("String for int", mismatch_report::<OneParameter<String>>(&one_parameter("int"))),
        ("char for string", mismatch_report::<OneParameter<char>>(&one_parameter("string"))),
        ("no Option for an optional one", mismatch_report::<OneParameter<i64>>(&one_parameter("?int"))),
        (
            "an enum that lacks a variant",
            mismatch_report::<OneParameter<Colour>>(&one_parameter("enum(red|green|blue)")),
        ),
        (
            "an enum in a list that lacks a variant",
            mismatch_report::<OneParameter<Vec<Colour>>>(&one_parameter("array<enum(red|blue)>")),
        ),
        ("u8 in a list of int", mismatch_report::<OneParameter<Vec<u8>>>(&one_parameter("array<int>"))),
        ("a pair for any number", mismatch_report::<OneParameter<(i64, i64)>>(&one_parameter("array<int>"))),
        ("Vec for a list or an object", mismatch_report::<OneParameter<Vec<i64>>>(&one_parameter("loose_array<int>"))),
        ("u8 in an object", mismatch_report::<OneParameter<Person>>(&person)),
        ("String for any", mismatch_report::<OneParameter<String>>(&one_parameter("any"))),
        ("String for a file", mismatch_report::<OneParameter<String>>(&one_parameter("file"))),
        ("a file for a string", mismatch_report::<OneParameter<rulebook::Upload>>(&one_parameter("string"))),
        ("several at once", mismatch_report::<ThreeParameters>(&several)),
        ("a field that no parameter fills", mismatch_report::<MisspeltField>(&articles)),
        ("a parameter that is not taken", mismatch_report::<UnknownFieldsDenied>(&two)),
        ("a map of another type", mismatch_report::<BTreeMap<String, i64>>(&several)),
        ("a flattened field", mismatch_report::<FlattenedParameters>(&two)),
        ("a list for all", mismatch_report::<Vec<i64>>(&two)),
    ];
    let mut text = String::new();
    for (name, report) in cases {
        assert!(!report.is_empty(), "{name} fits");
        text += &format!("# {name}\n{report}\n");
    }
    golden::compare(Path::new("tests/data/handlers/argument_mismatches.txt"), &text);
}

#[test]
fn types_that_accept_all_values_are_not_reported() {
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct OneParameter<T> {
        value: T,
    }
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct OneOfTwoParameters {
        first: Option<i64>,
    }
    #[derive(Deserialize)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    #[allow(dead_code)]
    enum Tagged {
        X { size: i64 },
        Y,
    }
    let tagged = json!({
        "kind": { "info": "Which", "type": "enum(x|y)" },
        "size": { "info": "How large", "type": "int", "default": 0 }
    });
    let two = json!({ "first": { "info": "One", "type": "int" }, "second": { "info": "Not wanted", "type": "int" } });
    let defaulted = json!({ "value": { "info": "One", "type": "?int(0,9)", "default": 3 } });
    let timestamp = json!({ "value": { "info": "When", "type": "datetime", "format": "timestamp" } });
    for (name, report) in [
        ("i64", mismatch_report::<OneParameter<i64>>(&one_parameter("int"))),
        ("an option that is not needed", mismatch_report::<OneParameter<Option<i64>>>(&one_parameter("int"))),
        ("bounds", mismatch_report::<OneParameter<u8>>(&one_parameter("int(0,255)"))),
        ("a default", mismatch_report::<OneParameter<u8>>(&defaulted)),
        ("a parameter that is not wanted", mismatch_report::<OneOfTwoParameters>(&two)),
        ("seconds", mismatch_report::<OneParameter<i64>>(&timestamp)),
        ("loose", mismatch_report::<OneParameter<i64>>(&one_parameter("loose_int"))),
        ("a list or an object", mismatch_report::<OneParameter<Json>>(&one_parameter("loose_array<int>"))),
        ("a file", mismatch_report::<OneParameter<rulebook::Upload>>(&one_parameter("file"))),
        ("files", mismatch_report::<OneParameter<Vec<rulebook::Upload>>>(&one_parameter("array<file>"))),
        (
            "a file that may be missing",
            mismatch_report::<OneParameter<Option<rulebook::Upload>>>(&one_parameter("?file")),
        ),
        ("an enum that says by a field which it is", mismatch_report::<Tagged>(&tagged)),
    ] {
        assert_eq!(report, "", "{name}");
    }
}
