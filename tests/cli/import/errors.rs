//! Tests of imports with errors: what is replaced or removed, and which projects are refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rulebook::Rulebook;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::super::run_program;
use super::{data, export_file, fake_php, import, write_files};

/// A definition with errors, and the expected result of its import.
#[derive(Deserialize)]
struct Repair {
    about: String,
    from: String,
    /// The files of the project: JSON values, or texts.
    files: BTreeMap<String, Json>,
    /// The beginnings of the warnings, after the position, or parts of them.
    warnings: Vec<String>,
    methods: Vec<String>,
}

#[test]
fn erroneous_parts_of_definitions_are_replaced_or_removed_with_a_warning() {
    let repairs: Vec<Repair> =
        serde_json::from_str(&fs::read_to_string(data("ancestors/repairs.json")).unwrap()).unwrap();
    for repair in repairs {
        let Repair { about, from, files, warnings, methods } = repair;
        let folder = TempDir::new().unwrap();
        let text = |json: &Json| json.as_str().map_or_else(|| json.to_string(), str::to_owned);
        let files = files.iter().map(|(name, json)| (name.clone(), text(json))).collect();
        write_files(&folder.path().join("old"), &files);
        let result = import(folder.path(), "shop", &from, folder.path());
        assert_eq!(result.exit_code, Some(0), "{about}: {}", result.stderr);
        for warning in &warnings {
            assert!(result.stderr.contains(warning.as_str()), "{about}: {warning} is not in {}", result.stderr);
        }
        assert_eq!(result.stderr.is_empty(), warnings.is_empty(), "{about}: {}", result.stderr);
        let routes = run_program(&folder.path().join("shop"), &["routes"]);
        let mut found: Vec<String> =
            routes.stdout.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect();
        found.sort();
        assert_eq!((routes.exit_code, found), (Some(0), methods), "{about}: {}", result.stderr);
    }
}

#[test]
fn control_characters_in_names_of_files_are_neither_printed_nor_written() {
    let folder = TempDir::new().unwrap();
    let module =
        json!({ "a": { "GET::b": { "description": "d", "output": { "x": { "description": "d", "type": "text" } } } } });
    let files = [
        ("config/modules.json", module.to_string()),
        ("Lo\u{1b}[31mgin.php", "<?php class Login implements AuthSystem {}".to_owned()),
    ];
    let files = files.map(|(name, text)| (name.to_owned(), text));
    write_files(&folder.path().join("old"), &files.into());
    let result = import(folder.path(), "shop", "api3", folder.path());
    let readme = fs::read_to_string(folder.path().join("shop/README.md")).unwrap();
    for text in [&result.stderr, &readme] {
        assert!(text.contains("Lo\u{fffd}[31mgin.php"), "{text:?}");
    }
    for text in [result.stdout, result.stderr, readme] {
        assert!(!text.contains(|char: char| char.is_control() && char != '\n'), "{text:?}");
    }
}

#[test]
fn rules_whose_custom_type_has_the_name_of_a_built_in_type_are_reported() {
    let export = fs::read_to_string(export_file("phalapi_odd")).unwrap();
    let export = export.replace(r#""name":"ids","type":"array""#, r#""name":"ids","type":"Phone""#);
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("old")).unwrap();
    let result = import(folder.path(), "shop", "phalapi", fake_php(&export).path());
    assert_eq!(result.exit_code, Some(0), "{}", result.stderr);
    let warning = "warning: src/app/Api/Post.php:12: `Post.GET.ids.type`: `Phone` is the built-in type `phone`, which PhalApi \
                   does not have; if `Phone` is a type of the program, the program adds it with `Rulebook::add_type`";
    assert!(result.stderr.contains(warning), "{}", result.stderr);
}

