//! Imports a project for aicra: its definition `api.json`, and its project configuration `aicra.json`.

use std::path::Path;

use rulebook_model::definition::dialect_spec::TREE;
use serde_json::{Map, Value as Json, json};

use super::definition_file::member_lines;
use super::files::{TextFile, read_files};
use super::{Import, ProjectError};

/// The HTTP methods that aicra supports.
const HTTP_METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];

/// The keys of the project configuration besides `types`, `host` and `port`, and what replaces them.
const CONFIGURATION_KEYS: [(&str, &str); 4] = [
    ("root", "the definition is in the folder `api`, or in the folder of `--api`"),
    ("driver", "handlers are Rust functions of the program"),
    ("controllers", "controllers become handlers, in the files of `src`"),
    ("middlewares", "middle-wares become authenticators (`Rulebook::authenticator`)"),
];

/// Imports the project in `folder`.
pub(super) fn import(folder: &Path) -> Result<Import, ProjectError> {
    let mut import = Import::default();
    for file in read_files(folder, &[".json"])? {
        match serde_json::from_str(&file.text) {
            Ok(Json::Object(keys)) if is_configuration(&keys) => read_configuration(&file, &keys, &mut import),
            Ok(json) if is_definition(&json) => {
                let stem = import.unique_stem(file.stem());
                import.copy_definition(&stem, file, &TREE, &format!("definition of the module `{stem}`"));
            }
            Err(error) if file.stem() == "api" => {
                let message = format!("{}:{}:{}: invalid JSON: {error}", file.path, error.line(), error.column());
                return Err(ProjectError::Unusable(message));
            }
            _ => {}
        }
    }
    if import.definitions.is_empty() {
        let message = format!("{}: no definition was found; expected a file such as `api.json`", folder.display());
        return Err(ProjectError::Unusable(message));
    }
    for file in read_files(folder, &[".go"])? {
        for (line, text) in file.lines_with("func ") {
            if text.contains(") Inspect(") {
                let message = "the middle-ware becomes an authenticator (`Rulebook::authenticator`)";
                import.warn(&file.path, line, message);
            } else if text.contains(") Match(") {
                import.warn(&file.path, line, "the type checker becomes a type (`Rulebook::add_type`)");
            }
        }
    }
    Ok(import)
}

/// Returns `true` if an object is the configuration of an aicra project.
fn is_configuration(keys: &Map<String, Json>) -> bool {
    !keys.contains_key("/") && CONFIGURATION_KEYS.iter().any(|(known, _)| keys.contains_key(*known))
        || keys.get("types").is_some_and(|types| types.get("default").is_some())
}

/// Returns `true` for a tree of URIs, and for a list of methods with their paths.
fn is_definition(json: &Json) -> bool {
    match json {
        Json::Object(keys) => {
            keys.get("/").is_some_and(Json::is_object)
                || HTTP_METHODS.iter().any(|http| keys.get(*http).is_some_and(Json::is_object))
        }
        Json::Array(items) => {
            !items.is_empty() && items.iter().all(|item| item.get("method").is_some() && item.get("path").is_some())
        }
        _ => false,
    }
}

/// Converts the project configuration to keys of `app.json`, and warns about its other keys.
fn read_configuration(file: &TextFile, keys: &Map<String, Json>, import: &mut Import) {
    let lines = member_lines(&file.text);
    let line = |path: &[&str]| lines.get(&path.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>()).copied();
    let types = |key: &str| keys.get("types").and_then(|types| types.get(key));
    if types("default") == Some(&Json::Bool(false)) {
        import.set("types", json!({ "default": false }));
        import.add_imported(&file.path, "`types.default` → `types` in `api/app.json`");
    }
    let host = keys.get("host").and_then(Json::as_str).filter(|host| !host.is_empty());
    if let Some(port) = keys.get("port").and_then(Json::as_u64) {
        import.set("bind", format!("{}:{port}", host.unwrap_or("127.0.0.1")));
        import.add_imported(&file.path, "`host` and `port` → `bind` in `api/app.json`");
    }
    for (key, replacement) in CONFIGURATION_KEYS.iter().filter(|(key, _)| keys.contains_key(*key)) {
        import.warn(&file.path, line(&[key]), format!("`{key}` has no equivalent: {replacement}"));
    }
    if types("folder").is_some() {
        let message = "`types.folder` has no equivalent: type checkers become types (`Rulebook::add_type`)";
        import.warn(&file.path, line(&["types", "folder"]), message);
    }
}
