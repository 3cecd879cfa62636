//! The command line of rulebook. Each command has a Rust module.
//!
//! This file parses the settings that all commands share, runs the requested command and converts its result to an exit
//! code. The module of a command parses the options of this command, calls the library `rulebook` and prints the
//! result.
//!
//! To add a command, write a Rust module with a constant `COMMAND`, and add this constant to `COMMANDS`.

mod auth_kinds;
mod call;
mod check;
mod choices;
#[cfg(feature = "client")]
mod client_options;
mod explain;
#[cfg(feature = "client")]
mod fetch;
mod handler_kinds;
mod idempotency_storage;
#[cfg(feature = "import")]
mod import;
mod key_storage;
mod keys;
mod log;
#[cfg(feature = "sql")]
mod migrate;
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
#[cfg_attr(not(feature = "redis"), path = "without_redis.rs")]
mod shared_limits;
#[cfg(feature = "shell")]
mod shell;
#[cfg_attr(not(feature = "traces"), path = "without_traces.rs")]
mod traces;
mod types;
mod used_keys;

use std::ffi::OsStr;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{ArgMatches, Args, FromArgMatches, Parser};

pub use auth_kinds::with_auth_kinds;
pub use handler_kinds::with_handler_kinds;
use rulebook::Rulebook;
use settings::{Settings, files_folder, new_files_arg};

/// A command of the program, such as `rulebook serve`.
struct Command {
    name: &'static str,
    /// Adds the description and the options of this command to a command of the argument parser clap. For most
    /// commands, this is the function `augment_args` that clap derives for their options.
    add_options: fn(clap::Command) -> clap::Command,
    /// The names of the settings that the help of this command lists. Every command accepts all settings, except that
    /// only commands that list `--files` accept it.
    shown_settings: &'static [&'static str],
    /// Runs the command. An `Err` is the exit code of an error that the command has printed.
    run: fn(&ArgMatches, &Settings, AddHandlers<'_>) -> Result<Exit, Exit>,
}

/// All commands, in the order in which the help lists them.
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
    #[cfg(feature = "sql")]
    migrate::COMMAND,
    #[cfg(feature = "client")]
    send::COMMAND,
    #[cfg(feature = "client")]
    fetch::COMMAND,
    #[cfg(feature = "import")]
    import::COMMAND,
    #[cfg(feature = "new")]
    new::COMMAND,
    #[cfg(feature = "shell")]
    shell::COMPLETIONS,
    #[cfg(feature = "shell")]
    shell::MAN,
];

/// The function of a program that adds its handlers, its custom types and its state to the builder `Rulebook`.
type AddHandlers<'a> = Box<dyn FnOnce(Rulebook) -> Rulebook + 'a>;

/// The result of a command, which determines the exit code of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    Success,
    /// The definition has errors, or a called method or a server returned an error.
    ErrorsReported,
    /// The flags, environment variables or settings are invalid. The argument parser clap uses the same exit code.
    InvalidUsage,
    /// The operating system reported an error, for example that a file cannot be read.
    SystemError,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::ErrorsReported => 1,
            Exit::InvalidUsage => 2,
            Exit::SystemError => 3,
        })
    }
}

/// The first line of the help: the purpose of the program.
const ABOUT: &str =
    "Write an HTTP API down once, as JSON definitions; rulebook routes, checks, permits, documents and serves it";

const AFTER_HELP: &str = "\
The value of a setting comes from the first of these that is present: its flag, its environment variable, its key in \
app.json, its default. --api, --static and --share-data have no key in app.json.

Exit codes: 0 success; 1 the definition has errors, or the call returned an error; 2 invalid usage; 3 a system error, \
for example an address in use or an unreadable file.";

/// The options that all commands share.
#[derive(Debug, Parser)]
#[command(name = "rulebook", version, about = ABOUT, after_help = AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
}

/// Builds the argument parser with all commands. The help of each command lists only the settings that it uses.
fn argument_parser() -> clap::Command {
    argument_parser_of("rulebook")
}

