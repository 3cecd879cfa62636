//! `rulebook import`: converts an OpenAPI description to a definition.

use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use rulebook_import::ImportedFile;
use rulebook_import::openapi::{DescriptionError, ImportedDescription, import};
use rulebook_model::invisible::replace_invisible;

#[cfg(feature = "client")]
use crate::remote::{ClientOptions, parse_server_url, print_transfer_error};
use crate::{Exit, output};

const MAX_PRINTED_LOSSES: usize = 20;

const AFTER_HELP: &str = "\
Examples:
  rulebook import openapi.yaml
  rulebook import https://host/openapi.json shop/api --losses losses.txt

The report on standard output counts everything that the description has and a definition cannot express. --losses FILE \
lists each with its place in the description, a JSON pointer.

Exit codes: 0 success, also with losses; 1 the description cannot be converted, or the server responded with an error; 2 \
invalid usage; 3 a file cannot be read or written, or the server cannot be reached.";

/// Convert an OpenAPI description to a definition.
///
/// The description has the version 3.0, 3.1 or 3.2 of OpenAPI, and is written in JSON or YAML. The command writes
/// `app.json`, with the schemas, and a file for each tag. The definition has no errors: what `rulebook check` would
/// reject is replaced by something looser, and reported.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ImportOptions {
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

pub(super) fn run(options: &ImportOptions) -> Result<Exit, Exit> {
    let folder = &options.folder;
    let at_folder = |error: io::Error| output::print_system_error(format!("{}: {error}", folder.display()));
    if !is_unused(folder).map_err(at_folder)? {
        return Err(output::print_system_error(format!("`{}` is not an empty folder", folder.display())));
    }
    let bytes = read_description(options)?;
    let imported = import(&options.description, bytes).map_err(|error| {
        output::print_to_stderr(&format!("error: {}\n", replace_invisible(&error.to_string())));
        match error {
            DescriptionError::Unreadable(_) => Exit::ErrorsReported,
            DescriptionError::Definition(report) => output::print_report(&report),
        }
    })?;
    fs::create_dir_all(folder).map_err(at_folder)?;
    for ImportedFile { path, text } in &imported.files {
        fs::write(folder.join(path), text).map_err(at_folder)?;
    }
    let mut exit = Exit::Success;
    if let Some(file) = &options.losses {
        exit = output::write_document(&imported.losses.to_text(), Some(file));
    }
    let printed = output::print_to_stdout(&report(&imported, folder, options.losses.as_deref()));
    Ok(if exit == Exit::Success { printed } else { exit })
}

/// Returns `true` if a definition can be written to a folder: it is missing or empty.
fn is_unused(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

fn read_description(options: &ImportOptions) -> Result<Vec<u8>, Exit> {
    let name = &options.description;
    if name.starts_with("http://") || name.starts_with("https://") {
        return fetch_description(name, options);
    }
    fs::read(name).map_err(|error| output::print_system_error(format!("{name}: {error}")))
}

#[cfg(feature = "client")]
fn fetch_description(url: &str, options: &ImportOptions) -> Result<Vec<u8>, Exit> {
    let server = parse_server_url(url).map_err(|why| output::print_usage_error(format!("{url}: {why}")))?;
    let client = options.client.create_client(url.to_owned())?;
    let (description, _) =
        client.fetch_document("GET", &server, ("", "")).map_err(|error| print_transfer_error(&error))?;
    Ok(description)
}

#[cfg(not(feature = "client"))]
fn fetch_description(url: &str, _: &ImportOptions) -> Result<Vec<u8>, Exit> {
    Err(output::print_usage_error(format!("{url}: this program was built without the feature `client`")))
}

/// Returns the report: what was imported, and what the definition cannot express.
fn report(imported: &ImportedDescription, folder: &Path, list: Option<&Path>) -> String {
    let title = replace_invisible(imported.title.as_deref().unwrap_or("the description"));
    let version = replace_invisible(&imported.version);
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
