//! Tests of the command line. Each test runs the program of the demo in a new process.

mod absent_services;
mod buckets;
mod call;
mod check;
mod diff;
#[cfg(unix)]
mod handover;
mod help;
#[cfg(unix)]
mod import;
mod import_openapi;
mod keys;
mod mistake_kinds;
mod mistakes;
mod monitoring;
mod new;
mod openapi;
mod paths;
mod pipes;
#[cfg(unix)]
mod releases;
#[cfg(unix)]
mod reload;
mod serve;
mod settings;
mod shell;
mod summary;
mod tls;
mod transfer;
mod types;
mod variables;
mod watch;

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::server_process::{copy_files, program};

/// The exit code and the output of a program that has ended.
#[derive(Debug, PartialEq)]
pub struct RunResult {
    pub exit_code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for RunResult {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { exit_code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Runs the program of the demo with a folder as its working directory, and waits until it ends.
pub fn run_program(folder: &Path, arguments: &[&str]) -> RunResult {
    program(folder).args(arguments).output().unwrap().into()
}

/// Creates a folder whose subfolder `api` contains these definition files.
pub fn definition_folder(files: &[(&str, Json)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("api")).unwrap();
    for (name, content) in files {
        fs::write(folder.path().join("api").join(name), content.to_string()).unwrap();
    }
    folder
}

/// Creates a folder with a small API whose methods respond with their arguments.
pub fn shop_folder() -> TempDir {
    definition_folder(&[
        ("app.json", json!({ "unbound": "echo", "title": "Shop", "version": "2.0.0" })),
        ("shop.json", shop_module()),
    ])
}

/// Creates a folder with the definition of the demo and an additional service `extra`, for which the program has no
/// handlers. `app` is the content of `app.json`, except for the schemas and the versions of the demo.
pub fn folder_with_unbound_service(app: &Json) -> TempDir {
    let folder = TempDir::new().unwrap();
    let api = folder.path().join("api");
    copy_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("api"), &api);
    let settings = fs::read_to_string(api.join("app.json")).unwrap();
    let settings: Json = jsonc_parser::parse_to_serde_value(&settings, &jsonc_parser::ParseOptions::default()).unwrap();
    let mut app = app.clone();
    for key in ["schemas", "versions"] {
        app[key] = settings[key].clone();
    }
    fs::write(api.join("app.json"), app.to_string()).unwrap();
    let extra = json!({ "/": { "extra": shop_module()["/"]["article"] } });
    fs::write(api.join("extra.json"), extra.to_string()).unwrap();
    folder
}

/// Returns the definition of the API module in [`shop_folder`].
pub fn shop_module() -> Json {
    json!({ "/": { "article": {
        "GET": { "info": "Articles", "in": {
            "URL#0": { "info": "Which", "type": "?id", "name": "id" },
            "GET@tag": { "info": "Tags", "type": "?array<string>", "name": "tags" }
        } },
        "POST": { "info": "A new one", "scope": [["writer", "member"], ["admin"]], "in": {
            "title": { "info": "Its title", "type": "string(1,20)" },
            "price": { "info": "In cents", "type": "uint", "default": 0 }
        } }
    } } })
}
