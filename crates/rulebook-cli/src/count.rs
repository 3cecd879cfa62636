//! `rulebook count`: prints the number of methods of the API.

use clap::Args;

use super::{App, Command, Exit, Settings, output};

pub(super) const COMMAND: Command = Command {
    name: "count",
    augment: Options::augment_args,
    settings: &["api"],
    run: |_, settings, app| Ok(run(app, settings)),
};

/// Print the number of methods of the API.
#[derive(Debug, Args)]
struct Options {}

fn run(app: App<'_>, settings: &Settings) -> Exit {
    match settings.api(app) {
        Ok(api) => {
            let services = api.modules.iter().flat_map(|module| &module.services);
            output::print(&format!("{}\n", services.map(|service| service.methods.len()).sum::<usize>()))
        }
        Err(exit) => exit,
    }
}
