//! The command line, run as a program.

mod call;
mod check;
mod help;
mod keys;
mod new;
mod openapi;
mod pipes;
mod serve;
mod settings;
mod transfer;

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::server_process::{copy_files, program};

/// Exit code and output of the program.
#[derive(Debug, PartialEq)]
pub struct RunResult {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for RunResult {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Runs the program in a folder.
pub fn run(folder: &Path, arguments: &[&str]) -> RunResult {
    program(folder).args(arguments).output().unwrap().into()
}

/// Creates a folder with these files in the subfolder `api`.
pub fn folder(files: &[(&str, Json)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("api")).unwrap();
    for (name, content) in files {
        fs::write(folder.path().join("api").join(name), content.to_string()).unwrap();
    }
    folder
}

/// Creates a folder with a small API whose methods respond with their arguments.
pub fn shop() -> TempDir {
    folder(&[("app.json", json!({ "unbound": "echo", "title": "Shop", "version": "2.0.0" })), ("shop.json", module())])
}

/// Creates a folder with the demo's definition and an additional service `extra`, for which the program has no
/// handlers. `app` is the content of `app.json`.
pub fn unfinished(app: &Json) -> TempDir {
    let folder = TempDir::new().unwrap();
    let api = folder.path().join("api");
    copy_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("api"), &api);
    fs::write(api.join("app.json"), app.to_string()).unwrap();
    let extra = json!({ "/": { "extra": module()["/"]["article"] } });
    fs::write(api.join("extra.json"), extra.to_string()).unwrap();
    folder
}

/// Returns the module of [`shop`].
pub fn module() -> Json {
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
