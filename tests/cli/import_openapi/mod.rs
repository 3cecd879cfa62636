//! Tests of `rulebook import`, which converts OpenAPI descriptions to definitions.
//!
//! `data/openapi_import` contains descriptions, and a folder for each with the definition that the command writes, its
//! report and its losses.

mod closed;
mod constraints;
mod effects;
mod errors;
mod forms;
mod kept_constraints;
mod losses;
mod names;
mod paths;
mod requests;
mod whole_bodies;
mod yaml;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use support::golden;
use tempfile::TempDir;

use super::{RunResult, run_program};

/// The descriptions, each with the folder of its definition.
const DESCRIPTIONS: [(&str, &str); 5] = [
    ("github.json", "github"),
    ("kubernetes.json", "kubernetes"),
    ("shop.yaml", "shop"),
    ("stripe.json", "stripe"),
    ("twilio.json", "twilio"),
];

/// The texts of the losses that a description has at many places.
const GENERAL_LOSSES: [&str; 3] =
    [": the field can also be null\n", ": the body can also be a form\n", ": the body can also be JSON\n"];

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/openapi_import").join(path)
}

/// Writes a description to a new folder and imports it. Returns the folder and the result of the command.
fn import_text(name: &str, text: &str) -> (TempDir, RunResult) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join(name), text).unwrap();
    let result = run_program(folder.path(), &["import", name, "--losses", "losses.txt"]);
    (folder, result)
}

/// Returns the losses of an import, without those that every optional field and every body of fields has.
fn special_losses(folder: &Path) -> String {
    let losses = fs::read_to_string(folder.join("losses.txt")).unwrap();
    losses.split_inclusive('\n').filter(|loss| !GENERAL_LOSSES.iter().any(|general| loss.contains(general))).collect()
}

fn files_in(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    entries.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn imported_descriptions_have_the_recorded_definitions_and_losses_and_pass_the_check() {
    for (name, recorded) in DESCRIPTIONS {
        let (folder, result) = import_text(name, &fs::read_to_string(data(name)).unwrap());
        assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""), "{name}: {}", result.stdout);
        let mut files = files_in(&folder.path().join("api"));
        files.insert("report.txt".to_owned(), result.stdout);
        files.insert("losses.txt".to_owned(), fs::read_to_string(folder.path().join("losses.txt")).unwrap());
        let recorded = data(recorded);
        fs::create_dir_all(&recorded).unwrap();
        for (file, text) in &files {
            golden::compare(&recorded.join(file), text);
        }
        assert_eq!(files.keys().collect::<Vec<_>>(), files_in(&recorded).keys().collect::<Vec<_>>(), "{name}");
        let checked = run_program(folder.path(), &["check"]);
        assert_eq!((checked.exit_code, checked.stderr.as_str()), (Some(0), ""), "{name}: {}", checked.stdout);
    }
}

#[test]
fn each_loss_is_listed_once_with_a_place_that_exists() {
    for (name, recorded) in DESCRIPTIONS.iter().filter(|(name, _)| name.ends_with(".json")) {
        let description: serde_json::Value = serde_json::from_str(&fs::read_to_string(data(name)).unwrap()).unwrap();
        let losses = fs::read_to_string(data(recorded).join("losses.txt")).unwrap();
        let mut seen = std::collections::HashSet::new();
        assert!(!losses.is_empty(), "{name}");
        for loss in losses.lines() {
            assert!(seen.insert(loss), "{name}: {loss}");
            let place = loss.split(": ").nth(1).unwrap();
            assert!(description.pointer(place).is_some(), "{name}: {loss}");
        }
    }
}

#[test]
fn a_description_that_a_definition_can_express_has_no_losses() {
    let description = r##"{
        "openapi": "3.2.0", "info": { "title": "Hello", "version": "1" },
        "paths": { "/hello/{name}": { "get": {
            "parameters": [{ "name": "name", "in": "path", "required": true, "schema": { "type": "string" } }],
            "responses": { "200": { "description": "OK", "content": { "application/json": {
                "schema": { "type": "object", "required": ["text"], "properties": { "text": { "type": "string" } } }
            } } } }
        } } }
    }"##;
    let (folder, result) = import_text("hello.json", description);
    assert_eq!(result.exit_code, Some(0), "{}", result.stderr);
    assert_eq!(
        result.stdout,
        "Imported Hello (OpenAPI 3.2.0) to api: 1 module, 1 service, 1 method, 0 schemas\n\
         The definition expresses the whole description.\n"
    );
    assert_eq!(fs::read_to_string(folder.path().join("losses.txt")).unwrap(), "");
}

