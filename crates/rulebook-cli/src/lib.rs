//! The command line: one module for each command.
//!
//! This module parses the arguments, runs the requested command and converts its result to an exit code. A command
//! parses its own options, calls the engine and prints the result.
//!
//! To add a command, write a module with a constant `COMMAND` and list it in `COMMANDS`.

mod call;
mod check;
#[cfg(feature = "client")]
mod client_options;
mod explain;
#[cfg(feature = "client")]
mod fetch;
mod keys;
mod log;
#[cfg(feature = "new")]
mod new;
mod openapi;
mod output;
#[cfg(feature = "client")]
mod remote;
mod routes;
mod schema;
#[cfg(feature = "client")]
mod send;
mod serve;
mod settings;
mod types;

use std::process::ExitCode;

use clap::{ArgMatches, Args, FromArgMatches, Parser};

use rulebook::Rulebook;
use settings::{Settings, files_arg, files_value};

/// A command of the program.
struct Command {
    name: &'static str,
    /// Adds the description and the options to the command of clap. For most commands, this is the function
    /// `augment_args` of their options.
    augment: fn(clap::Command) -> clap::Command,
    /// The flags of the shared settings that the help of the command lists. Every command accepts every setting except
    /// `--files`.
    settings: &'static [&'static str],
    run: fn(&ArgMatches, &Settings, App<'_>) -> Result<Exit, clap::Error>,
}

/// All commands, in the order of the help.
const COMMANDS: &[Command] = &[
    serve::COMMAND,
    check::COMMAND,
    routes::COMMAND,
    openapi::COMMAND,
    types::COMMAND,
    schema::COMMAND,
    explain::COMMAND,
    call::COMMAND,
    keys::COMMAND,
    #[cfg(feature = "client")]
    send::COMMAND,
    #[cfg(feature = "client")]
    fetch::COMMAND,
    #[cfg(feature = "new")]
    new::COMMAND,
];

/// The function that adds a program's modules, types and state.
type App<'a> = Box<dyn FnOnce(Rulebook) -> Rulebook + 'a>;

/// The result of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    Success,
    /// The definition has errors, or a call or a server returned an error.
    Refused,
    /// The arguments are invalid. clap uses the same number.
    Usage,
    /// The operating system reported an error, for example for an address or a file.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::Refused => 1,
            Exit::Usage => 2,
            Exit::Failed => 3,
        })
    }
}

/// The purpose of the program, which the help shows first.
const ABOUT: &str =
    "Write an HTTP API down once, as JSON definitions; rulebook routes, checks, permits, documents and serves it";

const AFTER_HELP: &str = "\
The value of a setting comes from the first of these that is present: its flag, its environment variable, its key in \
app.json, its default. --api and --static have no key in app.json.

Exit codes: 0 success; 1 the definition has errors, or the call returned an error; 2 invalid usage; 3 a system error, \
for example an address in use or an unreadable file.";

/// The command line without the commands.
#[derive(Debug, Parser)]
#[command(name = "rulebook", version, about = ABOUT, after_help = AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
}

/// Builds the command line. The help of each command lists only the settings that the command uses.
fn command_line() -> clap::Command {
    let mut cli = <Cli as clap::CommandFactory>::command().arg(files_arg());
    for command in COMMANDS {
        let mut subcommand = (command.augment)(clap::Command::new(command.name));
        if command.accepts_files() {
            subcommand = subcommand.arg(files_arg());
        }
        cli = cli.subcommand(subcommand);
    }
    // This adds the settings to the commands.
    cli.build();
    COMMANDS.iter().fold(cli, |cli, command| {
        cli.mut_subcommand(command.name, |subcommand| show_settings(subcommand, command.settings))
    })
}

/// Hides all settings except these in the help of a command and its subcommands.
fn show_settings(command: clap::Command, shown: &[&str]) -> clap::Command {
    let command = command.mut_args(|arg| {
        let is_setting = arg.get_help_heading() == Some(settings::HEADING);
        if is_setting && !shown.contains(&arg.get_long().unwrap_or_default()) { arg.hide(true) } else { arg }
    });
    command.mut_subcommands(|subcommand| show_settings(subcommand, shown))
}

/// Runs the command line of a program: `app` adds the program's modules, types and state.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     rulebook_cli::run(|rulebook| rulebook)
/// }
/// ```
pub fn run(app: impl FnOnce(Rulebook) -> Rulebook) -> ExitCode {
    match command_line().try_get_matches().and_then(|matches| run_command(&matches, Box::new(app))) {
        Ok(exit) => exit.into(),
        Err(error) => {
            // clap returns `--help` and `--version` as errors, and prints them to standard output.
            let _ = error.print();
            if error.use_stderr() { Exit::Usage } else { Exit::Success }.into()
        }
    }
}

fn run_command(matches: &ArgMatches, app: App<'_>) -> Result<Exit, clap::Error> {
    let mut settings = Cli::from_arg_matches(matches)?.settings;
    let subcommand = matches.subcommand();
    let (command, options) = subcommand
        .and_then(|(name, options)| Some((COMMANDS.iter().find(|command| command.name == name)?, options)))
        .unwrap_or((&serve::COMMAND, matches));
    settings.files = files_value(matches, Some(options).filter(|_| command.accepts_files()));
    (command.run)(options, &settings, app)
}

impl Command {
    /// Returns `true` if the command accepts the setting `--files`. `keys add` does not, because it has a different
    /// flag of this name.
    fn accepts_files(&self) -> bool {
        self.settings.contains(&settings::FILES)
    }
}

/// Parses the options of a command.
fn options<O: Args>(matches: &ArgMatches) -> Result<O, clap::Error> {
    O::from_arg_matches(matches)
}
