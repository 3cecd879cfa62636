//! `rulebook openapi`: the API as an OpenAPI document.

use std::path::PathBuf;

use clap::Args;

use super::{Exit, Settings, output};
use crate::describe;
use crate::engine::Rulebook;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Writes the document to this file instead of standard output; a file that is there is replaced as a whole.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(app: impl FnOnce(Rulebook) -> Rulebook, settings: &Settings, options: &Options) -> Exit {
    // The document is made from the definition alone; that handlers fit it is for `check --bound` and `serve`.
    let api = match settings.api(app) {
        Ok(api) => api,
        Err(exit) => return exit,
    };
    output::deliver(&format!("{:#}\n", describe::openapi(&api)), options.output.as_deref())
}
