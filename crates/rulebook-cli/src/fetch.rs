//! `rulebook fetch`: fetches a file from another server.

use std::path::{Path, PathBuf, is_separator};

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use url::Url;

use super::client_options::{ClientOptions, after_help, print_transfer_error};
use super::{Exit, output};
use crate::remote::{Verification, fetch, parse_server_url};

const EXAMPLES: &str = "\
Examples:
  rulebook fetch --from https://host --key-file host.key public/images/1.jpg
  rulebook fetch --from https://host public/images/1.jpg -o photo.jpg
  rulebook fetch --from https://host/api/file --if-changed cache/prices.json -o prices.json

The received bytes are stored in FILE.part until the file is complete and has the server's digest. If the transfer is \
interrupted, the same command resumes it.";

/// Fetch a file from another server.
#[derive(Debug, Args)]
#[command(after_help = after_help(EXAMPLES))]
pub(super) struct FetchOptions {
    /// Name of the file on the server.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// URL of the server (`https://host`), whose method `/iapi/file` is called, or the URL of another method.
    #[arg(long, value_name = "URL", value_parser = parse_server_url)]
    from: Url,
    /// File to write or replace, or the folder to write it to [default: the current folder].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Fetch the file only if its content differs from that of the local file.
    #[arg(long)]
    if_changed: bool,
    #[command(flatten)]
    client: ClientOptions,
}

pub(super) fn run(options: FetchOptions) -> Result<Exit, Exit> {
    let FetchOptions { name, from, output, if_changed, client: client_options } = options;
    let local_path = local_path(&name, output).ok_or_else(|| {
        output::print_usage_error(&format!("{name}: not a valid name for a local file; use --output FILE"))
    })?;
    let client = client_options.create_client(name.clone())?;
    let fetched = fetch(&client, &from, &name, &local_path, if_changed);
    let (digest, verification) = fetched.map_err(|error| print_transfer_error(&error))?;
    if verification.is_none() {
        client_options.print_message("unchanged\n");
    }
    Ok(client_options
        .print_digests([(digest, &*local_path.to_string_lossy())], verification.unwrap_or(Verification::Verified)))
}

/// Returns `true` if the path ends in a separator. Such a path means a folder, even if the folder does not exist.
fn ends_in_separator(path: &Path) -> bool {
    path.as_os_str().to_string_lossy().ends_with(is_separator)
}

/// Returns the path of the local file to write. `name` is the file's name on the server, `output` the value of
/// `--output`. Returns `None` if the last segment of `name` cannot be used as a local file name.
fn local_path(name: &str, output: Option<PathBuf>) -> Option<PathBuf> {
    let folder = match output {
        Some(output) if !output.is_dir() && !ends_in_separator(&output) => return Some(output),
        output => output.unwrap_or_default(),
    };
    let last = name.rsplit('/').next()?;
    // These file names could refer to another folder, also on systems where `/` is not the separator.
    let is_unsafe = matches!(last, "" | "." | "..") || last.contains(['\\', ':']);
    (!is_unsafe).then(|| folder.join(last))
}
