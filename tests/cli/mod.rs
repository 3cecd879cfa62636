//! The command line: the program as a user runs it.

mod call;
mod check;
mod help;
mod keys;
mod new;
mod openapi;
mod pipes;
mod serve;
mod settings;
#[cfg(all(feature = "demo", feature = "client"))]
mod transfer;

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::served::{copy_files, program};

/// What a run of the program ended in.
#[derive(Debug, PartialEq)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Runs the program in a folder.
pub fn run(folder: &Path, arguments: &[&str]) -> Ran {
    program(folder).args(arguments).output().unwrap().into()
}

/// A folder with these files below `api`.
pub fn folder(files: &[(&str, Json)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("api")).unwrap();
    for (name, content) in files {
        fs::write(folder.path().join("api").join(name), content.to_string()).unwrap();
    }
    folder
}

/// A small API whose methods answer with their arguments.
pub fn shop() -> TempDir {
    folder(&[("app.json", json!({ "unbound": "echo", "title": "Shop", "version": "2.0.0" })), ("shop.json", module())])
}

/// The definition that the program has handlers for, and one service more, `extra`, that it has none for. `app` is
/// its `app.json`.
pub fn unfinished(app: &Json) -> TempDir {
    let folder = TempDir::new().unwrap();
    let api = folder.path().join("api");
    copy_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("api"), &api);
    fs::write(api.join("app.json"), app.to_string()).unwrap();
    let extra = json!({ "/": { "extra": module()["/"]["article"] } });
    fs::write(api.join("extra.json"), extra.to_string()).unwrap();
    folder
}

/// The module of the shop.
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
