//! `rulebook types`: the API as TypeScript declarations.

use std::path::PathBuf;

use clap::Args;

use super::{App, Command, Exit, Settings, output};
use rulebook_model::describe;

pub(super) const COMMAND: Command = Command {
    name: "types",
    augment: Options::augment_args,
    settings: &["api", "data", "unbound"],
    run: |matches, settings, app| Ok(run(app, settings, &super::options(matches)?)),
};

/// Print TypeScript declarations of the API, for its client rulebook.js.
#[derive(Debug, Args)]
struct Options {
    /// Write to this file instead of standard output; an existing file is replaced atomically.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn run(app: App<'_>, settings: &Settings, options: &Options) -> Exit {
    match settings.api(app) {
        Ok(api) => output::deliver(&describe::typescript(&api), options.output.as_deref()),
        Err(exit) => exit,
    }
}
