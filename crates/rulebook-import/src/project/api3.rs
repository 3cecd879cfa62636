//! Imports a project for api 3.0: its JSON files with methods such as `POST::write`.

use std::path::Path;

use rulebook_model::definition::dialect_spec::METHODS;
use serde_json::{Value as Json, json};

use super::{
    DefinitionFile, HandlerChoice, Import, ProjectError, TextFile, absolute_path, count_with_noun, fastcgi_handlers,
    read_files, unusable,
};

const MODULE_FOLDER: &str = "module/";

/// The key of a method that only callers with permissions may call.
const PERMISSIONS: &str = "\"permissions\"";

/// The class with the numbers of errors, as PHP code names it before the name of a number.
const ERROR: &str = "Err::";
const SUCCESS: &str = "Success";

/// PHP methods that run before and after each call, and the hooks of rulebook that replace them.
const HOOKS: [(&str, &str); 2] = [("function __construct", "Module::before"), ("function __destruct", "Module::after")];

pub(super) fn import(folder: &Path, handlers: HandlerChoice) -> Result<Import, ProjectError> {
    let mut import = Import::default();
    let mut has_permissions = false;
    for file in read_files(folder, &[".json"])? {
        let Some(modules) = method_counts(&file.text) else { continue };
        has_permissions |= file.text.contains(PERMISSIONS);
        let stem = import.unique_stem(file.stem());
        let list = modules
            .iter()
            .map(|(module, count)| format!("module `{module}` with {}", count_with_noun(*count, "method")));
        let what = list.collect::<Vec<_>>().join(", ");
        import.add_imported(&file.path, format!("{what} → `api/{stem}.json`"));
        import.definitions.push(DefinitionFile::copied(format!("{stem}.json"), file.text, &METHODS, &file.path));
    }
    if import.definitions.is_empty() {
        let why = "no definition was found; expected a JSON file such as `config/modules.json`, with methods such as \
                   `\"GET::read\"`";
        return Err(unusable(folder, why));
    }
    // Clients of api 3.0 can send the names of the module and the method in the body.
    import.set("dispatch", true);
    if handlers == HandlerChoice::FastCgi {
        // The tokens of the project are no keys of this server. Methods with permissions need callers with keys.
        if !has_permissions {
            import.set("auth", json!({}));
        }
        import.set("handlers", fastcgi_handlers(&absolute_path(folder)?, json!({ "style": "api3" })));
    }
    for file in read_files(folder, &[".php"])? {
        read_php(&file, handlers, &mut import);
    }
    Ok(import)
}

/// Returns the modules in a file with the number of their methods, or `None` if the file contains no methods of api
/// 3.0.
fn method_counts(text: &str) -> Option<Vec<(String, usize)>> {
    let Ok(Json::Object(modules)) = serde_json::from_str(text) else { return None };
    let methods =
        |module: &Json| module.as_object().map_or(0, |keys| keys.keys().filter(|key| key.contains("::")).count());
    let counts: Vec<_> = modules.iter().map(|(name, module)| (name.clone(), methods(module))).collect();
    counts.iter().any(|(_, count)| *count > 0).then_some(counts)
}

/// Adds the settings and the warnings that the PHP code of the project requires.
fn read_php(file: &TextFile, handlers: HandlerChoice, import: &mut Import) {
    let path = &file.path;
    for (line, text) in file.lines_with("class ") {
        if text.contains("implements AuthSystem") || text.contains("implements \\api\\core\\AuthSystem") {
            import.warn(path, line, "the `AuthSystem` becomes an authenticator (`Rulebook::authenticator`)");
        }
    }
    if file.path.contains(MODULE_FOLDER) {
        for (php, hook) in HOOKS.into_iter().filter(|_| handlers == HandlerChoice::Rust) {
            for (line, _) in file.lines_with(php) {
                let function = &php["function ".len()..];
                let message = format!("`{function}` runs for each call of the module and becomes a hook (`{hook}`)");
                import.warn(path, line, message);
            }
        }
        for (line, text) in file.lines_with(ERROR) {
            let names = text.split(ERROR).skip(1).map(|rest| {
                rest.split(|char: char| !char.is_ascii_alphanumeric() && char != '_').next().unwrap_or_default()
            });
            for name in names.filter(|name| !name.is_empty() && *name != SUCCESS) {
                let error = format!("the error `{ERROR}{name}`");
                let declared = "in `errors`, with its `number`";
                let message = match handlers {
                    HandlerChoice::Rust => format!("the method declares {error} {declared}"),
                    HandlerChoice::FastCgi => format!(
                        "{error} has no name, and the status of the project's `Response`, or 400 without it; the method \
                         can declare another one {declared}"
                    ),
                };
                import.warn(path, line, message);
            }
        }
    }
    for (line, text) in file.lines_with("new Request(") {
        let target =
            quoted_after(text, "new Request(").filter(|target| target.contains('/') && handlers == HandlerChoice::Rust);
        if let Some(target) = target {
            import.warn(path, line, format!("a call from code becomes `context.call(\"{target}\")`"));
        }
    }
    if file.text.contains("Request::remote(") {
        let base = file.lines_with("strlen(").find_map(|(line, text)| Some((line, quoted_after(text, "strlen(")?)));
        if let Some((line, base)) = base.filter(|(_, base)| base.starts_with('/') && base.len() > 1) {
            import.set("base", base.trim_end_matches('/'));
            import.add_imported(path, format!("line {line}: `base` in `api/app.json`"));
        }
    }
}

/// Returns the text in quotes that follows a part of a line directly.
fn quoted_after<'a>(line: &'a str, part: &str) -> Option<&'a str> {
    let rest = line.split_once(part)?.1.trim_start();
    let quote = rest.chars().next().filter(|char| matches!(char, '\'' | '"'))?;
    rest[1..].split_once(quote).map(|(text, _)| text)
}
