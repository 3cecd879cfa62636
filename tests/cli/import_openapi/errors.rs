//! Tests of descriptions that cannot be imported.

use std::fs;

use rulebook_model::invisible::is_invisible;
use serde_json::json;
use tempfile::TempDir;

use super::super::run_program;
use super::{data, files_in, import_text};
use crate::server_process::{ServerProcess, free_address};

#[test]
fn texts_that_are_not_descriptions_of_a_supported_version_are_refused() {
    for (text, why) in [
        ("{\"swagger\": \"2.0\", \"paths\": {}}", "error: api.json has the version 2.0 of OpenAPI"),
        ("{\"openapi\": \"4.0.0\", \"paths\": {}}", "error: api.json has the version 4.0.0 of OpenAPI"),
        ("{\"openapi\": \"3.10.0\", \"paths\": {}}", "error: api.json has the version 3.10.0 of OpenAPI"),
        ("{\"paths\": {}}", "error: api.json is not an OpenAPI description"),
        ("[1]", "error: api.json is not an OpenAPI description"),
        ("", "error: api.json is not an OpenAPI description"),
        ("{\"openapi\": ", "error: api.json cannot be read as JSON: EOF"),
        ("{\"a\": 1, \"a\": 2}", "error: api.json cannot be read as JSON: the key `a` occurs twice in the same object"),
        ("a: [", "error: api.json cannot be read as YAML: "),
        (
            "a: *b",
            "error: api.json cannot be read as YAML: `*` refers to an anchor that no `&` defines before it (line 1,",
        ),
        ("a: 1\na: 2", "error: api.json cannot be read as YAML: the key `a` occurs twice in the same object (line 2,"),
        ("a: 1\n---\nb: 2", "error: api.json cannot be read as YAML: a second document begins; write the description"),
        ("a: .inf", "error: api.json cannot be read as YAML: `.inf` is a number that JSON does not have (line 1,"),
        ("[a]: 1", "error: api.json cannot be read as YAML: a key must be a text (line 1,"),
    ] {
        let (folder, result) = import_text("api.json", text);
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(1), ""), "{text}: {}", result.stderr);
        assert!(result.stderr.starts_with(why), "{text}: {}", result.stderr);
        assert!(!folder.path().join("api").exists(), "{text}");
    }
}

#[test]
fn a_small_text_that_would_become_a_large_value_is_refused() {
    let mut text = "openapi: 3.0.0\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let reference = format!("*a{}", level - 1);
        text += &format!("a{level}: &a{level} [{}]\n", vec![reference; 10].join(", "));
    }
    let (_, result) = import_text("bomb.yaml", &text);
    assert_eq!(result.exit_code, Some(1), "{}", result.stdout);
    assert!(
        result.stderr.starts_with(
            "error: bomb.yaml cannot be read as YAML: the text is too large, or the values that `*` repeats "
        ),
        "{}",
        result.stderr
    );
}

#[test]
fn nothing_is_written_to_a_folder_with_files() {
    let folder = TempDir::new().unwrap();
    fs::copy(data("github.json"), folder.path().join("github.json")).unwrap();
    fs::create_dir(folder.path().join("api")).unwrap();
    let import = |arguments: &[&str]| run_program(folder.path(), &[&["import", "github.json"], arguments].concat());
    assert_eq!(import(&[]).exit_code, Some(0), "an empty folder may be used");
    let again = import(&[]);
    assert_eq!((again.exit_code, again.stderr.as_str()), (Some(3), "error: `api` is not an empty folder\n"));
    assert_eq!(import(&["github.json"]).exit_code, Some(3), "a file is no folder");
    assert_eq!(import(&["a/new/folder"]).exit_code, Some(0));
    assert_eq!(files_in(&folder.path().join("api")), files_in(&folder.path().join("a/new/folder")));
    let missing = run_program(folder.path(), &["import", "missing.json", "other"]);
    assert_eq!(missing.exit_code, Some(3));
    assert!(missing.stderr.starts_with("error: missing.json: "), "{}", missing.stderr);
    assert_eq!(run_program(folder.path(), &["import"]).exit_code, Some(2));
}

