//! `rulebook types`: prints TypeScript declarations, Rust types or the Python client of the API, or the types of
//! handlers in Python or Node.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::api_version::ApiVersion;
#[cfg(feature = "client")]
use super::client_options::{ClientOptions, print_transfer_error};
use super::{AddHandlers, Exit, Settings, output};
#[cfg(feature = "client")]
use crate::remote::{document_url, parse_server_url};
use rulebook_model::describe;
use rulebook_model::model::{Api, Method};

/// The kind of handlers in worker processes.
const PROCESS_KIND: &str = "process";

/// Print TypeScript declarations of the API, for its client rulebook.js, or a client in another language.
#[derive(Debug, Args)]
pub(super) struct TypesOptions {
    /// The language.
    #[arg(long, value_name = "LANGUAGE", value_enum, default_value_t)]
    lang: Language,
    /// Print the types of the handlers of the kind `process` in this language: of their arguments, outputs and errors.
    #[arg(long)]
    handlers: bool,
    /// Write to this file instead of standard output; an existing file is replaced atomically.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    api_version: ApiVersion,
    /// URL of a server (`https://host`) that serves the API; the definition is then not needed on this machine.
    #[cfg(feature = "client")]
    #[arg(long, value_name = "URL", value_parser = parse_server_url, conflicts_with = "handlers")]
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

/// Returns the types of the handlers in worker processes.
fn handler_types(language: Language, api: &Api) -> Result<String, Exit> {
    let default = api.handlers.as_ref().and_then(|handlers| handlers.default.as_ref());
    let is_in_process = |method: &&Method| {
        method.handler.as_ref().or(default).is_some_and(|handler| handler.setting(PROCESS_KIND).is_some())
    };
    let methods = api.services().flat_map(|service| &service.methods);
    let methods: Vec<&Method> = methods.filter(is_in_process).collect();
    if methods.is_empty() {
        return Err(output::print_usage_error(&format!("no method has a handler of the kind `{PROCESS_KIND}`")));
    }
    match language {
        Language::TypeScript => Ok(describe::typescript_handlers(api, &methods)),
        Language::Python => Ok(describe::python_handlers(api, &methods)),
        Language::Rust => Err(output::print_usage_error("handlers in Rust get their types from a build script")),
    }
}

pub(super) fn run(app: AddHandlers<'_>, settings: &Settings, options: &TypesOptions) -> Result<Exit, Exit> {
    if options.handlers {
        let text = handler_types(options.lang, &settings.load_api(app)?)?;
        return Ok(output::write_document(&text, options.output.as_deref()));
    }
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
        (None, language) => language.types(&options.api_version.of(&settings.load_api(app)?)?),
    };
    #[cfg(not(feature = "client"))]
    let text = options.lang.types(&options.api_version.of(&settings.load_api(app)?)?);
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