#[test]
fn recorded_definitions_are_imported_without_errors_or_refused() {
    let file = "crates/rulebook-model/tests/data/vectors/config_errors.json";
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let cases: Vec<Json> = serde_json::from_str(&text).unwrap();
    let (mut imported, mut refused) = (0, 0);
    // Every fourth case, because each case starts a process.
    for case in cases.into_iter().step_by(4) {
        let folder = TempDir::new().unwrap();
        let definition = case["definition"].as_str().map_or_else(|| case["definition"].to_string(), str::to_owned);
        let files = BTreeMap::from([("api.json".to_owned(), definition)]);
        write_files(&folder.path().join("old"), &files);
        let from = if case["style"] == "api3" { "api3" } else { "aicra" };
        let result = import(folder.path(), "shop", from, folder.path());
        let project = folder.path().join("shop");
        if result.exit_code == Some(0) {
            imported += 1;
            let checked = Rulebook::load(project.join("api")).check();
            assert!(checked.is_ok(), "{}: {}", case["id"], checked.unwrap_err());
            // A definition without errors is copied.
            if result.stderr.is_empty() {
                assert_eq!(
                    fs::read_to_string(project.join("api/api.json")).unwrap(),
                    files["api.json"],
                    "{}",
                    case["id"]
                );
            }
        } else {
            refused += 1;
            assert!(result.stderr.starts_with("error: "), "{}: {}", case["id"], result.stderr);
            assert!(!project.exists(), "{}", case["id"]);
        }
    }
    assert!(imported > 20 && refused > 0, "{imported} imported, {refused} refused");
}

#[test]
fn projects_that_cannot_be_imported_are_reported_and_nothing_is_created() {
    let folder = TempDir::new().unwrap();
    let old = folder.path().join("old");
    for (from, files, exit_code, message) in [
        ("api3", json!({}), 3, "old: no definition was found; expected a JSON file such as `config/modules.json`"),
        (
            "aicra",
            json!({ "package.json": "{}" }),
            3,
            "old: no definition was found; expected a file such as `api.json`",
        ),
        ("aicra", json!({ "api.json": "{\"GET\": " }), 3, "api.json:1:8: invalid JSON"),
        ("aicra", json!({ "api.json": "{\"GET\": {\"info\": \"i\", \"info\": \"j\"}}" }), 1, "duplicate-key"),
        (
            "iapi",
            json!({ "index.php": "<?php // new FileEndPoint" }),
            3,
            "old: no endpoint was found; expected a PHP file",
        ),
        (
            "phalapi",
            json!({}),
            3,
            "cannot run `php`, which reads the classes of PhalApi: install PHP 7.4 or newer (package `php-cli`",
        ),
    ] {
        let files: BTreeMap<String, String> = serde_json::from_value(files).unwrap();
        fs::create_dir_all(&old).unwrap();
        write_files(&old, &files);
        let result = import(folder.path(), "shop", from, folder.path());
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(exit_code), ""), "{from}: {}", result.stderr);
        assert!(result.stderr.starts_with("error: ") && result.stderr.contains(message), "{from}: {}", result.stderr);
        assert!(!folder.path().join("shop").exists());
        fs::remove_dir_all(&old).unwrap();
    }
    for (arguments, message) in [
        (&["new", "shop", "--from", "api3"][..], "<FOLDER>"),
        (&["new", "shop", "old"][..], "--from <FRAMEWORK>"),
        (&["new", "shop", "--from", "laravel", "old"][..], "phalapi, api3, aicra, iapi"),
    ] {
        let result = run_program(folder.path(), arguments);
        assert_eq!(result.exit_code, Some(2), "{arguments:?}");
        assert!(result.stderr.contains(message), "{arguments:?}: {}", result.stderr);
    }
    let result = run_program(folder.path(), &["new", "shop", "--from", "api3", "nowhere"]);
    assert_eq!(result.exit_code, Some(3), "{}", result.stderr);
    assert!(result.stderr.starts_with("error: nowhere: No such file"), "{}", result.stderr);
}
