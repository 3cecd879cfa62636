//! `rulebook call`: a method without a socket.

use std::fs::File;
use std::future::poll_fn;
use std::io;

use clap::Args;
use serde_json::{Map, Value as Json};

use super::{Exit, FilesFlag, Settings, output};
use crate::call::{Content, Download, Identity, Reason, Refusal};
use crate::diagnostic::nearest;
use crate::engine::{Engine, Rulebook};
use crate::envelope::{Envelope, JsonMembers, Problem};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The method: its id (`article.line.get`), HTTP method and path (`"GET /article/line/1"`), or the path alone
    /// (`article/line/1`) where one method takes it.
    #[arg(value_name = "ID")]
    method: String,
    /// Arguments by their names in code, read as a client's text.
    #[arg(value_name = "NAME=VALUE", value_parser = pair)]
    arguments: Vec<(String, String)>,
    /// Arguments as a JSON object by their names in code.
    #[arg(long, value_name = "OBJECT", value_parser = object)]
    json: Option<Map<String, Json>>,
    /// The permissions to call with, separated by commas; `--scope ""` for somebody without any. Without it, nobody
    /// calls.
    #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
    scope: Option<Vec<String>>,
    #[command(flatten)]
    pub(super) files: FilesFlag,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn object(text: &str) -> Result<Map<String, Json>, String> {
    serde_json::from_str(text).map_err(|error| format!("no JSON object: {error}"))
}

pub(super) fn run(app: impl FnOnce(Rulebook) -> Rulebook, settings: &Settings, options: Options) -> Exit {
    let engine = match settings.rulebook(app).build() {
        Ok(engine) => engine,
        Err(report) => {
            output::report(&report);
            return Exit::Refused;
        }
    };
    let Options { method, arguments, json, scope, .. } = options;
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
            output::complain(&format!("error: no runtime: {error}\n"));
            return Exit::Failed;
        }
    };
    let response = runtime.block_on(call.send());
    if response.download().is_some() {
        return response.into_download().map_or(Exit::Done, |download| print_file(&runtime, download));
    }
    match response.outputs() {
        Ok(outputs) => output::print(&format!("{outputs:#}\n")),
        Err(refusal) => {
            if output::print(&problem(&refusal)) == Exit::Failed {
                return Exit::Failed;
            }
            // Whoever runs the command is told what else only the log would know.
            if let Some(why) = refusal.log() {
                output::complain(&format!("{why}\n"));
            }
            if matches!(refusal.reason(), Reason::UnknownService { .. })
                && let Some(why) = unknown_id(&engine, &method)
            {
                output::complain(&format!("{why}\n"));
            }
            Exit::Refused
        }
    }
}

/// Writes a file to standard output as it is.
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
        Ok(()) => Exit::Done,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(error) => {
            output::complain(&format!("error: the file cannot be written: {error}\n"));
            Exit::Failed
        }
    }
}

/// What is said of an id that no method has; nothing of a path.
fn unknown_id(engine: &Engine, given: &str) -> Option<String> {
    let services = engine.api().modules.iter().flat_map(|module| &module.services);
    let ids = || services.clone().flat_map(|service| &service.methods).map(|method| method.id.as_str());
    if given.contains('/') || ids().any(|id| id == given) {
        return None;
    }
    let help = nearest(given, ids()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Some(format!("no method has the id `{given}`{help}"))
}

/// The refusal as a problem document.
fn problem(refusal: &Refusal) -> String {
    let mut members = JsonMembers::new();
    // Members of a refusal are JSON values, which cannot fail to be written.
    let _ = Problem.refusal(refusal, &mut members);
    let document: Json = serde_json::from_slice(&members.finish()).unwrap_or_default();
    format!("{document:#}\n")
}
