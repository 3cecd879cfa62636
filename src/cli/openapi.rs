//! `rulebook openapi`: the API as an OpenAPI document.

use std::path::PathBuf;

use clap::Args;

use super::{Exit, Settings, output};
use crate::describe::{self, Part};
use crate::diagnostic::nearest;
use crate::engine::Rulebook;
use crate::model::Api;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Only this module of the API.
    #[arg(long, value_name = "NAME")]
    module: Option<String>,
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
    let document = match options.module.as_deref().map(|name| part(&api, name)) {
        None => describe::openapi(&api),
        Some(Ok(part)) => describe::openapi_part(&api, &part),
        Some(Err(fault)) => {
            output::complain(&format!("error: {fault}\n"));
            return Exit::Usage;
        }
    };
    output::deliver(&format!("{document:#}\n"), options.output.as_deref())
}

/// The module of this name.
fn part(api: &Api, name: &str) -> Result<Part, String> {
    let names = || api.modules.iter().map(|module| module.name.as_str());
    names().position(|own| own == name).map(|index| Part::whole(api, index)).ok_or_else(|| {
        let help = nearest(name, names()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        format!("--module {name}: no module has this name{help}")
    })
}
