//! Writes the definition of the benchmark's API and the bearer keys of its callers, for the rulebook server.

use std::path::Path;
use std::{fs, io};

use serde_json::{Value as Json, json};

use crate::{files, keys, orders};

/// The name of rulebook's type of ids, which are integers from 0 to 2147483647.
const ID_TYPE: &str = "id";

/// Writes the definition to the subfolder `api` and the keys to the subfolder `data`. If `services` is not 0, the
/// definition contains one endpoint with this number of paths, otherwise each endpoint once.
pub fn write_definition(folder: &Path, services: usize, keys: usize) -> io::Result<()> {
    let api = folder.join("api");
    let data = folder.join("data");
    fs::create_dir_all(&api)?;
    fs::create_dir_all(&data)?;
    let app = json!({
        "title": "Benchmark",
        "version": "1.0.0",
        "service": { "on": true },
        // With this setting, errors have the same HTTP statuses as in the hand-written server.
        "phalapi": { "real_status": true },
    });
    fs::write(api.join("app.json"), json_text(&app))?;
    let module = if services == 0 { endpoints_module() } else { many_services_module(services) };
    fs::write(api.join("bench.json"), json_text(&module))?;
    if services == 0 {
        fs::write(api.join("lines.json"), json_text(&rules_module()))?;
    }
    fs::write(data.join("pepper"), keys::PEPPER)?;
    fs::write(data.join("keys.json"), json_text(&keys::key_file(keys)))
}

/// Writes the definition of downloads and uploads to the subfolder `api`, and the keys to the subfolder `data`.
pub fn write_files_definition(folder: &Path) -> io::Result<()> {
    let api = folder.join("api");
    fs::create_dir_all(&api)?;
    fs::write(api.join("iapi.json"), json_text(&files_module()))?;
    let data = folder.join("data");
    fs::write(data.join("pepper"), keys::PEPPER)?;
    fs::write(data.join("keys.json"), json_text(&keys::key_file(keys::DEFAULT_COUNT)))
}

fn files_module() -> Json {
    let filename = json!({ "info": "Its name", "type": "filename(public/**)", "name": "filename" });
    json!({
        "info": "Files",
        "envelope": "plain",
        "/": { (&files::ENDPOINT_PATH[1..]): {
            "GET": {
                "info": "Downloads a file",
                "scope": [[keys::PERMISSION]],
                "in": { "GET@filename": filename },
                "errors": {
                    "no_such_file": { "status": 404, "info": "there is no such file" },
                    "not_allowed": { "status": 403, "info": "the key does not allow this name" },
                },
                "options": { "download": true },
            },
            "POST": {
                "info": "Uploads a file",
                "scope": [[keys::PERMISSION]],
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

/// Returns the path of the `n`-th service, for a definition that contains one endpoint with many paths.
pub fn service_path(n: usize) -> String {
    format!("/s{n}/line/{{article_id}}/{{no_line}}")
}

fn json_text(json: &Json) -> String {
    format!("{json}\n")
}

fn endpoints_module() -> Json {
    json!({
        "info": "The endpoints of the benchmark",
        "schemas": orders::schemas(),
        "/": {
            "ping": { "GET": {
                "info": "Checks that the server responds",
                "out": { "pong": { "info": "Always true", "type": "bool" } },
            } },
            "private": { "GET": {
                "info": "Checks that the server responds, for callers with a key",
                "scope": [[keys::PERMISSION]],
                "out": { "pong": { "info": "Always true", "type": "bool" } },
            } },
            "article/line/{article_id}/{no_line}": { "GET": line_method() },
            "article/query": { "GET": line_by_query_method() },
            "script/line/{article_id}/{no_line}": { "GET": jsonp_line_method() },
            (&orders::PATH[1..]): { "POST": {
                "info": "Counts orders",
                "in": { "orders": { "info": "The orders", "type": "array<Order>" } },
                "out": {
                    "orders": { "info": "Their number", "type": "uint" },
                    "active": { "info": "The number of active parts", "type": "uint" },
                },
            } },
            "article": {
                "POST": create_article_method(),
                "/": { "form": { "POST": create_article_method() } },
            },
        },
    })
}

fn many_services_module(services: usize) -> Json {
    let services: serde_json::Map<_, _> =
        (1..=services).map(|n| (service_path(n)[1..].to_owned(), json!({ "GET": line_method() }))).collect();
    json!({ "info": "The same service under many names", "/": services })
}

fn line_by_query_method() -> Json {
    let mut method = line_method();
    if let Some(parameters) = method["in"].as_object_mut() {
        for name in ["article_id", "no_line"] {
            let mut parameter = parameters.shift_remove(&format!("{{{name}}}")).unwrap_or_default();
            parameter["name"] = name.into();
            parameters.insert(format!("GET@{name}"), parameter);
        }
    }
    method
}

fn rules_module() -> Json {
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

fn jsonp_line_method() -> Json {
    let mut method = line_method();
    method["options"] = json!({ "jsonp": true });
    method
}

fn line_method() -> Json {
    json!({
        "info": "Returns a line of an article",
        "in": {
            "{article_id}": { "info": "The id of the article", "type": ID_TYPE },
            "{no_line}": { "info": "The number of the line", "type": ID_TYPE },
            "GET@lang": { "info": "The language", "type": "string(2,5)", "name": "lang" },
        },
        "out": {
            "article_id": { "info": "The id of the article", "type": ID_TYPE },
            "no_line": { "info": "The number of the line", "type": ID_TYPE },
            "lang": { "info": "The language", "type": "string(2,5)" },
            "line": { "info": "The line", "type": "string" },
        },
    })
}

fn create_article_method() -> Json {
    json!({
        "info": "Creates an article",
        "scope": [[keys::PERMISSION]],
        "in": {
            "title": { "info": "The title", "type": "string(1,120)" },
            "text": { "info": "The text", "type": "string(1,10000)" },
            "lang": { "info": "The language", "type": "string(2,5)" },
            "kind": { "info": "The kind of article", "type": "enum(news|essay|note)" },
            "author": { "info": "The id of the author", "type": ID_TYPE },
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
