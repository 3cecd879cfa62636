//! `rulebook new`: creates a project that builds and serves.
//!
//! The files of the project are copied from the folder `template`; the tests of this crate build and run them. This
//! module must not run cargo or use the network.

mod name;
mod project;
mod vendor;

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Command, Exit, output};
use name::Name;
use project::Rulebook;

pub(super) const COMMAND: Command = Command {
    name: "new",
    augment: Options::augment_args,
    settings: &[],
    run: |matches, _, _| Ok(run(&super::options(matches)?)),
};

/// Create a new project: a folder with a definition, handlers and tests.
#[derive(Debug, Args)]
struct Options {
    /// Name of the project and its folder: lowercase letters, digits, `-` and `_`.
    name: Name,
    /// Depend on the rulebook in this folder, a checkout of its repository, instead of a copy in `vendor/`.
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
}

fn run(options: &Options) -> Exit {
    let name = &options.name;
    let rulebook = match options.path.as_deref().map(absolute_checkout_path).transpose() {
        Ok(Some(folder)) => Rulebook::Folder(folder),
        Ok(None) if vendor::SOURCES.is_empty() => Rulebook::Version(env!("CARGO_PKG_VERSION")),
        Ok(None) => Rulebook::Vendored,
        Err(why) => return failed(&why),
    };
    if let Err(error) = project::create(Path::new("."), name, &rulebook) {
        return failed(&match error.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory => {
                format!("`{}` already exists", name.as_str())
            }
            _ => format!("cannot create `{}`: {error}", name.as_str()),
        });
    }
    output::print(&format!("Created the project {0}. Next:\n  cd {0}\n  cargo run\n", name.as_str()))
}

/// Returns the absolute path of a checkout of rulebook, or the error for another folder.
fn absolute_checkout_path(path: &Path) -> Result<String, String> {
    let path_error = |why: &str| format!("--path {}: {why}", path.display());
    let absolute = path.canonicalize().map_err(|error| path_error(&error.to_string()))?;
    if !absolute.join("crates/rulebook/Cargo.toml").is_file() {
        return Err(path_error("the folder has no crates/rulebook/Cargo.toml"));
    }
    absolute.into_os_string().into_string().map_err(|_| path_error("the path is not UTF-8"))
}

fn failed(why: &str) -> Exit {
    output::complain(&format!("error: {why}\n"));
    Exit::Failed
}