#[test]
fn a_description_is_fetched_from_a_server() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("static")).unwrap();
    fs::create_dir(folder.path().join("api")).unwrap();
    fs::write(folder.path().join("api/hello.json"), r#"{ "GET": { "info": "Hello" } }"#).unwrap();
    fs::copy(data("shop.yaml"), folder.path().join("static/shop.yaml")).unwrap();
    let address = free_address();
    let _served = ServerProcess::start(folder.path(), &address, &["--unbound", "echo", "--static", "static"]);
    let import = |url: &str, target: &str| run_program(folder.path(), &["import", "--retries", "0", url, target]);
    let fetched = import(&format!("http://{address}/static/shop.yaml"), "shop");
    assert_eq!((fetched.exit_code, fetched.stderr.as_str()), (Some(0), ""));
    let app = fs::read_to_string(data("shop").join("app.json")).unwrap();
    assert_eq!(files_in(&folder.path().join("shop"))["app.json"], app);
    // The OpenAPI document of a server is a description, too.
    let round = import(&format!("http://{address}/openapi.json"), "again");
    assert_eq!((round.exit_code, round.stderr.as_str()), (Some(0), ""), "{}", round.stdout);
    let missing = import(&format!("http://{address}/static/missing.yaml"), "other");
    assert_eq!(missing.exit_code, Some(1), "{}", missing.stderr);
    assert_eq!(import(&format!("http://{}", free_address()), "other").exit_code, Some(3));
    assert_eq!(import("https://", "other").exit_code, Some(2));
}

#[test]
fn schemas_that_refer_to_others_very_often_are_imported() {
    let part = |level: usize| format!(r##"{{ "$ref": "#/components/schemas/S{level}" }}"##);
    let inner = |level: usize| format!(r##"{{ "$ref": "#/components/schemas/S{level}/properties/a" }}"##);
    let schema = |keyword: &str, level: usize| match keyword {
        "properties" => {
            let next = inner(level + 1);
            format!(r#"{{ "properties": {{ "a": {{ "properties": {{ "b": {next}, "c": {next} }} }} }} }}"#)
        }
        _ => format!(r#"{{ "{keyword}": [{0}, {0}] }}"#, part(level + 1)),
    };
    for keyword in ["allOf", "anyOf", "oneOf", "properties"] {
        let chain = (0..80).map(|level| format!(r#""S{level}": {}"#, schema(keyword, level)));
        let schemas = chain.chain([r#""S80": { "type": "object", "properties": { "a": {} } }"#.to_owned()]);
        let schemas = schemas.collect::<Vec<_>>().join(", ");
        let text = format!(
            r#"{{ "openapi": "3.1.0", "components": {{ "schemas": {{ {schemas} }} }}, "paths": {{ "/": {{ "get": {{}} }} }} }}"#
        );
        let (_, result) = import_text("often.json", &text);
        assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""), "{keyword}");
    }
}

#[test]
fn invisible_characters_of_descriptions_do_not_reach_the_terminal() {
    let text = |version: &str| {
        json!({
            "openapi": version, "info": { "title": "A\u{1b}[2J\u{7}\n\u{202e}B", "version": "1" },
            "paths": { "/a\u{1b}[2J\u{7}?": { "get": { "responses": {} } }, "/b\u{9b}\nc?": { "get": { "responses": {} } } }
        })
        .to_string()
    };
    let is_visible = |text: &str| !text.contains(|char: char| char != '\n' && is_invisible(char));
    let (folder, result) = import_text("title.json", &text("3.1.0"));
    assert_eq!(result.exit_code, Some(0), "{}", result.stderr);
    let losses = fs::read_to_string(folder.path().join("losses.txt")).unwrap();
    assert!(is_visible(&result.stdout) && is_visible(&losses), "{:?} {losses:?}", result.stdout);
    assert!(
        result.stdout.starts_with("Imported A\u{fffd}[2J\u{fffd}\u{fffd}\u{fffd}B (OpenAPI 3.1.0)"),
        "{}",
        result.stdout
    );
    assert_eq!(losses.lines().count(), 2, "{losses}");
    let (_, result) = import_text("title.json", &text("2.0\u{1b}[2J"));
    assert_eq!(result.exit_code, Some(1), "{}", result.stdout);
    assert!(is_visible(&result.stderr) && result.stderr.contains("2.0\u{fffd}[2J"), "{:?}", result.stderr);
}
