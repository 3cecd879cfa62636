//! Argument types that do not accept values which the definition allows.

use std::collections::BTreeMap;
use std::path::Path;

use rulebook::{ApiError, Args, Context, Module, Rulebook};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use super::binding::without_lines;
use super::files_with_parameters;
use support::golden;

async fn ignore<T>(_: Args<T>, _: Context) -> Result<(), ApiError> {
    Ok(())
}

/// The report about a handler with the argument type `T`; empty if it accepts all values.
fn report<T: DeserializeOwned + Send + 'static>(parameters: &Json) -> String {
    let module = Module::new("shop").post("/it", ignore::<T>);
    match Rulebook::read(files_with_parameters(parameters)).module(module).build() {
        Ok(_) => String::new(),
        Err(report) => without_lines(&report.render(false)),
    }
}

fn one(term: &str) -> Json {
    json!({ "a": { "info": "One", "type": term } })
}

#[test]
fn mismatches_are_reported_with_their_positions() {
    #[derive(Deserialize)]
    struct A<T> {
        #[allow(dead_code)]
        a: T,
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
    struct Several {
        a: u8,
        b: String,
        c: i64,
    }
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Misspelt {
        article_id: i64,
        titel: Option<String>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Strict {
        a: i64,
    }
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Flat {
        a: i64,
        #[serde(flatten)]
        rest: A2,
    }
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct A2 {
        b: u8,
    }
    let several = json!({
        "a": { "info": "One", "type": "int" },
        "b": { "info": "Two", "type": "?string" },
        "c": { "info": "Three", "type": "bool" }
    });
    let two = json!({ "a": { "info": "One", "type": "int" }, "b": { "info": "Two", "type": "int" } });
    let articles = json!({
        "article_id": { "info": "Which", "type": "id" },
        "title": { "info": "Its title", "type": "?string" }
    });
    let person = json!({ "a": { "info": "Somebody", "type": "object", "fields": {
        "name": { "info": "A name", "type": "string" },
        "age": { "info": "In years", "type": "int(0,1000)" }
    } } });
    let cases = [
        ("u8 for int", report::<A<u8>>(&one("int"))),
        ("u32 for int(-1,9)", report::<A<u32>>(&one("int(-1,9)"))),
        ("i64 for uint", report::<A<i64>>(&one("uint"))),
        ("f32 for float", report::<A<f32>>(&one("float"))),
        ("i64 for float", report::<A<i64>>(&one("float"))),
        ("i64 for string", report::<A<i64>>(&one("string"))),
        ("String for int", report::<A<String>>(&one("int"))),
        ("char for string", report::<A<char>>(&one("string"))),
        ("no Option for an optional one", report::<A<i64>>(&one("?int"))),
        ("an enum that lacks a variant", report::<A<Colour>>(&one("enum(red|green|blue)"))),
        ("an enum in a list that lacks a variant", report::<A<Vec<Colour>>>(&one("array<enum(red|blue)>"))),
        ("u8 in a list of int", report::<A<Vec<u8>>>(&one("array<int>"))),
        ("a pair for any number", report::<A<(i64, i64)>>(&one("array<int>"))),
        ("u8 in an object", report::<A<Person>>(&person)),
        ("String for any", report::<A<String>>(&one("any"))),
        ("String for a file", report::<A<String>>(&one("file"))),
        ("a file for a string", report::<A<rulebook::Upload>>(&one("string"))),
        ("several at once", report::<Several>(&several)),
        ("a field that no parameter fills", report::<Misspelt>(&articles)),
        ("a parameter that is not taken", report::<Strict>(&two)),
        ("a map of another type", report::<BTreeMap<String, i64>>(&several)),
        ("a flattened field", report::<Flat>(&two)),
        ("a list for all", report::<Vec<i64>>(&two)),
    ];
    let mut text = String::new();
    for (name, report) in cases {
        assert!(!report.is_empty(), "{name} fits");
        text += &format!("# {name}\n{report}\n");
    }
    golden::compare(Path::new("tests/data/handlers/misfits.txt"), &text);
}

#[test]
fn types_that_accept_all_values_are_not_reported() {
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct A<T> {
        a: T,
    }
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Some2 {
        a: Option<i64>,
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
    let two = json!({ "a": { "info": "One", "type": "int" }, "b": { "info": "Not wanted", "type": "int" } });
    let defaulted = json!({ "a": { "info": "One", "type": "?int(0,9)", "default": 3 } });
    let timestamp = json!({ "a": { "info": "When", "type": "datetime", "format": "timestamp" } });
    for (name, report) in [
        ("i64", report::<A<i64>>(&one("int"))),
        ("an option that is not needed", report::<A<Option<i64>>>(&one("int"))),
        ("bounds", report::<A<u8>>(&one("int(0,255)"))),
        ("a default", report::<A<u8>>(&defaulted)),
        ("a parameter that is not wanted", report::<Some2>(&two)),
        ("seconds", report::<A<i64>>(&timestamp)),
        ("loose", report::<A<i64>>(&one("loose_int"))),
        ("a file", report::<A<rulebook::Upload>>(&one("file"))),
        ("files", report::<A<Vec<rulebook::Upload>>>(&one("array<file>"))),
        ("a file that may be missing", report::<A<Option<rulebook::Upload>>>(&one("?file"))),
        ("an enum that says by a field which it is", report::<Tagged>(&tagged)),
    ] {
        assert_eq!(report, "", "{name}");
    }
}
