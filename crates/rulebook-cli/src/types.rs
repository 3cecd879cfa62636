//! `rulebook types`: prints TypeScript declarations, Rust types or the Python client of the API.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[cfg(feature = "client")]
use super::client_options::{ClientOptions, print_transfer_error};
use super::{AddHandlers, Exit, Settings, output};
#[cfg(feature = "client")]
use crate::remote::{document_url, parse_server_url};
use rulebook_model::describe;
use rulebook_model::model::Api;

/// Print TypeScript declarations of the API, for its client rulebook.js, or a client in another language.
#[derive(Debug, Args)]
pub(super) struct TypesOptions {
    /// The language.
    #[arg(long, value_name = "LANGUAGE", value_enum, default_value_t)]
    lang: Language,
    /// Write to this file instead of standard output; an existing file is replaced atomically.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// URL of a server (`https://host`) that serves the API; the definition is then not needed on this machine.
    #[cfg(feature = "client")]
    #[arg(long, value_name = "URL", value_parser = parse_server_url)]
    from: Option<url::Url>,
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
    fn types(self, api: &Api) -> String {
        match self {
            Self::TypeScript => describe::typescript(api),
            Self::Python => describe::python(api),
            Self::Rust => rulebook_build::rust_code(api, rulebook_build::Purpose::Types),
        }
    }
}

pub(super) fn run(app: AddHandlers<'_>, settings: &Settings, options: &TypesOptions) -> Result<Exit, Exit> {
    #[cfg(feature = "client")]
    let text = match (&options.from, options.lang) {
        // The server generates these from its definition.
        (Some(server), Language::TypeScript) => {
            let mismatch = "it does not contain TypeScript declarations";
            let text =
                fetch(options, "api.d.ts", "GET", &document_url(server, "/docs/api.d.ts"), ("text/plain", mismatch))?;
            String::from_utf8_lossy(&text).into_owned()
        }
        (Some(server), language) => {
            let mismatch = "it does not contain the definition of an API";
            let definition = fetch(options, "definition", "OPTIONS", server, ("application/json", mismatch))?;
            language.types(&settings.read_api(definition, app)?)
        }
        (None, language) => language.types(&settings.load_api(app)?),
    };
    #[cfg(not(feature = "client"))]
    let text = options.lang.types(&settings.load_api(app)?);
    Ok(output::write_document(&text, options.output.as_deref()))
}

/// Fetches a document that has a media type.
#[cfg(feature = "client")]
fn fetch(
    options: &TypesOptions,
    name: &str,
    method: &str,
    url: &url::Url,
    media_type: (&str, &'static str),
) -> Result<Vec<u8>, Exit> {
    let client = options.client.create_client(name.to_owned())?;
    client.fetch_document(method, url, media_type).map_err(|error| print_transfer_error(&error))
}
