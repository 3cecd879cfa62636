//! Imports a project for aicra: its definition `api.json`, or the definition in a string of its Go code, and its
//! project configuration `aicra.json`.

use std::path::Path;

use jsonc_parser::common::Ranged;
use rulebook_model::definition::dialect_spec::TREE;
use serde_json::{Map, Value as Json, json};

use super::{DefinitionFile, Import, ProjectError, TextFile, line_at, member_lines, read_files, unusable};
use crate::definition::{members_of, parse};

const HTTP_METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];

/// The keys of the project configuration besides `types`, `host` and `port`, and what replaces them.
const CONFIGURATION_KEYS: [(&str, &str); 4] = [
    ("root", "the definition is in the folder `api`, or in the folder of `--api`"),
    ("driver", "handlers are Rust functions of the program"),
    ("controllers", "controllers become handlers, in the files of `src`"),
    ("middlewares", "middle-wares become authenticators (`Rulebook::authenticator`)"),
];

/// The functions of Go code that a part of rulebook replaces, as the code declares or calls them.
const FUNCTIONS: [(&str, &str); 4] = [
    (") Inspect(", "the middle-ware becomes an authenticator (`Rulebook::authenticator`)"),
    (".WithContext(", "the middle-ware becomes an authenticator (`Rulebook::authenticator`)"),
    (") Match(", TYPE_CHECKER),
    (") Validate(", TYPE_CHECKER),
];
const TYPE_CHECKER: &str = "the type checker becomes a type (`Rulebook::add_type`)";

/// The Go module of aicra since v0.4.1, and the version since which responses have the member `status`.
const GO_MODULE: &str = "github.com/xdrm-io/aicra";
const HAS_STATUS: (u32, u32, u32) = (0, 4, 3);

const STATUS_ENVELOPE: &str = "aicra-status";

pub(super) fn import(folder: &Path) -> Result<Import, ProjectError> {
    let mut import = Import::default();
    for file in read_files(folder, &[".json"])? {
        match serde_json::from_str(&file.text) {
            Ok(Json::Object(keys)) if keys.get("endpoints").is_some_and(is_definition) => {
                read_validators(&file, &keys, &mut import);
                if let Some((text, line)) = endpoints(&file.text) {
                    add_definition(TextFile { text, ..file }, line, &mut import);
                }
            }
            Ok(Json::Object(keys)) if is_configuration(&keys) => read_configuration(&file, &keys, &mut import),
            Ok(json) if is_definition(&json) => add_definition(file, 1, &mut import),
            Err(error) if file.stem() == "api" => {
                let message = format!("{}:{}:{}: invalid JSON: {error}", file.path, error.line(), error.column());
                return Err(ProjectError::Unusable(message));
            }
            _ => {}
        }
    }
    let mut go = read_files(folder, &[".go"])?;
    go.retain(|file| !file.path.ends_with("_test.go"));
    for file in &go {
        for (text, line) in raw_strings(&file.text) {
            if serde_json::from_str(text).is_ok_and(|json| is_definition(&json)) {
                add_definition(TextFile { path: file.path.clone(), text: text.to_owned() }, line, &mut import);
            }
        }
    }
    if import.definitions.is_empty() {
        let why =
            "no definition was found; expected a file such as `api.json`, or a string with the definition in a Go file";
        return Err(unusable(folder, why));
    }
    add_envelope(folder, &go, &mut import)?;
    for file in go {
        for (part, message) in FUNCTIONS {
            for (line, _) in file.lines_with(part).filter(|(_, text)| part.starts_with('.') || text.contains("func ")) {
                import.warn(&file.path, line, message);
            }
        }
    }
    Ok(import)
}

/// Adds a definition that begins in a line of a file.
fn add_definition(file: TextFile, line: usize, import: &mut Import) {
    let stem = import.unique_stem(file.stem());
    import.add_imported(&file.path, format!("definition of the module `{stem}` → `api/{stem}.json`"));
    let text = if line == 1 { file.text } else { format!("{}\n", file.text.trim_end()) };
    let mut definition = DefinitionFile::copied(format!("{stem}.json"), text, &TREE, &file.path);
    definition.positions.values_mut().for_each(|(_, of_member)| *of_member += line - 1);
    import.definitions.push(definition);
}