/// Builds the argument parser of a program with another name.
fn argument_parser_of(name: impl Into<clap::builder::Str>) -> clap::Command {
    let mut cli = <Cli as clap::CommandFactory>::command().name(name).arg(new_files_arg());
    for command in COMMANDS {
        let mut subcommand = (command.add_options)(clap::Command::new(command.name));
        if command.accepts_files() {
            subcommand = subcommand.arg(new_files_arg());
        }
        cli = cli.subcommand(subcommand);
    }
    // `build` copies the settings, which are global arguments, to each command.
    cli.build();
    COMMANDS.iter().fold(cli, |cli, command| {
        cli.mut_subcommand(command.name, |subcommand| show_only_settings(subcommand, command.shown_settings))
    })
}

/// Hides all settings except those in `shown` from the help of a command and its subcommands.
fn show_only_settings(command: clap::Command, shown: &[&str]) -> clap::Command {
    let command = command.mut_args(|arg| {
        let is_setting = arg.get_help_heading() == Some(settings::HELP_HEADING);
        if is_setting && !shown.contains(&arg.get_long().unwrap_or_default()) { arg.hide(true) } else { arg }
    });
    command.mut_subcommands(|subcommand| show_only_settings(subcommand, shown))
}

/// Runs the command line of a program. `app` adds the program's handlers, custom types and state to the builder.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     rulebook_cli::run(|rulebook| rulebook)
/// }
/// ```
pub fn run(app: impl FnOnce(Rulebook) -> Rulebook) -> ExitCode {
    match argument_parser().try_get_matches().and_then(|matches| run_command(&matches, Box::new(app))) {
        Ok(exit) => exit.into(),
        Err(error) => {
            let error = with_environment_variable(error);
            // For `--help` and `--version`, clap returns an error whose text is the help or the version.
            let _ = error.print();
            if error.use_stderr() { Exit::InvalidUsage } else { Exit::Success }.into()
        }
    }
}

/// If an environment variable contains the invalid value of a setting, replaces the name of the flag in the error by
/// the name of the variable.
fn with_environment_variable(mut error: clap::Error) -> clap::Error {
    let (Some(ContextValue::String(flag)), Some(ContextValue::String(value))) =
        (error.get(ContextKind::InvalidArg), error.get(ContextKind::InvalidValue))
    else {
        return error;
    };
    let parser = argument_parser();
    let Some(arg) = parser.get_arguments().find(|arg| arg.to_string() == *flag) else { return error };
    let Some(variable) = arg.get_env().and_then(OsStr::to_str) else { return error };
    let has_value = |given: &str| given == value || given.split(['=', ',']).any(|part| part == value);
    if std::env::var(variable).is_ok_and(|set| has_value(&set)) && !std::env::args().any(|given| has_value(&given)) {
        let variable = format!("{variable} (environment variable)");
        error.insert(ContextKind::InvalidArg, ContextValue::String(variable));
    }
    error
}

fn run_command(matches: &ArgMatches, app: AddHandlers<'_>) -> Result<Exit, clap::Error> {
    let mut settings = Cli::from_arg_matches(matches)?.settings;
    let subcommand = matches.subcommand();
    let (command, options) = subcommand
        .and_then(|(name, options)| Some((COMMANDS.iter().find(|command| command.name == name)?, options)))
        .unwrap_or((&serve::COMMAND, matches));
    settings.files = files_folder(matches, Some(options).filter(|_| command.accepts_files()));
    Ok((command.run)(options, &settings, app).unwrap_or_else(|exit| exit))
}

impl Command {
    /// Returns `true` if the command accepts the setting `--files`. The command `keys` does not, because `keys add` has
    /// another flag with this name.
    fn accepts_files(&self) -> bool {
        self.shown_settings.contains(&settings::FILES_FLAG)
    }
}

/// Returns the options of a command from the arguments that clap has parsed.
fn parse_options<O: Args>(matches: &ArgMatches) -> Result<O, Exit> {
    O::from_arg_matches(matches).map_err(|error| output::print_usage_error(&error.to_string()))
}
