//! `rulebook import`: converts an OpenAPI description to a definition.
//!
//! [`read`] parses the description, [`schema`] converts its schemas, [`operation`] its operations and [`settings`] the
//! rest. Everything that the definition cannot express is added to the [`losses`]. [`repair`] then checks the
//! definition, [`unread`] reports everything that no code has read, and [`write`] writes the files.

mod document;
mod loosen;
mod losses;
mod names;
mod operation;
mod places;
mod read;
mod repair;
mod schema;
mod security;
mod settings;
mod unread;
mod vocabulary;
mod write;
mod yaml;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::Value as Json;

#[cfg(feature = "client")]
use super::client_options::{ClientOptions, print_transfer_error};
use super::{Command, Exit, output};
#[cfg(feature = "client")]
use crate::remote::fetch_document;
use document::{Document, Knowledge, text};
use losses::Losses;
use rulebook_model::diagnostic::Report;
use rulebook_model::model::Api;
use schema::Converter;
use write::DefinitionFile;

/// The maximum number of losses that are printed one by one.
const MAX_PRINTED_LOSSES: usize = 20;

const AFTER_HELP: &str = "\
Examples:
  rulebook import openapi.yaml
  rulebook import https://host/openapi.json shop/api --losses losses.txt

The report on standard output counts everything that the description has and a definition cannot express. --losses FILE \
lists each with its place in the description, a JSON pointer.

Exit codes: 0 success, also with losses; 1 the description cannot be converted, or the server responded with an error; 2 \
invalid usage; 3 a file cannot be read or written, or the server cannot be reached.";

pub(super) const COMMAND: Command = Command {
    name: "import",
    add_options: Options::augment_args,
    shown_settings: Some(&[]),
    run: |matches, _, _| Ok(run(&super::parse_options(matches)?).unwrap_or_else(|exit| exit)),
};

/// Convert an OpenAPI description to a definition.
///
/// The description has the version 3.0, 3.1 or 3.2 of OpenAPI, and is written in JSON or YAML. The command writes
/// `app.json`, with the schemas, and a file for each tag. The definition has no errors: what `rulebook check` would
/// reject is replaced by something looser, and reported.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
struct Options {
    /// File with the description, or its URL (`https://host/openapi.json`).
    #[arg(value_name = "OPENAPI", value_parser = NonEmptyStringValueParser::new())]
    description: String,
    /// Folder to write the definition to, which must be missing or empty.
    #[arg(default_value = "api")]
    folder: PathBuf,
    /// Write all losses to this file, one on each line; an existing file is replaced atomically.
    #[arg(long, value_name = "FILE")]
    losses: Option<PathBuf>,
    #[cfg(feature = "client")]
    #[command(flatten)]
    client: ClientOptions,
}

/// A definition that was converted from a description.
struct Imported {
    files: Vec<DefinitionFile>,
    api: Api,
    schema_count: usize,
    losses: Losses,
}

fn run(options: &Options) -> Result<Exit, Exit> {
    let folder = &options.folder;
    match write::is_unused(folder) {
        Ok(true) => {}
        Ok(false) => return Err(output::print_system_error(&format!("`{}` is not an empty folder", folder.display()))),
        Err(error) => return Err(output::print_system_error(&format!("{}: {error}", folder.display()))),
    }
    let bytes = read_description(options)?;
    let root = read::parse(&options.description, bytes).map_err(|error| {
        output::print_to_stderr(&format!("error: {error}\n"));
        Exit::ErrorsReported
    })?;
    let imported = import(&root).map_err(|report| {
        output::print_to_stderr("error: the description cannot be converted to a definition without errors\n");
        output::print_report(&report)
    })?;
    write::write_files(folder, &imported.files)
        .map_err(|error| output::print_system_error(&format!("{}: {error}", folder.display())))?;
    let mut exit = Exit::Success;
    if let Some(file) = &options.losses {
        exit = output::write_document(&imported.losses.to_text(), Some(file));
    }
    let printed = output::print_to_stdout(&report(&root, &imported, folder, options.losses.as_deref()));
    Ok(if exit == Exit::Success { printed } else { exit })
}

/// Converts a description.
///
/// # Errors
/// Returns the errors of the definition that could not be fixed.
fn import(root: &Json) -> Result<Imported, Report> {
    let knowledge = Knowledge::default();
    let document = Document { root, knowledge: &knowledge };
    let mut converter = Converter::new(document);
    let settings = settings::convert_settings(&mut converter);
    security::read_schemes(&mut converter);
    let modules = operation::convert_operations(&mut converter);
    let schemas = converter.convert_named_schemas();
    let schema_count = schemas.len();
    let mut files = write::definition_files(settings, schemas, modules);
    settings::report_unused(&mut converter);
    let mut losses = converter.losses;
    let api = repair::repair(root, &mut files, &mut losses)?;
    unread::report_unread(document, &mut losses);
    Ok(Imported { files, api, schema_count, losses })
}

/// Reads the description from its file or from the server.
fn read_description(options: &Options) -> Result<Vec<u8>, Exit> {
    let name = &options.description;
    if name.starts_with("http://") || name.starts_with("https://") {
        return fetch_description(name, options);
    }
    fs::read(name).map_err(|error| output::print_system_error(&format!("{name}: {error}")))
}

#[cfg(feature = "client")]
fn fetch_description(url: &str, options: &Options) -> Result<Vec<u8>, Exit> {
    let url = url.parse().map_err(|error| {
        output::print_to_stderr(&format!("error: {url}: {error}\n"));
        Exit::InvalidUsage
    })?;
    let client = options.client.create_client()?;
    let name = options.description.clone();
    let fetched = options.client.run_with_progress(name, |progress| fetch_document(&client, &url, progress));
    fetched.map_err(|error| print_transfer_error(&error))
}

#[cfg(not(feature = "client"))]
fn fetch_description(url: &str, _: &Options) -> Result<Vec<u8>, Exit> {
    output::print_to_stderr(&format!("error: {url}: this program was built without the feature `client`\n"));
    Err(Exit::InvalidUsage)
}

/// Returns the report: what was imported, and what the definition cannot express.
fn report(root: &Json, imported: &Imported, folder: &Path, list: Option<&Path>) -> String {
    let info = root.get("info").unwrap_or(&Json::Null);
    let title = text(info, "title").unwrap_or("the description");
    let version = read::version(root, "openapi").unwrap_or_default();
    let schemas = output::count_with_noun(imported.schema_count, "schema");
    let size = output::api_size(&imported.api);
    let mut report = format!("Imported {title} (OpenAPI {version}) to {}: {size}, {schemas}\n", folder.display());
    let count = imported.losses.count();
    if count == 0 {
        return report + "The definition expresses the whole description.\n";
    }
    let losses = output::count_with_noun(count, "part");
    let effects = match imported.losses.count_effects() {
        (0, 0) => String::new(),
        (more, 0) => format!("; it accepts more values because of {more} of them"),
        (0, fewer) => format!("; it accepts fewer values because of {fewer} of them"),
        (more, fewer) => format!("; it accepts more values because of {more} of them, and fewer because of {fewer}"),
    };
    report += &format!("The definition does not express {losses} of the description{effects}:\n");
    if count <= MAX_PRINTED_LOSSES {
        return report + &imported.losses.to_text();
    }
    report += &imported.losses.to_counts();
    report
        + &match list {
            Some(list) => format!("{} lists them.\n", list.display()),
            None => "--losses FILE lists them.\n".to_owned(),
        }
}
