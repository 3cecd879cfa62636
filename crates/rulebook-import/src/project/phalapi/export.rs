//! Runs the PHP script that exports the API classes of a PhalApi project, and converts the rules that rulebook does not
//! read in the same way.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, io};

use rulebook_model::definition::keys::rules::{PARAMETER_TYPE_ALIASES, tree_name_of_alias};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value as Json};

use super::Context;
use crate::project::{Import, Positions, ProjectError};

/// The script, which runs without PhalApi: the names and the texts of its files. The first file is executed.
const SCRIPT_FILES: [(&str, &str); 8] = [
    ("export.php", include_str!("export.php")),
    ("code.php", include_str!("code.php")),
    ("loader.php", include_str!("loader.php")),
    ("reads.php", include_str!("reads.php")),
    ("rejections.php", include_str!("rejections.php")),
    ("rules.php", include_str!("rules.php")),
    ("setup.php", include_str!("setup.php")),
    ("stubs.php", include_str!("stubs.php")),
];

#[derive(Debug, Deserialize)]
pub(super) struct Export {
    pub classes: Vec<Class>,
    pub config: Option<Config>,
    /// The version of PhalApi, such as `2.23.0`; or only its first numbers, if the project allows several versions.
    pub version: Option<Found>,
    /// The settings that the script has found in entry scripts of the project.
    #[serde(default, deserialize_with = "php_map")]
    pub setup: BTreeMap<String, Vec<Found>>,
    /// The texts of PhalApi that the project translates in its own words.
    pub translations: Vec<Found>,
    /// What the project reads from requests without a rule.
    pub reads: Vec<Reads>,
    /// The functions of API classes that run for each call: `userCheck`, `__construct` and `__destruct`.
    pub hooks: Vec<Found>,
    /// Where the project rejects requests, except in API methods with a known `ret`.
    pub rejections: Vec<Place>,
    pub notes: Vec<Note>,
    /// An error after which PHP cannot continue.
    fatal: Option<Note>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Class {
    /// The name by which clients call the class, such as `User`.
    pub name: String,
    pub file: String,
    pub line: usize,
    /// The version of PhalApi for which the class is written: `1.x` or `2.x`.
    pub style: String,
    pub doc: Doc,
    /// The rules under `*`.
    #[serde(deserialize_with = "php_object")]
    pub common: Map<String, Json>,
    /// The file that declares `getRules()`, which may be that of a base class.
    pub rules_file: String,
    /// The lines of the keys in `getRules()`, such as `login/username`.
    #[serde(deserialize_with = "php_map")]
    pub lines: BTreeMap<String, usize>,
    pub methods: Vec<Method>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Method {
    pub name: String,
    /// The file that declares the method, which may be that of a base class.
    pub file: String,
    pub line: usize,
    pub doc: Doc,
    #[serde(deserialize_with = "php_object")]
    pub rules: Map<String, Json>,
    /// The names of the rules that the method removes from those of the class and of the project.
    pub removed: Vec<String>,
    /// The exceptions with which the method rejects requests.
    pub rejections: Vec<Rejection>,
    /// Those of the texts `ret`, `data` and `msg` that are in the code of the method.
    pub names: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Rejection {
    pub ret: u16,
    /// The message; empty if it is computed.
    pub message: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Place {
    pub file: String,
    pub line: usize,
}

#[derive(Debug, Deserialize)]
pub(super) struct Doc {
    /// The first line.
    pub info: String,
    /// The lines after the first line, before the annotations.
    pub text: String,
    /// The annotations: each name without `@`, the text after it, and the line.
    pub tags: Vec<(String, String, usize)>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Config {
    pub file: String,
    #[serde(deserialize_with = "php_map")]
    pub lines: BTreeMap<String, usize>,
    pub keys: Vec<Json>,
    #[serde(deserialize_with = "php_object")]
    pub rules: Map<String, Json>,
    pub whitelist: Vec<Json>,
}

/// A part of a file, such as a setting in an entry script.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    pub file: String,
    pub line: usize,
    pub value: String,
}

/// What a file reads from requests without a rule, such as `$_POST['id']`.
#[derive(Debug, Deserialize)]
pub(super) struct Reads {
    pub file: String,
    pub values: Vec<Read>,
}

/// A value of a request, and the first line that reads it.
#[derive(Debug, Deserialize)]
pub(super) struct Read {
    pub name: String,
    pub line: usize,
}

/// A part of the project that the script could not export, or why PHP could not continue.
#[derive(Debug, Deserialize)]
pub(super) struct Note {
    pub file: String,
    pub line: Option<usize>,
    pub message: String,
}

/// Runs the script, which loads the PHP files of the project's API classes.
pub(super) fn export(folder: &Path) -> Result<Export, ProjectError> {
    let folder = folder.canonicalize().map_err(|error| ProjectError::Io { file: folder.to_owned(), error })?;
    let output = run_script(&folder).map_err(|error| {
        ProjectError::Unusable(match error.kind() {
            io::ErrorKind::NotFound => {
                "cannot run `php`, which reads the classes of PhalApi: install PHP 7.4 or newer (package \
                 `php-cli` in Debian and Ubuntu), then run this command again"
                    .to_owned()
            }
            _ => format!("cannot run `php`: {error}"),
        })
    })?;
    let export = serde_json::from_slice::<Export>(&output.stdout).map_err(|error| {
        let messages = String::from_utf8_lossy(&output.stderr);
        ProjectError::Unusable(format!("`php` failed ({}): {error}\n{}", output.status, messages.trim_end()))
    })?;
    match export.fatal {
        Some(Note { file, line, message }) => {
            let line = line.unwrap_or_default();
            Err(ProjectError::Unusable(format!("{file}:{line}: PHP: {message}")))
        }
        None => Ok(export),
    }
}

fn run_script(folder: &Path) -> io::Result<std::process::Output> {
    let scripts = tempfile::tempdir()?;
    for (name, text) in SCRIPT_FILES {
        fs::write(scripts.path().join(name), text)?;
    }
    let script = scripts.path().join(SCRIPT_FILES[0].0);
    Command::new("php").arg(script).arg(folder).stdin(Stdio::null()).output()
}

/// Reads an object. PHP prints an empty array as `[]`, and an array with the keys 0, 1 and so on as a list.
fn php_object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Json>, D::Error> {
    match Json::deserialize(deserializer)? {
        Json::Object(object) => Ok(object),
        Json::Array(items) => {
            Ok(items.into_iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect())
        }
        _ => Err(serde::de::Error::custom("expected an array of PHP")),
    }
}

/// Reads an object whose values have the type `T`, in the same way as [`php_object`].
fn php_map<'de, D, T>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    let members = php_object(deserializer)?.into_iter();
    let converted =
        members.map(|(key, value)| Ok((key, serde_json::from_value(value).map_err(serde::de::Error::custom)?)));
    converted.collect()
}

/// The value of `source` with which a rule reads data of the web server, which no client sends.
const SERVER_SOURCE: &str = "server";

/// The keys of a rule that any type has. Others belong to the check of the type.
const GENERAL_KEYS: [&str; 6] = ["name", "require", "default", "source", "desc", "message"];

const ANY: &str = "any";

/// Returns the rules of what clients send. Rules that read data of the web server are removed, because a client could
/// send such a value itself otherwise. With handlers in PHP, a rule with a function or a formatter of the program
/// accepts every value, because PHP checks it.
pub(super) fn rules_of_clients(
    rules: &Map<String, Json>,
    path: &[&str],
    positions: &Positions,
    context: &Context<'_>,
    import: &mut Import,
) -> Map<String, Json> {
    let is_from_server = |rule: &Json| {
        rule.get("source").and_then(Json::as_str).is_some_and(|source| source.eq_ignore_ascii_case(SERVER_SOURCE))
    };
    let mut kept = Map::new();
    for (name, rule) in rules {
        if !is_from_server(rule) {
            let rule = if context.has_php { rule_checked_by_php(rule, context) } else { rule.clone() };
            kept.insert(name.clone(), rule);
        } else if !context.has_php {
            let path: Vec<String> = path.iter().copied().chain([name.as_str()]).map(str::to_owned).collect();
            let (file, line) = positions.get(&path).map(|(file, line)| (file.as_str(), *line)).unzip();
            let message = format!(
                "`{}`: removed, because no client sends data of the web server (`source` is `{SERVER_SOURCE}`): the handler \
                 reads such data from its `Context`",
                path.join(".")
            );
            import.warn(file.unwrap_or_default(), line, message);
        }
    }
    kept
}

fn rule_checked_by_php(rule: &Json, context: &Context<'_>) -> Json {
    let Json::Object(keys) = rule else { return rule.clone() };
    let type_name = keys.get("type").and_then(Json::as_str).unwrap_or("string").to_ascii_lowercase();
    let formatters = context.export.setup.get("formatter").into_iter().flatten();
    let has_formatter = formatters.map(|found| found.value.to_ascii_lowercase()).any(|name| name == type_name);
    let known = tree_name_of_alias(PARAMETER_TYPE_ALIASES, &type_name);
    let mut kept = keys.clone();
    kept.shift_remove("on_after_parse");
    if has_formatter || matches!(known, None | Some("callable")) {
        kept.retain(|key, _| GENERAL_KEYS.contains(&key.as_str()));
        kept.insert("type".to_owned(), ANY.into());
    }
    kept.into()
}

/// Returns the rules of the project and of the class that are others for a method: a rule that the method removes
/// accepts every value, and if `service_whitelist` names the method, PhalApi does not require what its filter checks.
pub(super) fn changed_rules(class: &Class, method: &Method, context: &Context<'_>) -> Map<String, Json> {
    let no_rules = Map::new();
    let (common, whitelist) = match &context.export.config {
        Some(config) => (&config.rules, config.whitelist.as_slice()),
        None => (&no_rules, &[][..]),
    };
    let name = [class.name.as_str(), method.name.as_str()];
    let has_no_filter = whitelist.iter().filter_map(Json::as_str).any(|pattern| names_service(pattern, name));
    let mut changed = Map::new();
    for (name, rule) in common.iter().chain(&class.common) {
        let Json::Object(keys) = rule else { continue };
        let mut keys = keys.clone();
        if method.removed.contains(name) {
            keys.retain(|key, _| matches!(key.as_str(), "name" | "source"));
            keys.insert("type".to_owned(), ANY.into());
            keys.insert("desc".to_owned(), "not used by this method".into());
            changed.insert(name.clone(), keys.into());
        } else if has_no_filter && !class.common.contains_key(name) && keys.get("require") == Some(&true.into()) {
            keys.shift_remove("require");
            changed.insert(name.clone(), keys.into());
        }
    }
    changed
}

/// Returns `true` if an entry of `service_whitelist`, such as `Site.Index`, `App.Site.*` or `*.*`, names a service.
fn names_service(pattern: &str, name: [&str; 2]) -> bool {
    let parts: Vec<&str> = pattern.split('.').collect();
    let parts = match parts.as_slice() {
        [namespace, rest @ ..] if rest.len() == 2 && (*namespace == "*" || namespace.eq_ignore_ascii_case("App")) => {
            rest
        }
        parts => parts,
    };
    parts.len() == 2 && parts.iter().zip(name).all(|(part, name)| *part == "*" || part.eq_ignore_ascii_case(name))
}
