//! `rulebook call`: calls a method in the process of the command, without a server.

use std::fs::File;
use std::future::poll_fn;
use std::io;

use clap::Args;
use rulebook::error::ErrorKind;
use rulebook::handler_kind::{ApplyMigrations, Migrations};
use rulebook::model::Api;
use rulebook::{ApiError, ByteStream, Content, Download, Engine, Identity};
use rulebook_model::envelope::{Envelope, JsonMemberWriter, Problem};
use serde_json::{Map, Value as Json};
use tokio::runtime::Runtime;

use crate::{AddHandlers, Exit, Settings, log, new_runtime, output};

/// The default filter of log records: what workers print, and warnings.
const DEFAULT_FILTER: &str = "rulebook_process=info";

/// Call a method without a server, with the same permissions, checks and handler.
#[derive(Debug, Args)]
pub(super) struct CallOptions {
    /// The method: its id (`article.line.get`), its HTTP method and path (`"GET /article/line/1"`), or only its path
    /// (`article/line/1`) if no other method has the same path.
    #[arg(value_name = "METHOD")]
    method: String,
    /// The name of a parameter in code, and its argument as text; may be repeated.
    #[arg(value_name = "NAME=VALUE", value_parser = parse_argument)]
    arguments: Vec<(String, String)>,
    /// The arguments as a JSON object, whose keys are the names of the parameters in code.
    #[arg(long, value_name = "OBJECT", value_parser = parse_json_object)]
    json: Option<Map<String, Json>>,
    /// Permissions of the caller, separated by commas; `--scope ""` for a caller without any permission. Without
    /// --scope, --as and --claims, the caller is anonymous.
    #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
    scope: Option<Vec<String>>,
    /// Name of the caller, for handlers.
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    /// Claims of the caller, as those of a token, for handlers.
    #[arg(long, value_name = "OBJECT", value_parser = parse_json_object)]
    claims: Option<Map<String, Json>>,
}

