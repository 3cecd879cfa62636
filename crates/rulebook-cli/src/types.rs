//! `rulebook types`: prints TypeScript declarations or the Python client of the API.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[cfg(feature = "client")]
use super::client_options::{ClientOptions, print_transfer_error};
use super::{AddHandlers, Command, Exit, Settings, output};
#[cfg(feature = "client")]
use crate::remote::{ServerUrl, fetch_declarations, fetch_definition};
use rulebook_model::describe;

pub(super) const COMMAND: Command = Command {
    name: "types",
    add_options: Options::augment_args,
    shown_settings: &["api", "data", "unbound"],
    run: |matches, settings, app| Ok(run(app, settings, &super::parse_options(matches)?)),
};

/// Print TypeScript declarations of the API, for its client rulebook.js, or a client in another language.
#[derive(Debug, Args)]
struct Options {
    /// The language.
    #[arg(long, value_name = "LANGUAGE", value_enum, default_value_t)]
    lang: Language,
    /// Write to this file instead of standard output; an existing file is replaced atomically.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// URL of a server (`https://host`) that serves the API; the definition is then not needed on this machine.
    #[cfg(feature = "client")]
    #[arg(long, value_name = "URL")]
    from: Option<ServerUrl>,
    #[cfg(feature = "client")]
    #[command(flatten)]
    client: ClientOptions,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Language {
    /// Declarations for rulebook.js
    #[default]
    #[value(name = "typescript")]
    TypeScript,
    /// A client for Python 3.11 and later, without other packages
    Python,
}

fn run(app: AddHandlers<'_>, settings: &Settings, options: &Options) -> Exit {
    match types(app, settings, options) {
        Ok(text) => output::write_document(&text, options.output.as_deref()),
        Err(exit) => exit,
    }
}

/// Returns the types, from the server of `--from` or from the definition. Prints the errors.
fn types(app: AddHandlers<'_>, settings: &Settings, options: &Options) -> Result<String, Exit> {
    #[cfg(feature = "client")]
    if let Some(server) = &options.from {
        let client = options.client.create_client()?;
        let print = |error| print_transfer_error(&error);
        return match options.lang {
            Language::TypeScript => options
                .client
                .run_with_progress("api.d.ts".to_owned(), |progress| fetch_declarations(&client, server, progress))
                .map_err(print),
            Language::Python => {
                let definition = options
                    .client
                    .run_with_progress("definition".to_owned(), |progress| fetch_definition(&client, server, progress));
                Ok(describe::python(&settings.read_api(definition.map_err(print)?, app)?))
            }
        };
    }
    let api = settings.load_api(app)?;
    Ok(match options.lang {
        Language::TypeScript => describe::typescript(&api),
        Language::Python => describe::python(&api),
    })
}
