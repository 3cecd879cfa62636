//! `rulebook types`: prints TypeScript declarations, Rust types or the Python client of the API.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[cfg(feature = "client")]
use super::client_options::{ClientOptions, print_transfer_error};
use super::{AddHandlers, Command, Exit, Settings, output};
#[cfg(feature = "client")]
use crate::remote::{ServerUrl, fetch_declarations, fetch_definition};
use rulebook_model::describe;
use rulebook_model::model::Api;

pub(super) const COMMAND: Command = Command {
    name: "types",
    add_options: Options::augment_args,
    shown_settings: Some(&["api", "data", "unbound"]),
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
    /// Types for programs that call the API, with the crates serde and serde_json
    Rust,
}

impl Language {
    /// Returns the types of an API.
    fn types(self, api: &Api) -> String {
        match self {
            Self::TypeScript => describe::typescript(api),
            Self::Python => describe::python(api),
            Self::Rust => rulebook_build::rust_code(api, rulebook_build::Purpose::Types),
        }
    }
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
            Language::Python | Language::Rust => {
                let definition = options
                    .client
                    .run_with_progress("definition".to_owned(), |progress| fetch_definition(&client, server, progress));
                Ok(options.lang.types(&settings.read_api(definition.map_err(print)?, app)?))
            }
        };
    }
    Ok(options.lang.types(&settings.load_api(app)?))
}
