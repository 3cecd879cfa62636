//! The servers of the cases whose handlers are in the definition, and need no Rust. Each kind of handler has a module
//! with its definition, the programs that both servers use, and the server that rulebook is compared with.

mod http;
mod php;
mod postgres;
mod process;
mod python;
mod sql;
pub mod upstream;

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, io};

use serde_json::{Value as Json, json};

use crate::cases::Comparison;
use crate::drive::{Process, Server};

/// The name of rulebook's type of ids, which are integers from 0 to 2147483647.
const ID_TYPE: &str = "id";

/// What a comparison needs besides the rulebook server.
pub struct OtherServers {
    /// The server that rulebook is compared with.
    pub compared: Server,
    /// The program that both servers use: a database, another HTTP server, or php-fpm.
    pub shared: Option<Process>,
}

/// Writes the definition for the rulebook server to the subfolder `api`, and starts the other servers of a comparison.
pub fn start_other_servers(comparison: Comparison, folder: &Path) -> Result<OtherServers, Box<dyn Error>> {
    fs::create_dir_all(folder.join("data"))?;
    match comparison {
        Comparison::SqliteByHand => sql::start_sqlite_by_hand(folder),
        Comparison::PostgresByHand => sql::start_postgres_by_hand(folder),
        Comparison::SqliteFastapi => sql::start_fastapi(folder),
        Comparison::HttpByHand => http::start_by_hand(folder),
        Comparison::HttpNginx => http::start_nginx(folder),
        Comparison::ProcessFastapi => process::start_fastapi(folder),
        Comparison::PhpNginx => php::start_nginx(folder),
    }
}

/// Returns the name of a program that a comparison needs and that is not installed.
pub fn missing_program(comparison: Comparison) -> Option<&'static str> {
    let (name, is_installed) = match comparison {
        Comparison::SqliteByHand | Comparison::HttpByHand => return None,
        Comparison::PostgresByHand => ("PostgreSQL", postgres::programs().is_some()),
        Comparison::SqliteFastapi | Comparison::ProcessFastapi => ("FastAPI", python::interpreter().is_some()),
        Comparison::HttpNginx => ("nginx", has_nginx()),
        Comparison::PhpNginx if !has_nginx() => ("nginx", false),
        Comparison::PhpNginx => ("php-fpm", php::program().is_some()),
    };
    (!is_installed).then_some(name)
}

/// Returns `true` if nginx is installed.
pub fn has_nginx() -> bool {
    is_installed("nginx", "-v")
}

/// Returns `true` if a program succeeds with this argument.
fn is_installed(program: &str, argument: &str) -> bool {
    let mut command = Command::new(program);
    command.arg(argument).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Downloads of large files, whose memory is measured.
pub const LARGE_DOWNLOADS: [LargeDownload; 2] = [sql::ALL_NOTES, http::LARGE_FILE];

/// A large file that a method with a handler in the definition returns.
pub struct LargeDownload {
    /// The servers that serve it.
    pub comparison: Comparison,
    /// The request target.
    pub target: &'static str,
    /// The title in the results.
    pub title: &'static str,
    /// The size of the file.
    pub size: FileSize,
}

/// The size of a file, by which a complete download is recognized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileSize {
    /// The number of bytes.
    Bytes(u64),
    /// The number of lines.
    Lines(u64),
}

/// Writes the definition of an API with one module.
fn write_definition(folder: &Path, handlers: &Json, services: &Json) -> io::Result<()> {
    let api = folder.join("api");
    fs::create_dir_all(&api)?;
    let app = json!({ "title": "Benchmark", "version": "1.0.0", "handlers": handlers });
    fs::write(api.join("app.json"), app.to_string())?;
    let module = json!({ "info": "The endpoints of a case", "envelope": "plain", "/": services });
    fs::write(api.join("bench.json"), module.to_string())
}

/// Returns the definition of a parameter that is an id.
fn id_parameter(info: &str) -> Json {
    json!({ "info": info, "type": ID_TYPE })
}

/// Returns the definition of a method that returns a line of an article, with this handler. `parameter_name`
/// returns where a request has the parameter with this name.
fn line_method(parameter_name: fn(&str) -> String, handler: &Json) -> Json {
    let parameter = |name: &str, r#type: &str| {
        (parameter_name(name), json!({ "info": format!("The {name}"), "type": r#type, "name": name }))
    };
    let parameters = [parameter("article_id", ID_TYPE), parameter("no_line", ID_TYPE)];
    let lang = ("GET@lang".to_owned(), json!({ "info": "The language", "type": "string(2,5)", "name": "lang" }));
    json!({
        "id": "line.read",
        "info": "Returns a line of an article",
        "in": parameters.into_iter().chain([lang]).collect::<serde_json::Map<_, _>>(),
        "out": {
            "article_id": id_parameter("The id of the article"),
            "no_line": id_parameter("The number of the line"),
            "lang": { "info": "The language", "type": "string(2,5)" },
            "line": { "info": "The line", "type": "string" },
        },
        "handler": handler,
    })
}

/// Returns the path of a file beside this one.
fn source_path(name: &str) -> String {
    format!("{}/benches/kinds/{name}", env!("CARGO_MANIFEST_DIR"))
}
