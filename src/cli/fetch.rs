//! `rulebook fetch`: a file from another server.

use std::path::{Path, PathBuf, is_separator};

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::other::{Other, after_help, told};
use super::{Exit, output};
use crate::remote::{Checked, Fetched, Server, Wish, fetch};

/// For its help.
const EXAMPLES: &str = "\
Examples:
  rulebook fetch --from https://host --key-file host.key public/images/1.jpg
  rulebook fetch --from https://host public/images/1.jpg -o photo.jpg
  rulebook fetch --from https://host/api/file --if-changed cache/prices.json -o prices.json

What is received is kept in FILE.part until all of it is there and its digest is the server's. Where that breaks off, \
the same command goes on with it.";

#[derive(Debug, Args)]
#[command(after_help = after_help(EXAMPLES))]
pub(super) struct Options {
    /// The file's name on the server.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// The server (`https://host`), which has the call `/iapi/file`, or the URL of the call itself.
    #[arg(long, value_name = "URL")]
    from: Server,
    /// Where the file goes: a file, which it replaces, or the folder for it [default: this folder].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only if the server has another content than the file that is here.
    #[arg(long)]
    if_changed: bool,
    #[command(flatten)]
    other: Other,
}

pub(super) fn run(options: Options) -> Exit {
    let Options { name, from, output, if_changed, other } = options;
    let Some(target) = target(&name, output) else {
        output::complain(&format!("error: {name}: a file cannot have this name here; say --output FILE\n"));
        return Exit::Usage;
    };
    let client = match other.client() {
        Ok(client) => client,
        Err(exit) => return exit,
    };
    let shown = target.display().to_string();
    let wish = Wish { name, target, if_changed };
    match other.watch(wish.name.clone(), |watch| fetch(&client, &from, &wish, watch)) {
        Ok(Fetched::New(digest, checked)) => other.print([(digest, shown.as_str())], checked),
        Ok(Fetched::Same(digest)) => {
            other.say("unchanged\n");
            other.print([(digest, shown.as_str())], Checked::Same)
        }
        Err(failure) => told(&failure),
    }
}

/// Whether a path is that of a folder by its last character, there or not.
fn names_folder(path: &Path) -> bool {
    path.as_os_str().to_string_lossy().ends_with(is_separator)
}

/// Where the file goes; none where its name does for no file of this folder.
fn target(name: &str, output: Option<PathBuf>) -> Option<PathBuf> {
    let folder = match output {
        Some(output) if !output.is_dir() && !names_folder(&output) => return Some(output),
        output => output.unwrap_or_default(),
    };
    let last = name.rsplit('/').next()?;
    // What could lead elsewhere, also on systems that have other separators.
    let leads = matches!(last, "" | "." | "..") || last.contains(['\\', ':']);
    (!leads).then(|| folder.join(last))
}
