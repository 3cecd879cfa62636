//! `rulebook types`: prints TypeScript declarations of the API.

use std::path::PathBuf;

use clap::Args;

use super::{AddHandlers, Command, Exit, Settings, output};
use rulebook_model::describe;

pub(super) const COMMAND: Command = Command {
    name: "types",
    add_options: Options::augment_args,
    shown_settings: &["api", "data", "unbound"],
    run: |matches, settings, app| Ok(run(app, settings, &super::parse_options(matches)?)),
};

/// Print TypeScript declarations of the API, for its client rulebook.js.
#[derive(Debug, Args)]
struct Options {
    /// Write to this file instead of standard output; an existing file is replaced atomically.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn run(app: AddHandlers<'_>, settings: &Settings, options: &Options) -> Exit {
    match settings.load_api(app) {
        Ok(api) => output::write_document(&describe::typescript(&api), options.output.as_deref()),
        Err(exit) => exit,
    }
}
