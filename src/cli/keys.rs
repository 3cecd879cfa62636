//! `rulebook keys`: bearer keys.

use clap::Subcommand;

use super::{Exit, Settings, output};
use crate::key;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Makes a key and prints it: this once, it is kept nowhere.
    Add {
        /// Whose it is, for logs and handlers.
        #[arg(long)]
        name: String,
        /// The permissions that it gives.
        #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
        scope: Vec<String>,
    },
}

pub(super) fn run(settings: &Settings, command: &Command) -> Exit {
    let Command::Add { name, scope } = command;
    match key::add(&settings.data(None).join(key::FILE), name, scope.clone()) {
        Ok(key) => {
            output::print(&format!("{key}\n"));
            Exit::Done
        }
        Err(error) => {
            output::complain(&format!("error: {error}\n"));
            Exit::Failed
        }
    }
}
