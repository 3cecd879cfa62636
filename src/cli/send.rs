//! `rulebook send`: files to another server.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::other::{Other, after_help, told};
use super::{Exit, output};
use crate::call::ETag;
use crate::remote::{Condition, Outgoing, Server, send};

/// For its help.
const EXAMPLES: &str = "\
Examples:
  rulebook send --to https://host --key-file host.key --as public/images/1.jpg photo.jpg
  rulebook send --to https://host --as public/images/ 1.jpg 2.jpg 3.jpg
  rulebook send --to https://host/api/file --if-absent --as reports/2030.pdf report.pdf";

#[derive(Debug, Args)]
#[command(after_help = after_help(EXAMPLES))]
pub(super) struct Options {
    /// The files. Several go in one request: the server keeps all or none.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The server (`https://host`), which has the calls `/iapi/file` and `/iapi/files`, or the URL of the call itself.
    #[arg(long, value_name = "URL")]
    to: Server,
    /// The name that the file is to have on the server; with `/` at its end, the folder for files that keep their names
    /// [default: the name of the file].
    #[arg(long = "as", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    name: Option<String>,
    /// Only where the server has no file of this name.
    #[arg(long, conflicts_with = "if_match")]
    if_absent: bool,
    /// Only in place of the file with this tag: the digest that an earlier `send` or `fetch` has printed.
    #[arg(long, value_name = "TAG", value_parser = NonEmptyStringValueParser::new())]
    if_match: Option<String>,
    #[command(flatten)]
    other: Other,
}

pub(super) fn run(options: &Options) -> Exit {
    let Options { files, to, name, if_absent, if_match, other } = options;
    let outgoing = match outgoing(files, name.as_deref()) {
        Ok(outgoing) => outgoing,
        Err(why) => {
            output::complain(&format!("error: {why}\n"));
            return Exit::Usage;
        }
    };
    let client = match other.client() {
        Ok(client) => client,
        Err(exit) => return exit,
    };
    let condition = match if_match {
        Some(tag) => Condition::Is(ETag::parse(tag).unwrap_or_else(|| ETag::strong(tag))),
        None if *if_absent => Condition::Absent,
        None => Condition::Any,
    };
    let what = match outgoing.as_slice() {
        [one] => one.name.clone(),
        several => output::number(several.len(), "file"),
    };
    match other.watch(what, |watch| send(&client, to, &outgoing, &condition, watch)) {
        Ok((digests, checked)) => {
            other.print(digests.into_iter().zip(outgoing.iter().map(|file| file.name.as_str())), checked)
        }
        Err(failure) => told(&failure),
    }
}

/// The files with their names on the server.
fn outgoing(files: &[PathBuf], name: Option<&str>) -> Result<Vec<Outgoing>, String> {
    match (name, files) {
        (Some(name), [path]) if !name.ends_with('/') => {
            Ok(vec![Outgoing { path: path.clone(), name: name.to_owned() }])
        }
        (Some(name), _) if !name.ends_with('/') => {
            Err(format!("--as {name}: several files need a folder, with `/` at its end"))
        }
        (folder, _) => files.iter().map(|path| own_name(path, folder.unwrap_or_default())).collect(),
    }
}

/// A file under its own name in a folder.
fn own_name(path: &Path, folder: &str) -> Result<Outgoing, String> {
    let own = path.file_name().and_then(|name| name.to_str());
    let own =
        own.ok_or_else(|| format!("{}: it has no name that a server could take; say --as NAME", path.display()))?;
    Ok(Outgoing { path: path.to_owned(), name: format!("{folder}{own}") })
}
