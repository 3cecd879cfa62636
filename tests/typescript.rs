//! Tests the TypeScript declarations of an API: the declarations equal golden files, and arguments have unambiguous
//! names.
//!
//! The script `tests/external/typescript` compiles the declarations and compares them with the TypeScript client.

use std::path::{Path, PathBuf};
use std::{env, fs};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use rulebook::{Rulebook, Unbound};
use rulebook_model::describe::{argument_names, typescript};
use serde_json::{Map, Value as Json, json};

use crate::client::{Request, TestServer, engine};
use support::{generate, golden};

#[test]
fn typescript_declarations_equal_the_golden_files() {
    for (folder, kept) in [("api", "demo.d.ts"), ("tests/typescript/odd", "odd.d.ts")] {
        let api = Rulebook::load(Path::new(folder)).check().expect("the definition is valid");
        golden::compare(&Path::new("tests/typescript").join(kept), &typescript(&api));
    }
}

#[test]
fn typescript_results_of_a_server_that_echoes_arguments_are_the_arguments() {
    let out = json!({ "count": { "info": "I", "type": "int" } });
    for out in [out, json!({})] {
        let tree = json!({ "/": { "x": { "GET": { "info": "x", "in": { "GET@n": { "info": "I", "type": "int" } }, "out": out } } } });
        let server = TestServer::echo(&[("x.json", tree)]);
        let declarations = String::from_utf8(server.send(&Request::new("GET", "/docs/api.d.ts")).body).unwrap();
        let (_, result) = declarations.split_once("result: ").unwrap();
        let (result, _) = result.split_once("errors:").unwrap();
        let words: Vec<_> = result.split_whitespace().collect();
        assert_eq!(
            words.join(" "),
            "{ /** The checked arguments, by their names in code */ args: { [name: string]: unknown }; };"
        );
    }
}

#[test]
fn typescript_arguments_for_dates_are_texts_or_dates_and_results_are_texts() {
    let value = |term: &str| json!({ "info": "I", "type": term });
    let input = json!({
        "day": value("date"),
        "time": { "info": "I", "type": "?datetime", "min": "2020-01-01" },
        "days": value("array<date>"),
        "text": value("string(1,9)")
    });
    let method = json!({ "info": "I", "in": input, "out": { "day": value("date"), "time": value("datetime") } });
    let tree = json!({ "/": { "x": { "POST": method } } });
    let engine = engine(&[("x.json", tree)], |rulebook| rulebook.unbound(Unbound::NotImplemented));
    let declarations = typescript(engine.api());
    let (arguments, result) = declarations.split_once("result: ").unwrap();
    for member in
        ["day: string | Date;", "time?: string | Date | null;", "days: ReadonlyArray<string | Date>;", "text: string;"]
    {
        assert!(arguments.contains(&format!(" {member}\n")), "{member}: {arguments}");
    }
    assert!(result.contains(" day: string;\n") && result.contains(" time: string;\n"), "{result}");
}

/// Returns the argument names of a method. Each item of `parameters` is the key of a parameter in the definition, and
/// its name in code if it has one.
fn declared_argument_names(http: &str, parameters: &[(&str, Option<&str>)]) -> Vec<String> {
    let written = |(key, name): &(&str, Option<&str>)| {
        let mut parameter = json!({ "info": "x", "type": "?int" });
        if let Some(name) = name {
            parameter["name"] = json!(name);
        }
        ((*key).to_owned(), parameter)
    };
    let inputs: Map<String, Json> = parameters.iter().map(written).collect();
    let tree = json!({ "/": { "x": { (http): { "info": "x", "in": inputs } } } });
    let engine = engine(&[("x.json", tree)], |rulebook| rulebook.unbound(Unbound::Echo));
    argument_names(&engine.api().modules[0].services[0].methods[0].parameters)
}

#[test]
fn typescript_arguments_have_the_shortest_unambiguous_name() {
    for (parameters, expected) in [
        // An argument is named by the parameter's name in code, or without this name by the parameter's name in
        // requests.
        (&[("GET@tag", Some("t")), ("GET@page", None)][..], &["t", "page"][..]),
        (&[("URL#0", None), ("URL#1", Some("line"))], &["URL#0", "line"]),
        (&[("HEADER@X-A", None), ("COOKIE@c", None), ("ANY@a", None), ("b", None)], &["X-A", "c", "a", "b"]),
        // A name that equals the key of another parameter is ambiguous, even if the other parameter has a different
        // name in code.
        (&[("a", Some("GET@b")), ("GET@b", Some("c"))], &["a", "c"]),
        (&[("a", Some("b")), ("b", Some("a"))], &["a", "b"]),
    ] {
        assert_eq!(declared_argument_names("POST", parameters), expected, "{parameters:?}");
    }
}

/// Writes random definitions for the TypeScript compiler, each into its own folder below `RULEBOOK_GENERATED`.
#[test]
#[ignore = "writes files for tests/external/typescript"]
fn random_definitions_are_written() {
    const COUNT: usize = 40;
    let to = PathBuf::from(env::var_os("RULEBOOK_GENERATED").expect("RULEBOOK_GENERATED is the folder to write to"));
    let mut runner = TestRunner::deterministic();
    for number in 0..COUNT {
        let generated = generate::definitions().new_tree(&mut runner).expect("there are definitions").current();
        let folder = to.join(number.to_string());
        fs::create_dir_all(&folder).expect("folders can be made");
        for (name, json) in &generated.files {
            fs::write(folder.join(name), json.to_string()).expect("files can be written");
        }
    }
}

#[test]
fn typescript_types_of_schemas_have_names_that_are_allowed_and_unused() {
    let api = Rulebook::load("tests/typescript/names").check().expect("the definition is valid");
    let declarations = typescript(&api);
    let names: Vec<&str> =
        declarations.lines().filter_map(|line| line.strip_prefix("export type ")?.split([' ', '<']).next()).collect();
    let different: std::collections::HashSet<&str> = names.iter().copied().collect();
    assert_eq!(different.len(), names.len(), "{names:?}");
    for name in [
        "import_",
        "importArgument",
        "class_",
        "Api_",
        "Array_",
        "File",
        "Foo",
        "FooArgument_47dea63a",
        "FooArgument_40bc6484",
        "foo_bar_8c55acc7",
        "foo_bar_e3cfbf75",
    ] {
        assert!(different.contains(name), "{name}: {names:?}");
    }
    for reserved in ["import", "class", "Array", "unknown", "undefined", "FooArgument", "foo_bar"] {
        assert!(!different.contains(reserved), "{reserved}: {names:?}");
    }
}
