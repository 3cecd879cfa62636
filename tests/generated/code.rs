//! The text of the generated code.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use rulebook_build::{Build, Purpose, rust_code};
use rulebook_model::model::Api;
use serde_json::{Value as Json, json};
use support::{generate, golden};

fn api() -> Api {
    rulebook_model::load("tests/data/generated/api").unwrap()
}

fn read(definition: &serde_json::Value) -> Api {
    rulebook_model::read(vec![("site.json".into(), definition.to_string().into_bytes())]).unwrap()
}

#[test]
fn generated_code_equals_the_golden_files() {
    let api = api();
    golden::compare(Path::new("tests/data/generated/api.rs"), &rust_code(&api, Purpose::Handlers));
    golden::compare(Path::new("tests/data/generated/types.rs"), &rust_code(&api, Purpose::Types));
}

#[test]
fn descriptions_cannot_end_their_comments() {
    let info = "one\r\n*/ two\u{202e}three\n\n#![x] \"quoted\" \\";
    let api = read(&json!({ "info": info, "/": { "a": { "GET": {
        "info": info, "out": { "b\"]": { "info": info, "type": "string" } }, "errors": { "x": { "info": info } } } } } }));
    let code = rust_code(&api, Purpose::Handlers);
    assert!(!code.contains(['\u{202e}', '\r']), "{code}");
    for line in code.lines().filter(|line| line.contains("two") || line.contains("#![x]")) {
        assert!(line.trim_start().starts_with("///"), "{line}");
    }
    assert!(code.contains(r#"#[serde(rename = "b\"]")]"#), "{code}");
}

#[test]
fn names_that_become_the_same_identifier_are_spelled_out_and_those_of_methods_get_hashes() {
    let field = |info: &str| json!({ "info": info, "type": "int" });
    let out = json!({ "a-b": field("1"), "a_b": field("2"), "aB": field("3"), "?!": field("4"), "7": field("5") });
    let api = read(
        &json!({ "/": { "x": { "GET": { "info": "1", "out": out } }, "X": { "GET": { "info": "2", "out": out } } } }),
    );
    let code = rust_code(&api, Purpose::Types);
    for field in ["a_minus_b_", "a_underscore_b_", "aB_", "question_not", "_7"].map(|name| format!("pub {name}: i64")) {
        assert!(code.contains(&field), "{field}: {code}");
    }
    assert!(code.contains("struct XGet3b077945Outputs {") && code.contains("struct XGetE0c2eae5Outputs {"), "{code}");
}

#[test]
fn names_omit_the_module_only_if_it_is_the_first_word_of_the_id() {
    let get = json!({ "GET": { "info": "I", "out": { "a": { "info": "I", "type": "int" } } } });
    let paths = json!({ "mixed": get, "m/ixed": get, "m4": get, "m": get, "x/m": get });
    let definition = json!({ "/": paths }).to_string();
    let api = rulebook_model::read(vec![("m.json".into(), definition.into_bytes())]).unwrap();
    let code = rust_code(&api, Purpose::Types);
    for name in ["MixedGetOutputs", "IxedGetOutputs", "M4GetOutputs", "GetOutputs", "XMGetOutputs"] {
        assert!(code.contains(&format!("pub struct {name} {{")), "{name}: {code}");
    }
}

#[test]
fn names_of_parts_have_no_underscores() {
    let api = read(&json!({ "/": { "a": { "POST": { "info": "I", "in": {
        "7": { "info": "I", "type": "object", "fields": { "b": { "info": "I", "type": "int" } } } } } } } }));
    let code = rust_code(&api, Purpose::Types);
    assert!(code.contains("pub _7: APost7,") && code.contains("pub struct APost7 {"), "{code}");
}

#[test]
fn names_of_fields_that_would_be_equal_are_spelled_out() {
    let field = json!({ "info": "I", "type": "int" });
    let api = read(&json!({ "/": { "a": { "POST": { "info": "I", "in": { "self": field, "self_": field } } } } }));
    let code = rust_code(&api, Purpose::Types);
    assert!(code.contains("pub self_645ba277: i64") && code.contains("pub self_underscore__: i64"), "{code}");
}

#[test]
fn names_of_types_do_not_depend_on_other_types_and_do_not_move() {
    let object =
        |field: &str| json!({ "info": "I", "type": "object", "fields": { (field): { "info": "I", "type": "int" } } });
    let code = |input: Json, out: Json, errors: Json, schemas: Json| {
        let get = json!({ "id": "site.get", "info": "I", "in": input, "out": out, "errors": errors });
        rust_code(&read(&json!({ "schemas": schemas, "/": { "a": { "POST": get } } })), Purpose::Types)
    };
    let [none, line, other] = [json!({}), json!({ "line": object("a") }), json!({ "line": object("b") })];
    let error = json!({ "gone": { "info": "I" } });
    let clash = json!({ "GetLine": { "info": "I", "type": "array<int>" } });
    for (input, out, errors, schemas, names) in [
        (&line, &none, &none, &none, &["GetLine"][..]),
        (&none, &line, &none, &none, &["GetLine"]),
        (&line, &line, &none, &none, &["GetLine"]),
        (&line, &other, &none, &none, &["GetArgumentsLine", "GetOutputsLine"]),
        (&other, &line, &none, &none, &["GetArgumentsLine", "GetOutputsLine"]),
        (&line, &none, &none, &clash, &["GetArgumentsLine", "GetLine8c53a265"]),
        (&json!({ "error": object("a") }), &none, &none, &none, &["GetArgumentsError"]),
        (&json!({ "error": object("a") }), &none, &error, &none, &["GetArgumentsError", "GetError"]),
    ] {
        let code = code(input.clone(), out.clone(), errors.clone(), schemas.clone());
        for name in names {
            assert!(code.contains(&format!(" {name} ")), "{name}: {code}");
        }
    }
}

#[test]
fn names_of_the_types_of_a_union_do_not_depend_on_their_order() {
    let object = |kind: &str| {
        let fields = json!({ "kind": { "info": "I", "type": format!("const({kind})") } });
        json!({ "type": "object", "fields": fields })
    };
    let all = [object("a"), object("b"), json!("array<int>")];
    let variants = |order: &[usize]| {
        let of: Vec<&Json> = order.iter().map(|index| &all[*index]).collect();
        let value = json!({ "info": "I", "type": "union", "of": of });
        let api = read(&json!({ "/": { "a": { "POST": { "info": "I", "in": { "u": value } } } } }));
        let code = rust_code(&api, Purpose::Types);
        let (_, after) = code.split_once("enum APostU {").unwrap();
        let lines = after.split_once('}').unwrap().0.lines().map(str::trim).filter(|line| line.ends_with("),"));
        lines.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let expected = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<BTreeSet<_>>();
    let both =
        ["ObjectKindA(APostArgumentsUObjectKindA),", "ObjectKindB(APostArgumentsUObjectKindB),", "List(Vec<i64>),"];
    for order in [&[0, 1, 2], &[2, 1, 0], &[1, 2, 0]] {
        assert_eq!(variants(order), expected(&both), "{order:?}");
    }
    assert_eq!(variants(&[1, 2]), expected(&["Object(APostUObject),", "List(Vec<i64>),"]));
}

#[test]
fn constants_have_a_type_with_their_value_only() {
    let constant = |text: &str| json!({ "info": "I", "type": format!("const({text})") });
    let api = read(&json!({ "/": { "a": { "POST": {
        "info": "I", "in": { "whole": constant("5"), "negative": constant("-5"), "fraction": constant("0.5") } } } } }));
    let code = rust_code(&api, Purpose::Types);
    for (part, value) in [("Whole", "i64 = 5"), ("Negative", "i64 = -5"), ("Fraction", "f64 = 0.5")] {
        let field = format!("pub {}: APost{part}", part.to_ascii_lowercase());
        assert!(code.contains(&field) && code.contains(&format!("const VALUE: {value};")), "{part}: {code}");
    }
}

#[test]
fn values_of_types_of_the_program_are_json_values() {
    let folder = tempfile::tempdir().unwrap();
    let definition = json!({ "/": { "a": { "POST": { "info": "I", "in": {
        "price": { "info": "I", "type": "money(eur)", "min": 1 }, "tip": { "info": "I", "type": "?array<money>" } } } } } });
    fs::write(folder.path().join("site.json"), definition.to_string()).unwrap();
    let report = Build::new(folder.path()).code().unwrap_err();
    assert!(report.contains("unknown type `money`"), "{report}");
    let code = Build::new(folder.path()).custom_type("money").code().unwrap();
    assert!(code.contains("pub price: ::serde_json::Value,"), "{code}");
    assert!(code.contains("pub tip: Option<Vec<::serde_json::Value>>,"), "{code}");
}

/// The number of random definitions whose code is compiled.
const DEFINITIONS: usize = 20;

#[test]
#[ignore = "builds a project, with the settings that `tests/external/new` provides"]
fn code_of_random_definitions_compiles() {
    let repository = env!("CARGO_MANIFEST_DIR");
    let project = tempfile::tempdir().unwrap();
    let path = |file: &str| project.path().join(file);
    fs::create_dir_all(path("src")).unwrap();
    fs::create_dir(path(".cargo")).unwrap();
    fs::copy(std::env::var("CARGO_PROFILE_FILE").unwrap(), path(".cargo/config.toml")).unwrap();
    fs::copy(Path::new(repository).join("Cargo.lock"), path("Cargo.lock")).unwrap();
    let manifest = format!(
        "[package]\nname = \"generated\"\nedition = \"2024\"\n[dependencies]\n\
         rulebook = {{ path = {:?}, default-features = false, features = [\"documents\"] }}\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\nserde_json = \"1\"\n",
        format!("{repository}/crates/rulebook")
    );
    fs::write(path("Cargo.toml"), manifest).unwrap();
    let (mut runner, mut library) = (TestRunner::default(), String::new());
    for index in 0..DEFINITIONS {
        let generated = generate::definitions().new_tree(&mut runner).unwrap().current();
        let api = rulebook_model::read(generated.bytes()).unwrap();
        for (name, purpose) in [("handlers", Purpose::Handlers), ("types", Purpose::Types)] {
            fs::write(path(&format!("src/{name}{index}.rs")), rust_code(&api, purpose)).unwrap();
            writeln!(library, "pub mod {name}{index} {{ include!(\"{name}{index}.rs\"); }}").unwrap();
        }
    }
    fs::write(path("src/lib.rs"), library).unwrap();
    let mut cargo = Command::new("cargo");
    let output = cargo.args(["check", "--quiet", "--offline"]).current_dir(project.path()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        panic!("{errors}\nthe project is kept in {}", project.keep().display());
    }
    assert_eq!(errors, "", "generated code has no warnings");
}