#[test]
fn fields_that_can_be_null_and_bodies_that_can_be_sent_in_another_form_are_named() {
    let media_types = [
        (json!(["application/json"]), Some("the body can also be a form")),
        (json!(["application/x-www-form-urlencoded"]), Some("the body can also be JSON")),
        (json!(["application/json", "application/x-www-form-urlencoded"]), None),
    ];
    for (accepted, message) in media_types {
        let schema = json!({
            "type": "object", "required": ["a"],
            "properties": { "a": { "type": "string" }, "b": { "type": "string" }, "c": { "type": ["string", "null"] } }
        });
        let accepted = accepted.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
        let content: serde_json::Map<_, _> =
            accepted.clone().map(|name| (name.to_owned(), json!({ "schema": schema }))).collect();
        let description = json!({
            "openapi": "3.1.0", "info": { "title": "Notes", "version": "1" },
            "paths": { "/note": { "post": {
                "requestBody": { "required": true, "content": content },
                "responses": { "204": { "description": "No Content" } }
            } } }
        });
        let (folder, result) = import_text("notes.json", &description.to_string());
        assert_eq!(result.exit_code, Some(0), "{}", result.stderr);
        let chosen = accepted.clone().next().unwrap().replace('/', "~1");
        let place = format!("/paths/~1note/post/requestBody/content/{chosen}");
        let field = format!("null, accepts more: {place}/schema/properties/b: the field can also be null\n");
        let body = message.map(|message| format!("content-type, accepts more: {place}: {message}\n"));
        let losses = fs::read_to_string(folder.path().join("losses.txt")).unwrap();
        assert_eq!(losses, body.unwrap_or_default() + &field, "{content:?}");
    }
}

#[test]
fn json_and_yaml_give_the_same_definition() {
    let yaml = fs::read_to_string(data("shop.yaml")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&fs::read_to_string(data("github.json")).unwrap()).unwrap();
    // JSON is also YAML, so a JSON text in a file of another name is read as either.
    let (one, _) = import_text("github.json", &json.to_string());
    let (other, result) = import_text("github.yml", &format!("# A comment of YAML\n{json}"));
    assert_eq!(result.exit_code, Some(0), "{}", result.stderr);
    assert_eq!(files_in(&one.path().join("api")), files_in(&other.path().join("api")));
    let (shop, _) = import_text("shop.txt", &yaml);
    let app = fs::read_to_string(data("shop").join("app.json")).unwrap();
    assert_eq!(files_in(&shop.path().join("api"))["app.json"], app);
}

#[test]
fn documents_of_every_version_are_imported_without_additional_losses() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let good = "crates/rulebook-model/tests/definitions/good";
    for api in ["api", &format!("{good}/schemas"), &format!("{good}/unions"), &format!("{good}/constraints")] {
        let losses = |version: &str| -> Vec<String> {
            let folder = TempDir::new().unwrap();
            let run = |arguments: &[&str]| {
                let result = run_program(folder.path(), arguments);
                assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""), "{api} {arguments:?}");
            };
            let api = root.join(api);
            run(&["openapi", "--api", api.to_str().unwrap(), "--as", version, "--output", "openapi.json"]);
            run(&["import", "openapi.json", "imported", "--losses", "losses.txt"]);
            run(&["check", "--api", "imported"]);
            fs::read_to_string(folder.path().join("losses.txt")).unwrap().lines().map(str::to_owned).collect()
        };
        let current = losses("3.1");
        assert_eq!(losses("3.2"), current, "{api}");
        let older = losses("3.0");
        assert!(older.len() <= current.len(), "{api}: {older:#?}, but in OpenAPI 3.1 {current:#?}");
    }
}
