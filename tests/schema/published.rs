//! Tests the published schemas: those that `rulebook schema` prints, and the schema file that is stored in projects.

use std::fs;
use std::path::Path;

use rulebook_model::schema::{SchemaKind, schema};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{parse_content, read_folder};
use crate::cli::run_program;
use support::golden;

/// Returns the schema that the program prints in a folder.
fn printed_schema(folder: &Path, arguments: &[&str]) -> Json {
    let result = run_program(folder, &[&["schema"], arguments].concat());
    assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    serde_json::from_str(&result.stdout).unwrap()
}

#[test]
fn the_stored_schema_is_the_schema_for_any_definition_file() {
    let printed = printed_schema(Path::new(env!("CARGO_MANIFEST_DIR")), &[]);
    golden::compare(Path::new("schema/definition.json"), &format!("{printed:#}\n"));
}

#[test]
fn rulebook_schema_prints_each_kind_of_schema() {
    let folder = TempDir::new().unwrap();
    let cases: [(&[&str], SchemaKind); 6] = [
        (&["schema"], SchemaKind::AnyFile),
        (&["schema", "all"], SchemaKind::AnyFile),
        (&["schema", "app"], SchemaKind::Settings),
        (&["schema", "tree"], SchemaKind::Tree),
        (&["schema", "methods"], SchemaKind::Methods),
        (&["schema", "rules"], SchemaKind::Rules),
    ];
    for (arguments, kind) in cases {
        let (printed, lenient) = (printed_schema(folder.path(), &arguments[1..]), schema(kind));
        let definitions = |schema: &Json| schema["$defs"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let mut expected = definitions(&lenient);
        expected.push("handler".to_owned());
        expected.sort();
        let mut found = definitions(&printed);
        found.sort();
        assert_eq!((&printed["title"], found), (&lenient["title"], expected));
        assert!(jsonschema::draft202012::meta::is_valid(&printed), "{arguments:?}");
    }
}

#[test]
fn the_printed_schema_knows_types_kinds_of_handlers_and_their_settings() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("api")).unwrap();
    let module = r#"{ "schemas": { "address": { "info": "An address", "fields": { "city": { "info": "It", "type": "string" } } } } }"#;
    fs::write(folder.path().join("api/user.json"), module).unwrap();
    let validator = |kind| jsonschema::draft202012::new(&printed_schema(folder.path(), &[kind])).unwrap();
    let (tree, methods, app) = (validator("tree"), validator("methods"), validator("app"));
    for (term, is_valid) in [
        ("string", true),
        ("?string(1,20)", true),
        ("varchar(1,20,mail)", true),
        ("array<string>", true),
        ("array<array<int>>", true),
        ("[]?int", true),
        ("map<Article>", true),
        ("Article", true),
        ("address", true),
        ("array<address>", true),
        ("strng", false),
        ("?strng(1,20)", false),
        ("array<strng>", false),
        ("addresses", false),
    ] {
        let parameter = json!({ "info": "X", "type": term });
        let file = json!({ "GET": { "info": "A", "in": { "GET@x": parameter }, "out": { "x": parameter } } });
        assert_eq!(tree.is_valid(&file), is_valid, "{term}");
        let parameter = json!({ "description": "X", "type": term });
        let file = json!({ "a": { "GET::b": { "description": "A", "parameters": { "x": parameter } } } });
        assert_eq!(methods.is_valid(&file), is_valid, "{term}");
    }
    for (handler, is_valid) in [
        (json!({ "sql": "select 1", "missing": false }), true),
        (json!({ "sql": "select 1", "on_unique": "taken", "x-note": "a" }), true),
        (json!({ "value": {} }), true),
        (json!({ "process": ["a"], "timeout": 1 }), true),
        (json!({ "sqll": "select 1" }), false),
        (json!({ "sql": "select 1", "onUnique": "taken" }), false),
    ] {
        let file = json!({ "GET": { "info": "A", "handler": handler } });
        assert_eq!(tree.is_valid(&file), is_valid, "{handler}");
        assert_eq!(app.is_valid(&json!({ "handlers": { "default": handler } })), is_valid, "{handler}");
    }
    for (settings, is_valid) in [
        (json!({ "handlers": { "sql": { "url": "sqlite:a.db" } } }), true),
        (json!({ "handlers": { "sqll": { "url": "sqlite:a.db" } } }), false),
        (json!({ "unknown": "${UNKNOWN}", "bind": "${HOST}:80", "limits": { "body": "${BODY}" } }), true),
        (json!({ "cors": { "origins": ["${ORIGIN}"], "headers": ["${FIELD}"] } }), true),
        (json!({ "unknown": "refused" }), false),
    ] {
        assert_eq!(app.is_valid(&settings), is_valid, "{settings}");
    }
}

#[test]
fn definitions_of_the_repository_refer_to_the_stored_schema() {
    let folder = TempDir::new().unwrap();
    assert_eq!(run_program(folder.path(), &["new", "greeter"]).exit_code, Some(0));
    let project = folder.path().join("greeter");
    for project in [Path::new(env!("CARGO_MANIFEST_DIR")), &project] {
        let files = read_folder(&project.join("api"));
        assert!(files.len() > 1);
        for (path, bytes) in files {
            let content = parse_content(&bytes).unwrap();
            let named = content["$schema"].as_str().unwrap_or_else(|| panic!("{} has no `$schema`", path.display()));
            let named = path.parent().unwrap().join(named).canonicalize().unwrap();
            assert_eq!(named, project.join("schema/definition.json").canonicalize().unwrap(), "{}", path.display());
        }
    }
    let written: Json = serde_json::from_slice(&fs::read(project.join("schema/definition.json")).unwrap()).unwrap();
    assert!(written.to_string().contains("\"on_unique\""));
}