/// Sets the envelope by the version of aicra in `go.mod`.
fn add_envelope(folder: &Path, go: &[TextFile], import: &mut Import) -> Result<(), ProjectError> {
    let files = read_files(folder, &["go.mod"])?;
    let mention = files.iter().find_map(|file| Some((file, file.lines_with(GO_MODULE).next()?)));
    if let Some((file, (line, text))) = mention {
        let mut words = text.split_whitespace().skip_while(|word| *word != GO_MODULE).skip(1);
        // A project without a version is aicra itself, with its examples.
        let version = words.next().filter(|word| word.starts_with('v'));
        if version.is_none_or(has_status) {
            let version = version.unwrap_or("of this repository");
            import.set("envelope", STATUS_ENVELOPE);
            import.settings_origin.0.clone_from(&file.path);
            import.add_imported(&file.path, format!("line {line}: aicra {version} → `envelope` in `api/app.json`"));
        }
        return Ok(());
    }
    let quoted = format!("\"{GO_MODULE}");
    if let Some((file, line)) = go.iter().find_map(|file| Some((file, file.lines_with(&quoted).next()?.0))) {
        let message = format!(
            "the version of aicra is not known, because there is no `go.mod`: since v0.4.3, its responses have the member \
             `status` (`\"envelope\": \"{STATUS_ENVELOPE}\"` in `app.json`)"
        );
        import.warn(&file.path, line, message);
    }
    Ok(())
}

/// Returns `true` if the responses of a version, such as `v0.4.11`, have the member `status`. Versions of a commit,
/// such as `v0.0.0-20230604135342-1186ddc`, are those of the present repository.
fn has_status(version: &str) -> bool {
    let (numbers, commit) =
        version.trim_start_matches('v').split_once('-').unwrap_or((version.trim_start_matches('v'), ""));
    let mut numbers = numbers.split('.').map(|number| number.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let version = (next(), next(), next());
    version >= HAS_STATUS || (version == (0, 0, 0) && !commit.is_empty())
}

/// Adds warnings for the types that a definition of v0.6 declares in `validators`.
fn read_validators(file: &TextFile, keys: &Map<String, Json>, import: &mut Import) {
    let lines = member_lines(&file.text);
    for (name, validator) in keys.get("validators").and_then(Json::as_object).into_iter().flatten() {
        let line = lines.get(&["validators", name].map(str::to_owned)[..]).copied();
        let function = validator.get("use").and_then(Json::as_str).unwrap_or_default();
        match function.strip_prefix("builtin.") {
            Some(builtin) if builtin.eq_ignore_ascii_case(name) => {}
            Some(builtin) => {
                let builtin = builtin.to_ascii_lowercase();
                import.warn(
                    &file.path,
                    line,
                    format!("the type `{name}` is the built-in type `{builtin}`: write `{builtin}`"),
                );
            }
            None => import.warn(&file.path, line, format!("`{function}`, the type `{name}`: {TYPE_CHECKER}")),
        }
    }
}

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

const NAME: &str = "\"name\"";

/// Returns the strings in backquotes of Go code, each with its first line.
fn raw_strings(code: &str) -> Vec<(&str, usize)> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(['`', '"', '\'', '/']) {
        let (token, after) = rest[at..].split_at(1);
        rest = match token {
            "`" => {
                let start = code.len() - after.len();
                let (text, after) = after.split_once('`').unwrap_or((after, ""));
                found.push((text, line_at(code, start)));
                after
            }
            "/" if after.starts_with('/') => after.split_once('\n').map_or("", |(_, after)| after),
            "/" if after.starts_with('*') => after.split_once("*/").map_or("", |(_, after)| after),
            "/" => after,
            quote => after_string(after, quote),
        };
    }
    found
}

/// Returns the text after the end of a string with escapes.
fn after_string<'c>(code: &'c str, quote: &str) -> &'c str {
    let mut is_escaped = false;
    for (at, char) in code.char_indices() {
        match char {
            '\n' => return &code[at..],
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if quote.starts_with(char) => return &code[at + 1..],
            _ => {}
        }
    }
    ""
}

/// Returns the list of methods below the key `endpoints`, and its first line. The key `name` of a method, which is that
/// of its function, becomes its `id`.
fn endpoints(text: &str) -> Option<(String, usize)> {
    let content = parse(text)?;
    let members = members_of(&content);
    let list = members.into_iter().find(|member| member.key == "endpoints")?.value;
    let start = list.start();
    let mut copied = text.get(start..list.end())?.to_owned();
    let items = members_of(list);
    let names = items.iter().flat_map(|item| members_of(item.value)).filter(|member| member.key == "name");
    let starts: Vec<usize> = names.map(|member| member.range.start - start).collect();
    for at in starts.into_iter().rev() {
        if copied[at..].starts_with(NAME) {
            copied.replace_range(at..at + NAME.len(), "\"id\"");
        }
    }
    Some((copied, line_at(text, start)))
}
