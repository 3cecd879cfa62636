//! `rulebook openapi`: prints the API as an OpenAPI document.

use std::path::PathBuf;

use clap::Args;

use super::choices::{Choice, choice_parser};
use super::{AddHandlers, Command, Exit, Settings, output};
use rulebook_model::describe::{self, ModulePart, OpenapiVersion};
use rulebook_model::diagnostic::closest_word;
use rulebook_model::model::Api;

pub(super) const COMMAND: Command = Command {
    name: "openapi",
    add_options: Options::augment_args,
    shown_settings: &["api", "data", "unbound"],
    run: |matches, settings, app| Ok(run(app, settings, &super::parse_options(matches)?)),
};

/// Print the OpenAPI document of the API.
#[derive(Debug, Args)]
struct Options {
    /// Describe only this module of the API.
    #[arg(long, value_name = "NAME")]
    module: Option<String>,
    /// The version of OpenAPI. Schemas in the version 3.0 can accept more values than the server, because it has fewer
    /// keywords.
    #[arg(long = "as", value_name = "VERSION", value_parser = choice_parser(VERSIONS), default_value = "3.1")]
    version: OpenapiVersion,
    /// Write to this file instead of standard output; an existing file is replaced atomically.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

const VERSIONS: &[Choice<OpenapiVersion>] = &[
    ("3.0", "OpenAPI 3.0", OpenapiVersion::V3_0),
    ("3.1", "OpenAPI 3.1, as the server has it at `/openapi.json`", OpenapiVersion::V3_1),
    ("3.2", "OpenAPI 3.2", OpenapiVersion::V3_2),
];

fn run(app: AddHandlers<'_>, settings: &Settings, options: &Options) -> Exit {
    // The document depends on the definition only. Whether the program has the right handlers is checked by
    // `rulebook check --bound` and `rulebook serve`.
    let api = match settings.load_api(app) {
        Ok(api) => api,
        Err(exit) => return exit,
    };
    let document = match options.module.as_deref().map(|name| find_module(&api, name)) {
        None => describe::openapi(&api),
        Some(Ok(part)) => describe::openapi_part(&api, &part),
        Some(Err(error)) => {
            output::print_to_stderr(&format!("error: {error}\n"));
            return Exit::InvalidUsage;
        }
    };
    let document = describe::convert_openapi(document, options.version);
    output::write_document(&format!("{document:#}\n"), options.output.as_deref())
}

/// Returns the API module with this name, as a part of the API to describe. Returns an error message if no API
/// module has this name.
fn find_module(api: &Api, name: &str) -> Result<ModulePart, String> {
    let names = || api.modules.iter().map(|module| module.name.as_str());
    names().position(|module| module == name).map(|index| ModulePart::whole_module(api, index)).ok_or_else(|| {
        let help = closest_word(name, names()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        format!("--module {name}: there is no module of this name{help}")
    })
}
