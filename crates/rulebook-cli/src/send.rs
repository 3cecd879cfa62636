//! `rulebook send`: sends files to another server.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use url::Url;

use super::client_options::{ClientOptions, after_help, print_transfer_error};
use super::{Exit, output};
use crate::remote::{OutgoingFile, parse_server_url, send};
use rulebook::ETag;
use ureq::http::header;

const EXAMPLES: &str = "\
Examples:
  rulebook send --to https://host --key-file host.key --as public/images/1.jpg photo.jpg
  rulebook send --to https://host --as public/images/ 1.jpg 2.jpg 3.jpg
  rulebook send --to https://host/api/file --if-absent --as reports/2030.pdf report.pdf";

/// Send files to another server.
#[derive(Debug, Args)]
#[command(after_help = after_help(EXAMPLES))]
pub(super) struct SendOptions {
    /// Files to send. Several files are sent in one request, so that the server stores either all of them or none.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// URL of the server (`https://host`), whose method `/iapi/file` or `/iapi/files` is called, or the URL of another
    /// method.
    #[arg(long, value_name = "URL", value_parser = parse_server_url)]
    to: Url,
    /// Name of the file on the server; if it ends in `/`, the folder for the files, which keep their names
    /// [default: the name of the file].
    #[arg(long = "as", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    name: Option<String>,
    /// Store the files only if the server has no file of this name.
    #[arg(long, conflicts_with = "if_match")]
    if_absent: bool,
    /// Replace only the file with this entity tag, which is the digest that an earlier `send` or `fetch` printed.
    #[arg(long, value_name = "TAG", value_parser = NonEmptyStringValueParser::new())]
    if_match: Option<String>,
    #[command(flatten)]
    client: ClientOptions,
}

pub(super) fn run(options: &SendOptions) -> Result<Exit, Exit> {
    let SendOptions { files, to, name, if_absent, if_match, client: client_options } = options;
    let outgoing = outgoing_files(files, name.as_deref()).map_err(|why| output::print_usage_error(&why))?;
    let condition = match if_match {
        Some(tag) => Some((header::IF_MATCH, ETag::parse(tag).unwrap_or_else(|| ETag::strong(tag)).to_string())),
        None => if_absent.then(|| (header::IF_NONE_MATCH, "*".to_owned())),
    };
    let shown_name = match outgoing.as_slice() {
        [file] => file.name.clone(),
        files => output::count_with_noun(files.len(), "file"),
    };
    let client = client_options.create_client(shown_name)?;
    let sent = send(&client, to, &outgoing, &condition);
    let (digests, verification) = sent.map_err(|error| print_transfer_error(&error))?;
    let names = outgoing.iter().map(|file| file.name.as_str());
    Ok(client_options.print_digests(digests.into_iter().zip(names), verification))
}

/// Returns each local file together with its name on the server. `name` is the value of `--as`. Returns an error
/// message if a file would have no valid name.
fn outgoing_files(files: &[PathBuf], name: Option<&str>) -> Result<Vec<OutgoingFile>, String> {
    match (name, files) {
        (Some(name), [path]) if !name.ends_with('/') => {
            Ok(vec![OutgoingFile { path: path.clone(), name: name.to_owned() }])
        }
        (Some(name), _) if !name.ends_with('/') => {
            Err(format!("--as {name}: for several files, name a folder that ends in `/`"))
        }
        (folder, _) => files.iter().map(|path| outgoing_file_in_folder(path, folder.unwrap_or_default())).collect(),
    }
}

/// Returns a local file together with its name on the server: the folder, and then the name of the local file.
fn outgoing_file_in_folder(path: &Path, folder: &str) -> Result<OutgoingFile, String> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name =
        name.ok_or_else(|| format!("{}: the path has no name that a server accepts; use --as NAME", path.display()))?;
    Ok(OutgoingFile { path: path.to_owned(), name: format!("{folder}{name}") })
}
