//! Tests of the paths of imported descriptions.

use std::fs;

use rulebook::{Rulebook, Unbound};
use rulebook_test::Client;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::super::run_program;
use super::import_text;
use super::losses::import;

fn operation() -> Json {
    json!({ "get": { "responses": { "204": { "description": "No Content" } } } })
}

#[test]
fn percent_encoded_paths_are_decoded() {
    let paths = ["/my%20files/list", "/%C3%A9", "/50%25", "/a%2Bb/{id}.%C3%A9", "/with space"];
    let description = json!({
        "openapi": "3.1.0", "info": { "title": "Paths", "version": "1" },
        "paths": paths.map(|path| (path.to_owned(), operation())).into_iter().collect::<serde_json::Map<_, _>>()
    });
    let (folder, result) = import_text("api.json", &description.to_string());
    assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""));
    let client = Client::new(Rulebook::load(folder.path().join("api")).unbound(Unbound::Echo)).unwrap();
    for path in ["/my%20files/list", "/%C3%A9", "/50%25", "/a%2Bb/1.%C3%A9", "/with%20space"] {
        assert_eq!(client.get(path).send().status(), 204, "{path}");
    }
}

#[test]
fn paths_that_cannot_be_decoded_are_losses() {
    let wrong = ["/a%ff", "/a%2Fb", "/a%2", "/%7Bid%7D", "/a/%2E%2E/b", "/{id}%2Fx"];
    let mut paths = json!({ "/p": operation() });
    for path in wrong {
        paths[path] = operation();
    }
    let (_, module, losses) = import(&paths, &json!({}));
    let place = |path: &str| format!("path /paths/{}", path.replace('~', "~0").replace('/', "~1"));
    assert_eq!(losses, wrong.map(place));
    assert_eq!(module["/"].as_object().unwrap().keys().collect::<Vec<_>>(), ["p"]);
}

#[test]
fn exported_paths_are_the_same_after_an_import() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("one")).unwrap();
    let method = json!({ "GET": { "info": "Read" } });
    let module = json!({ "info": "Paths", "/": { "é": method, "my files/50%": method } });
    fs::write(folder.path().join("one/paths.json"), module.to_string()).unwrap();
    let run = |arguments: &[&str]| {
        let result = run_program(folder.path(), arguments);
        assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""), "{arguments:?}: {}", result.stdout);
        result.stdout
    };
    run(&["openapi", "--api", "one", "--output", "openapi.json"]);
    run(&["import", "openapi.json", "two"]);
    let paths = |api: &str| -> Vec<String> {
        let routes = run(&["routes", "--api", api]);
        routes.lines().map(|line| line.split("  ").nth(1).unwrap().to_owned()).collect()
    };
    assert_eq!(paths("two"), paths("one"));
}

#[test]
fn every_parameter_that_is_a_part_of_a_segment_is_a_loss() {
    let parameter =
        |name: &str, schema: Json| json!({ "name": name, "in": "path", "required": true, "schema": schema });
    let parameters =
        json!([parameter("id", json!({ "type": "integer" })), parameter("fmt", json!({ "enum": ["json", "xml"] }))]);
    let at_operation = json!({ "get": { "parameters": parameters, "responses": {} } });
    let mut at_path = operation();
    at_path["parameters"] = parameters;
    // A parameter of an operation replaces the one of its path.
    let mut both = at_path.clone();
    both["get"]["parameters"] = json!([parameter("fmt", json!({ "const": "json" }))]);
    for (item, places) in [
        (at_operation, &["get/parameters/0/schema", "get/parameters/1/schema"][..]),
        (at_path, &["parameters/0/schema", "parameters/1/schema"]),
        (both, &["parameters/0/schema", "get/parameters/0/schema"]),
    ] {
        let (_, _, mut losses) = import(&json!({ "/pets/{id}.{fmt}": item }), &json!({}));
        losses.sort();
        let path = "/paths/~1pets~1{id}.{fmt}";
        let mut expected = vec![format!("path {path}")];
        expected.extend(places.iter().map(|place| format!("parameter, accepts more {path}/{place}")));
        expected.sort();
        assert_eq!(losses, expected, "{item}");
    }
}
