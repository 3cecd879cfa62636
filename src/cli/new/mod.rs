//! `rulebook new`: a project that builds and serves.
//!
//! In charge of the folder of a new project. Its files are those of
//! `template/`, real ones, which the tests build. Must not run cargo or reach
//! for the network.

mod name;
mod project;

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Exit, output};
use name::Name;
use project::Rulebook;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// What the project and its folder are called: small letters, digits, `-` and `_`.
    name: Name,
    /// Depends on the rulebook in this folder, not on the registry's.
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
}

pub(super) fn run(options: &Options) -> Exit {
    let name = &options.name;
    let rulebook = match options.path.as_deref().map(folder).transpose() {
        Ok(folder) => folder.map_or(Rulebook::Version(env!("CARGO_PKG_VERSION")), Rulebook::Folder),
        Err(why) => return failed(&why),
    };
    if let Err(error) = project::make(Path::new("."), name, &rulebook) {
        return failed(&match error.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory => {
                format!("there is a `{}` already", name.as_str())
            }
            _ => format!("`{}` cannot be made: {error}", name.as_str()),
        });
    }
    output::print(&format!("{} is made. Next:\n  cd {}\n  cargo run\n", name.as_str(), name.as_str()))
}

/// The whole path of the folder that holds rulebook.
fn folder(path: &Path) -> Result<String, String> {
    let fault = |why: &str| format!("--path {}: {why}", path.display());
    let whole = path.canonicalize().map_err(|error| fault(&error.to_string()))?;
    if !whole.join("Cargo.toml").is_file() {
        return Err(fault("there is no Cargo.toml"));
    }
    whole.into_os_string().into_string().map_err(|_| fault("it is not UTF-8"))
}

fn failed(why: &str) -> Exit {
    output::complain(&format!("error: {why}\n"));
    Exit::Failed
}
