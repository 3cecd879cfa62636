//! `rulebook openapi`: prints the API as an OpenAPI document.

use std::path::PathBuf;

use clap::Args;

use super::api_version::ApiVersion;
use super::choices::{Choice, choice_parser};
use super::{AddHandlers, Exit, Settings, output};
use rulebook_model::describe::{self, ModulePart, OpenapiDetail, OpenapiVersion};

/// Print the OpenAPI document of the API.
#[derive(Debug, Args)]
pub(super) struct OpenapiOptions {
    /// Describe only this module of the API.
    #[arg(long, value_name = "NAME")]
    module: Option<String>,
    /// Describe only what a generator of clients needs: bodies in JSON, and one response for all errors of the server.
    #[arg(long)]
    lean: bool,
    #[command(flatten)]
    api_version: ApiVersion,
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

pub(super) fn run(app: AddHandlers<'_>, settings: &Settings, options: &OpenapiOptions) -> Result<Exit, Exit> {
    // The document depends on the definition only. Whether the program has the right handlers is checked by
    // `rulebook check --bound` and `rulebook serve`.
    let api = options.api_version.of(&settings.load_api(app)?)?;
    let part = match &options.module {
        None => None,
        Some(name) => {
            let names = || api.modules.iter().map(|module| module.name.as_str());
            let Some(index) = names().position(|module| module == name) else {
                let help = output::did_you_mean(name, names());
                let why = format!("--module {name}: there is no module of this name{help}");
                return Err(output::print_usage_error(&why));
            };
            Some(ModulePart::whole_module(&api, index))
        }
    };
    let detail = if options.lean { OpenapiDetail::Lean } else { OpenapiDetail::Full };
    let document = describe::openapi_part(&api, part.as_ref(), detail);
    let document = describe::convert_openapi(document, options.version);
    Ok(output::write_document(&output::format_json(&document), options.output.as_deref()))
}