fn parse_argument(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(super) fn parse_json_object(text: &str) -> Result<Map<String, Json>, String> {
    serde_json::from_str(text).map_err(|error| format!("not a JSON object: {error}"))
}

pub(super) fn run(app: AddHandlers<'_>, settings: &Settings, options: CallOptions) -> Result<Exit, Exit> {
    // A server may be running with the same database.
    let migrations = Migrations { apply: ApplyMigrations::ToNewFiles, ..Migrations::default() };
    let built = settings.new_rulebook(app).validate().and_then(|validated| {
        validated.replaced_settings(&settings.replaced_settings()).migrations(migrations).build()
    });
    let engine = built.map_err(|report| output::print_report(&report))?;
    let names = options.arguments.iter().map(|(name, _)| name).chain(options.json.iter().flat_map(Map::keys));
    let checked = engine.check_argument_names(&options.method, names.map(String::as_str));
    checked.map_err(output::print_usage_error)?;
    // A program that has set a logger keeps it.
    let filter = settings.log_filter.as_deref().unwrap_or(DEFAULT_FILTER);
    let _ = log::start_logging(filter, settings.log_format.unwrap_or_default());
    engine.start().map_err(output::print_system_error)?;
    let CallOptions { method, arguments, json, scope, name, claims } = options;
    let identity = caller(engine.api(), "command line", name.as_deref(), scope, claims);
    let identity = identity.map_err(|why| output::print_usage_error(format!("--claims: {why}")))?;
    let mut call = engine.call(&method).args(json.unwrap_or_default());
    for (name, value) in arguments {
        call = call.text(name, value);
    }
    if let Some(identity) = identity {
        call = call.identity(identity);
    }
    let runtime = new_runtime()
        .map_err(|error| output::print_system_error(format!("cannot start the asynchronous runtime: {error}")))?;
    let response = runtime.block_on(call.send());
    if response.download().is_some() {
        let download = response.into_download();
        return Ok(download.map_or(Exit::Success, |download| print_download(&runtime, download)));
    }
    let error = match response.outputs() {
        Ok(outputs) => return Ok(output::print_to_stdout(&output::format_json(&outputs))),
        Err(error) => error,
    };
    if output::print_to_stdout(&problem_document(&error)) == Exit::SystemError {
        return Err(Exit::SystemError);
    }
    // The details of an internal error. A server writes them to its log and does not send them to clients.
    if let Some(cause) = error.log() {
        output::print_to_stderr(&format!("{cause}\n"));
    }
    if matches!(error.kind(), ErrorKind::UnknownService { .. })
        && let Some(message) = unknown_id_message(&engine, &method)
    {
        output::print_to_stderr(&format!("{message}\n"));
    }
    Err(Exit::ErrorsReported)
}

fn print_download(runtime: &Runtime, download: Download) -> Exit {
    let copied = match download.into_content() {
        Content::Bytes(bytes) => output::write_to_stdout(&bytes),
        Content::Path(path) => File::open(&path).and_then(|mut file| output::copy_to_stdout(&mut file)),
        Content::File(mut file) => output::copy_to_stdout(&mut file),
        Content::Stream(pieces) => print_stream(runtime, pieces),
        Content::Ranged(content) => print_stream(runtime, content.stream(0..content.length())),
    };
    output::exit_of_output(copied, "cannot write the file to standard output")
}

fn print_stream(runtime: &Runtime, mut pieces: ByteStream) -> io::Result<()> {
    while let Some(piece) = runtime.block_on(poll_fn(|task| pieces.as_mut().poll_next(task))) {
        output::write_to_stdout(&piece?)?;
    }
    Ok(())
}

/// Returns the error message for a method id that does not exist. Returns `None` if `given` is the id of a method, or a
/// path.
fn unknown_id_message(engine: &Engine, given: &str) -> Option<String> {
    let services = engine.api().services();
    let ids = || services.clone().flat_map(|service| &service.methods).map(|method| method.id.as_str());
    if given.contains('/') || ids().any(|id| id == given) {
        return None;
    }
    Some(format!("there is no method with the id `{given}`{}", output::did_you_mean(given, ids())))
}

/// Returns the text of a problem document (RFC 9457) that describes the error.
fn problem_document(error: &ApiError) -> String {
    let mut members = JsonMemberWriter::new();
    // The members are JSON values, so that writing them cannot fail.
    let _ = Problem.error(error, &mut members);
    let document: Json = serde_json::from_slice(&members.finish()).unwrap_or_default();
    output::format_json(&document)
}

/// Returns a caller with this name, these permissions and these claims; `None` if all are missing, for an anonymous
/// caller. Without a name, the name is `default_name`.
/// Fails if the claims are not those that the API declares, or the program does not have claims. The error is a
/// message.
pub(super) fn caller(
    api: &Api,
    default_name: &str,
    name: Option<&str>,
    scope: Option<Vec<String>>,
    claims: Option<Map<String, Json>>,
) -> Result<Option<Identity>, String> {
    if name.is_none() && scope.is_none() && claims.is_none() {
        return Ok(None);
    }
    let scope = scope.unwrap_or_default().into_iter().filter(|permission| !permission.is_empty());
    let identity = Identity::new(name.unwrap_or(default_name), scope);
    match claims {
        Some(claims) => with_claims(identity, api.convert_claims(claims)?).map(Some),
        None => Ok(Some(identity)),
    }
}

#[cfg(feature = "auth")]
fn with_claims(identity: Identity, claims: Map<String, Json>) -> Result<Identity, String> {
    Ok(identity.with(rulebook_auth::Claims::new(claims)))
}

#[cfg(not(feature = "auth"))]
fn with_claims(_: Identity, _: Map<String, Json>) -> Result<Identity, String> {
    Err("this program was built without the Cargo feature `auth`, so that callers have no claims".to_owned())
}
