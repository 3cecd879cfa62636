//! `rulebook new`: creates a Cargo project with a definition, handlers and tests.
//!
//! The files of the project are copied from the folder `template`. The tests of the repository build and run such a
//! project. This command must neither run cargo nor use the network.

mod name;
mod project;
mod vendor;

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Command, Exit, output};
use name::ProjectName;
use project::RulebookSource;

pub(super) const COMMAND: Command = Command {
    name: "new",
    add_options: Options::augment_args,
    shown_settings: &[],
    run: |matches, _, _| Ok(run(&super::parse_options(matches)?)),
};

/// Create a new project: a folder with a definition, handlers and tests.
#[derive(Debug, Args)]
struct Options {
    /// Name of the project and its folder: lowercase letters, digits, `-` and `_`.
    name: ProjectName,
    /// Folder with a checkout of rulebook's repository, which the project uses instead of a copy in `vendor/`.
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
}

fn run(options: &Options) -> Exit {
    let name = &options.name;
    let rulebook = match options.path.as_deref().map(absolute_checkout_path).transpose() {
        Ok(Some(folder)) => RulebookSource::Folder(folder),
        Ok(None) if vendor::VENDORED_FILES.is_empty() => RulebookSource::Version(env!("CARGO_PKG_VERSION")),
        Ok(None) => RulebookSource::Vendored,
        Err(why) => return print_error(&why),
    };
    if let Err(error) = project::create_project(Path::new("."), name, &rulebook) {
        return print_error(&match error.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory => {
                format!("`{}` already exists", name.as_str())
            }
            _ => format!("cannot create `{}`: {error}", name.as_str()),
        });
    }
    output::print_to_stdout(&format!("Created the project {0}. Next:\n  cd {0}\n  cargo run\n", name.as_str()))
}

/// Returns the absolute path of a checkout of rulebook's repository, or an error message if `path` is not a checkout.
fn absolute_checkout_path(path: &Path) -> Result<String, String> {
    let path_error = |why: &str| format!("--path {}: {why}", path.display());
    let absolute = path.canonicalize().map_err(|error| path_error(&error.to_string()))?;
    if !absolute.join("crates/rulebook/Cargo.toml").is_file() {
        return Err(path_error("the folder has no crates/rulebook/Cargo.toml"));
    }
    absolute.into_os_string().into_string().map_err(|_| path_error("the path is not UTF-8"))
}

fn print_error(why: &str) -> Exit {
    output::print_to_stderr(&format!("error: {why}\n"));
    Exit::SystemError
}
