//! `rulebook call`: calls a method in the process of the command, without a server.

use std::fs::File;
use std::future::poll_fn;
use std::io;

use clap::Args;
use serde_json::{Map, Value as Json};

use super::{App, Command, Exit, Settings, output};
use rulebook::Engine;
use rulebook::error::ErrorKind;
use rulebook::{ApiError, Content, Download, Identity};
use rulebook_model::diagnostic::closest;
use rulebook_model::envelope::{Envelope, JsonMemberWriter, Problem};

pub(super) const COMMAND: Command = Command {
    name: "call",
    augment: Options::augment_args,
    settings: &["api", "data", "files", "unbound"],
    run: |matches, settings, app| Ok(run(app, settings, super::options(matches)?)),
};

/// Call a method without a server, with the same permissions, checks and handler.
#[derive(Debug, Args)]
struct Options {
    /// The method: its id (`article.line.get`), its HTTP method and path (`"GET /article/line/1"`), or only its path
    /// (`article/line/1`) if no other method has the same.
    #[arg(value_name = "METHOD")]
    method: String,
    /// An argument as text, by the parameter's name in code; may be repeated.
    #[arg(value_name = "NAME=VALUE", value_parser = pair)]
    arguments: Vec<(String, String)>,
    /// Arguments as a JSON object, by the parameters' names in code.
    #[arg(long, value_name = "OBJECT", value_parser = object)]
    json: Option<Map<String, Json>>,
    /// Permissions of the caller, separated by commas; `--scope ""` for a caller without any. If omitted, the caller is
    /// anonymous.
    #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
    scope: Option<Vec<String>>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn object(text: &str) -> Result<Map<String, Json>, String> {
    serde_json::from_str(text).map_err(|error| format!("not a JSON object: {error}"))
}

fn run(app: App<'_>, settings: &Settings, options: Options) -> Exit {
    let engine = match settings.rulebook(app).build() {
        Ok(engine) => engine,
        Err(report) => {
            output::report(&report);
            return Exit::Refused;
        }
    };
    if let Err(error) = engine.start() {
        output::complain(&format!("error: {error}\n"));
        return Exit::Failed;
    }
    let Options { method, arguments, json, scope } = options;
    let mut call = engine.call(&method).args(json.unwrap_or_default());
    for (name, value) in arguments {
        call = call.text(name, value);
    }
    if let Some(scope) = scope {
        let scope = scope.into_iter().filter(|permission| !permission.is_empty());
        call = call.identity(Identity::new("command line", scope));
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::complain(&format!("error: cannot start the asynchronous runtime: {error}\n"));
            return Exit::Failed;
        }
    };
    let response = runtime.block_on(call.send());
    if response.download().is_some() {
        return response.into_download().map_or(Exit::Success, |download| print_file(&runtime, download));
    }
    match response.outputs() {
        Ok(outputs) => output::print(&format!("{outputs:#}\n")),
        Err(error) => {
            if output::print(&problem(&error)) == Exit::Failed {
                return Exit::Failed;
            }
            // A server would write this text only to its log.
            if let Some(cause) = error.log() {
                output::complain(&format!("{cause}\n"));
            }
            if matches!(error.kind(), ErrorKind::UnknownService { .. })
                && let Some(message) = unknown_id(&engine, &method)
            {
                output::complain(&format!("{message}\n"));
            }
            Exit::Refused
        }
    }
}

/// Writes the content of a file to standard output.
fn print_file(runtime: &tokio::runtime::Runtime, download: Download) -> Exit {
    let copied = match download.into_content() {
        Content::Bytes(bytes) => output::write(&bytes),
        Content::Path(path) => File::open(&path).and_then(|mut file| output::copy(&mut file)),
        Content::File(mut file) => output::copy(&mut file),
        Content::Stream(mut pieces) => loop {
            match runtime.block_on(poll_fn(|task| pieces.as_mut().poll_next(task))) {
                Some(piece) => match piece.and_then(|piece| output::write(&piece)) {
                    Ok(()) => {}
                    Err(error) => break Err(error),
                },
                None => break Ok(()),
            }
        },
    };
    match copied {
        Ok(()) => Exit::Success,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Success,
        Err(error) => {
            output::complain(&format!("error: cannot write the file to standard output: {error}\n"));
            Exit::Failed
        }
    }
}

/// Returns the message for an id that no method has; `None` if the argument is an existing id or a path.
fn unknown_id(engine: &Engine, given: &str) -> Option<String> {
    let services = engine.api().modules.iter().flat_map(|module| &module.services);
    let ids = || services.clone().flat_map(|service| &service.methods).map(|method| method.id.as_str());
    if given.contains('/') || ids().any(|id| id == given) {
        return None;
    }
    let help = closest(given, ids()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Some(format!("there is no method with the id `{given}`{help}"))
}

/// Writes the error as a problem document (RFC 9457).
fn problem(error: &ApiError) -> String {
    let mut members = JsonMemberWriter::new();
    // The members of an error are JSON values, so that writing them cannot fail.
    let _ = Problem.error(error, &mut members);
    let document: Json = serde_json::from_slice(&members.finish()).unwrap_or_default();
    format!("{document:#}\n")
}
