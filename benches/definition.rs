//! The definition and the keys of the rulebook server.

use std::path::Path;
use std::{fs, io};

use serde_json::{Value as Json, json};

use crate::{files, keys};

/// The type of ids, 0 to 2147483647.
const ID: &str = "id";

/// Writes the definition to `api/` and the keys to `data/`. If `services` is not 0, the definition contains one
/// endpoint under this number of names, otherwise every endpoint once.
pub fn write(folder: &Path, services: usize, keys: usize) -> io::Result<()> {
    let api = folder.join("api");
    let data = folder.join("data");
    fs::create_dir_all(&api)?;
    fs::create_dir_all(&data)?;
    let app = json!({
        "title": "Benchmark",
        "version": "1.0.0",
        "service": { "on": true },
        // Errors have the same HTTP statuses as in the hand-written server.
        "phalapi": { "real_status": true },
    });
    fs::write(api.join("app.json"), text(&app))?;
    let module = if services == 0 { bench() } else { many(services) };
    fs::write(api.join("bench.json"), text(&module))?;
    if services == 0 {
        fs::write(api.join("lines.json"), text(&lines()))?;
    }
    fs::write(data.join("pepper"), keys::PEPPER)?;
    fs::write(data.join("keys.json"), text(&keys::file(keys)))
}

/// Writes the definition of downloads and uploads to `api/`, and the keys to `data/`.
pub fn write_files(folder: &Path) -> io::Result<()> {
    let api = folder.join("api");
    fs::create_dir_all(&api)?;
    fs::write(api.join("iapi.json"), text(&files()))?;
    let data = folder.join("data");
    fs::write(data.join("pepper"), keys::PEPPER)?;
    fs::write(data.join("keys.json"), text(&keys::file(keys::COUNT)))
}

fn files() -> Json {
    let filename = json!({ "info": "Its name", "type": "filename(public/**)", "name": "filename" });
    json!({
        "info": "Files",
        "envelope": "plain",
        "/": { (&files::PATH[1..]): {
            "GET": {
                "info": "Downloads a file",
                "scope": [[keys::SCOPE]],
                "in": { "GET@filename": filename },
                "errors": {
                    "no_such_file": { "status": 404, "info": "there is no such file" },
                    "not_allowed": { "status": 403, "info": "the key does not allow this name" },
                },
                "options": { "download": true },
            },
            "POST": {
                "info": "Uploads a file",
                "scope": [[keys::SCOPE]],
                "in": {
                    "content": { "info": "The file", "type": "file", "max": 1_u64 << 30, "range": ["text/plain"], "name": "content" },
                    "filename": filename,
                },
                "errors": {
                    "not_allowed": { "status": 403, "info": "the key does not allow this name" },
                    "name_taken": { "status": 409, "info": "something other than a file has this name" },
                    "precondition_failed": { "status": 412, "info": "the file does not meet the precondition" },
                    "no_room": { "status": 507, "info": "there is no space left for the file" },
                },
                "options": { "status": 204 },
            },
        } },
    })
}

/// Returns the path of the `n`-th service in a definition of many.
pub fn path(n: usize) -> String {
    format!("/s{n}/line/{{article_id}}/{{no_line}}")
}

fn text(json: &Json) -> String {
    format!("{json}\n")
}

fn bench() -> Json {
    json!({
        "info": "The endpoints of the benchmark",
        "/": {
            "ping": { "GET": {
                "info": "Checks that the server responds",
                "out": { "pong": { "info": "Always true", "type": "bool" } },
            } },
            "private": { "GET": {
                "info": "Checks that the server responds, for callers with a key",
                "scope": [[keys::SCOPE]],
                "out": { "pong": { "info": "Always true", "type": "bool" } },
            } },
            "article/line/{article_id}/{no_line}": { "GET": line() },
            "article/query": { "GET": query() },
            "script/line/{article_id}/{no_line}": { "GET": script() },
            "article": {
                "POST": create(),
                "/": { "form": { "POST": create() } },
            },
        },
    })
}

fn many(services: usize) -> Json {
    let services: serde_json::Map<_, _> =
        (1..=services).map(|n| (path(n)[1..].to_owned(), json!({ "GET": line() }))).collect();
    json!({ "info": "The same service under many names", "/": services })
}

fn query() -> Json {
    let mut method = line();
    if let Some(parameters) = method["in"].as_object_mut() {
        for name in ["article_id", "no_line"] {
            let mut parameter = parameters.shift_remove(&format!("{{{name}}}")).unwrap_or_default();
            parameter["name"] = name.into();
            parameters.insert(format!("GET@{name}"), parameter);
        }
    }
    method
}

fn lines() -> Json {
    let id = |name: &str| json!({ "name": name, "type": "int", "min": 0, "max": i32::MAX, "require": true });
    json!({ "Lines": { "@envelope": "aicra", "query": {
        "@method": "GET",
        "article_id": id("article_id"),
        "no_line": id("no_line"),
        "lang": { "name": "lang", "min": 2, "max": 5, "require": true },
        "@return": {
            "article_id": { "type": "int", "desc": "The id of the article" },
            "no_line": { "type": "int", "desc": "The number of the line" },
            "lang": { "type": "string", "desc": "The language" },
            "line": { "type": "string", "desc": "The line" },
        },
    } } })
}

fn script() -> Json {
    let mut method = line();
    method["options"] = json!({ "jsonp": true });
    method
}

fn line() -> Json {
    json!({
        "info": "Returns a line of an article",
        "in": {
            "{article_id}": { "info": "The id of the article", "type": ID },
            "{no_line}": { "info": "The number of the line", "type": ID },
            "GET@lang": { "info": "The language", "type": "string(2,5)", "name": "lang" },
        },
        "out": {
            "article_id": { "info": "The id of the article", "type": ID },
            "no_line": { "info": "The number of the line", "type": ID },
            "lang": { "info": "The language", "type": "string(2,5)" },
            "line": { "info": "The line", "type": "string" },
        },
    })
}

fn create() -> Json {
    json!({
        "info": "Creates an article",
        "scope": [[keys::SCOPE]],
        "in": {
            "title": { "info": "The title", "type": "string(1,120)" },
            "text": { "info": "The text", "type": "string(1,10000)" },
            "lang": { "info": "The language", "type": "string(2,5)" },
            "kind": { "info": "The kind of article", "type": "enum(news|essay|note)" },
            "author": { "info": "The id of the author", "type": ID },
            "category": { "info": "The number of the category", "type": "int(1,1000)" },
            "rating": { "info": "The rating", "type": "float", "min": 0, "max": 5 },
            "draft": { "info": "If true, the article is a draft", "type": "bool" },
        },
        "out": {
            "title": { "info": "The title", "type": "string(1,120)" },
            "kind": { "info": "The kind of article", "type": "enum(news|essay|note)" },
            "category": { "info": "The number of the category", "type": "int(1,1000)" },
            "rating": { "info": "The rating", "type": "float", "min": 0, "max": 5 },
            "draft": { "info": "If true, the article is a draft", "type": "bool" },
            "length": { "info": "The length of the text in bytes", "type": "uint" },
            "by": { "info": "The name of the caller's key", "type": "string" },
        },
    })
}
