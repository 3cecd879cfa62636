//! `rulebook keys`: bearer keys.

use clap::Subcommand;
use clap::builder::NonEmptyStringValueParser;

use super::{Exit, Settings, output};
use crate::engine::Rulebook;
use crate::key;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Makes a key and prints it: this once, it is kept nowhere.
    Add {
        /// Whose it is, for logs and handlers.
        #[arg(long, value_parser = NonEmptyStringValueParser::new())]
        name: String,
        /// The permissions that it gives, separated by commas.
        #[arg(long, value_name = "SCOPE", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
        scope: Vec<String>,
    },
}

pub(super) fn run(app: impl FnOnce(Rulebook) -> Rulebook, settings: &Settings, command: &Command) -> Exit {
    let Command::Add { name, scope } = command;
    let data = match &settings.data {
        Some(data) => data.clone(),
        // The folder is the one that the server will look into: the definition may say which.
        None => {
            let rulebook = settings.rulebook(app);
            let folder = rulebook.data_folder();
            if let Err(report) = rulebook.check() {
                output::report(&report);
                output::complain("app.json may say where keys are kept; name the folder with --data DIR\n");
                return Exit::Refused;
            }
            folder.path().to_owned()
        }
    };
    match key::add(&data.join(key::FILE), name, scope.clone()) {
        Ok(key) => output::print(&format!("{key}\n")),
        Err(error) => {
            output::complain(&format!("error: {error}\n"));
            Exit::Failed
        }
    }
}
