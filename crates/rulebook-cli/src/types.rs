//! `rulebook types`: prints TypeScript declarations of the API.

use std::path::PathBuf;

use clap::Args;

#[cfg(feature = "client")]
use super::client_options::{ClientOptions, print_transfer_error};
use super::{AddHandlers, Command, Exit, Settings, output};
#[cfg(feature = "client")]
use crate::remote::{ServerUrl, fetch_declarations};
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
    /// URL of a server (`https://host`) that serves the API; the definition is then not needed on this machine.
    #[cfg(feature = "client")]
    #[arg(long, value_name = "URL")]
    from: Option<ServerUrl>,
    #[cfg(feature = "client")]
    #[command(flatten)]
    client: ClientOptions,
}

fn run(app: AddHandlers<'_>, settings: &Settings, options: &Options) -> Exit {
    match declarations(app, settings, options) {
        Ok(text) => output::write_document(&text, options.output.as_deref()),
        Err(exit) => exit,
    }
}

/// Returns the declarations, from the server of `--from` or from the definition. Prints the errors.
#[cfg_attr(not(feature = "client"), expect(unused_variables, reason = "only servers need options"))]
fn declarations(app: AddHandlers<'_>, settings: &Settings, options: &Options) -> Result<String, Exit> {
    #[cfg(feature = "client")]
    if let Some(server) = &options.from {
        let client = options.client.create_client()?;
        let fetched = options
            .client
            .run_with_progress("api.d.ts".to_owned(), |progress| fetch_declarations(&client, server, progress));
        return fetched.map_err(|error| print_transfer_error(&error));
    }
    Ok(describe::typescript(&settings.load_api(app)?))
}
