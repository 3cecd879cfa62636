//! `rulebook types`: the API as TypeScript declarations.

use std::path::PathBuf;

use clap::Args;

use super::{Exit, Settings, output};
use crate::describe;
use crate::engine::Rulebook;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Writes the declarations to this file instead of standard output; a file that is there is replaced as a whole.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(app: impl FnOnce(Rulebook) -> Rulebook, settings: &Settings, options: &Options) -> Exit {
    match settings.api(app) {
        Ok(api) => output::deliver(&describe::typescript(&api), options.output.as_deref()),
        Err(exit) => exit,
    }
}
