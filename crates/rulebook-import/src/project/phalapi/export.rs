//! Runs the PHP script that exports the API classes of a PhalApi project.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value as Json};

use crate::project::ProjectError;

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

/// What the script prints.
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

/// An API class.
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

/// A method of an API class.
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

/// An exception with which a method rejects requests.
#[derive(Debug, Deserialize)]
pub(super) struct Rejection {
    pub ret: u16,
    /// The message; empty if it is computed.
    pub message: String,
}

/// A place in a file.
#[derive(Debug, Deserialize)]
pub(super) struct Place {
    pub file: String,
    pub line: usize,
}

/// A doc comment.
#[derive(Debug, Deserialize)]
pub(super) struct Doc {
    /// The first line.
    pub info: String,
    /// The lines after the first line, before the annotations.
    pub text: String,
    /// The annotations: each name without `@`, the text after it, and the line.
    pub tags: Vec<(String, String, usize)>,
}

/// The file `Config/app.php`.
#[derive(Debug, Deserialize)]
pub(super) struct Config {
    pub file: String,
    #[serde(deserialize_with = "php_map")]
    pub lines: BTreeMap<String, usize>,
    pub keys: Vec<Json>,
    /// The value of `apiCommonRules`.
    #[serde(deserialize_with = "php_object")]
    pub rules: Map<String, Json>,
    /// The value of `service_whitelist`.
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
