//! Imports a project for aicra: its definition `api.json`, and its project configuration `aicra.json`.

use std::collections::HashSet;
use std::path::Path;

use serde_json::{Map, Value as Json, json};

use super::files::{TextFile, read_files};
use super::json_text::member_lines;
use super::{DefinitionFile, Dialect, Import, ImportError, Warning};

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
///
/// # Errors
/// Fails if no file contains a definition for aicra, or if a file cannot be read.
pub(super) fn import(folder: &Path) -> Result<Import, ImportError> {
    let mut import = Import::default();
    let mut names = HashSet::from(["app".to_owned()]);
    for file in read_files(folder, &[".json"])? {
        match serde_json::from_str(&file.text) {
            Ok(Json::Object(keys)) if is_configuration(&keys) => read_configuration(&file, &keys, &mut import),
            Ok(json) if is_definition(&json) => {
                let mut stem = file.stem().to_owned();
                while !names.insert(stem.clone()) {
                    stem.push('_');
                }
                let name = format!("{stem}.json");
                import.imported.push((file.path.clone(), format!("definition of the module `{stem}` → `api/{name}`")));
                import.definitions.push(DefinitionFile::copied(name, file.text, Dialect::Tree, &file.path));
            }
            Err(error) if file.stem() == "api" => {
                let message = format!("{}:{}:{}: invalid JSON: {error}", file.path, error.line(), error.column());
                return Err(ImportError::Unusable(message));
            }
            _ => {}
        }
    }
    if import.definitions.is_empty() {
        let message = format!("{}: no definition was found; expected a file such as `api.json`", folder.display());
        return Err(ImportError::Unusable(message));
    }
    for file in read_files(folder, &[".go"])? {
        let mut warn = |line, message: &str| import.warnings.push(Warning::new(&file.path, Some(line), message));
        for (line, text) in file.lines_with("func ") {
            if text.contains(") Inspect(") {
                warn(line, "the middle-ware becomes an authenticator (`Rulebook::authenticator`)");
            } else if text.contains(") Match(") {
                warn(line, "the type checker becomes a type (`Rulebook::add_type`)");
            }
        }
    }
    Ok(import)
}

/// Returns `true` if an object is the configuration of an aicra project.
fn is_configuration(keys: &Map<String, Json>) -> bool {
    let known = |key: &str| CONFIGURATION_KEYS.iter().any(|(known, _)| *known == key);
    !keys.contains_key("/") && keys.keys().any(|key| known(key))
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
    if let Some(default) = keys.get("types").and_then(|types| types.get("default")).and_then(Json::as_bool)
        && !default
    {
        import.settings.insert("types".to_owned(), json!({ "default": false }));
        import.imported.push((file.path.clone(), "`types.default` → `types` in `api/app.json`".to_owned()));
    }
    let host = keys.get("host").and_then(Json::as_str).filter(|host| !host.is_empty());
    if let Some(port) = keys.get("port").and_then(Json::as_u64) {
        import.settings.insert("bind".to_owned(), format!("{}:{port}", host.unwrap_or("127.0.0.1")).into());
        import.imported.push((file.path.clone(), "`host` and `port` → `bind` in `api/app.json`".to_owned()));
    }
    for (key, replacement) in CONFIGURATION_KEYS {
        if keys.contains_key(key) {
            import.warnings.push(Warning::new(
                &file.path,
                line(&[key]),
                format!("`{key}` has no equivalent: {replacement}"),
            ));
        }
    }
    if keys.get("types").and_then(|types| types.get("folder")).is_some() {
        let message = "`types.folder` has no equivalent: type checkers become types (`Rulebook::add_type`)";
        import.warnings.push(Warning::new(&file.path, line(&["types", "folder"]), message));
    }
}
