//! The command line: one file a command.
//!
//! In charge of flags, environment and exit codes. What a command does is the
//! engine's; a command reads its flags, asks the engine, and prints.

mod call;
mod check;
mod explain;
#[cfg(feature = "client")]
mod fetch;
mod keys;
mod log;
mod new;
mod openapi;
#[cfg(feature = "client")]
mod other;
mod output;
mod routes;
mod schema;
#[cfg(feature = "client")]
mod send;
mod serve;
mod types;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::engine::Rulebook;
use crate::model::{Api, LogFormat, MOST_WORKERS, Unbound};

/// What the process ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    Done,
    /// A faulty definition, or a refused call.
    Refused,
    /// Wrong words on the command line; clap's own number.
    Usage,
    /// The system does not give what is needed: an address, a file.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Refused => 1,
            Exit::Usage => 2,
            Exit::Failed => 3,
        })
    }
}

const AFTER_HELP: &str = "\
Every setting is taken from its flag, else from its environment variable, else from app.json, else its default.

Exit codes: 0 done; 1 the definition is faulty, or the call was refused; 2 wrong usage; 3 the system does not \
give what is needed (an address, a file).";

/// Under which the help lists them.
const SETTINGS: &str = "Settings";

/// Serves an HTTP API from its definition.
#[derive(Debug, Parser)]
#[command(name = "rulebook", version, about, after_help = AFTER_HELP, arg_required_else_help = false)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the API. This is what happens without a command.
    Serve(FilesFlag),
    /// Judges a definition and tells every fault of it.
    Check(check::Options),
    /// Lists what is served: method, path, id, scope.
    Routes(routes::Options),
    /// Prints the OpenAPI document of the API.
    #[command(name = "openapi")]
    OpenApi(openapi::Options),
    /// Prints the API as TypeScript declarations for its client, rulebook.js.
    Types(types::Options),
    /// Prints the JSON Schema of definition files, by which editors complete and check them.
    Schema(schema::Options),
    /// Explains a diagnostic code.
    Explain(explain::Options),
    /// Calls a method without a socket, with the same permission, checks and handler.
    Call(call::Options),
    /// Manages bearer keys.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Sends files to another server.
    #[cfg(feature = "client")]
    Send(send::Options),
    /// Fetches a file from another server.
    #[cfg(feature = "client")]
    Fetch(fetch::Options),
    /// Makes a new project in a folder of its name: a definition, a module of handlers, a test.
    New(new::Options),
}

/// A setting of those commands that reach stored files, and none of every command: `keys add` has files of another kind.
#[derive(Debug, Default, Args)]
struct FilesFlag {
    // The environment is asked once, with the settings, so that no flag loses against it.
    /// The folder of stored files, where the program keeps any [env: RULEBOOK_FILES=] [default: the folder `files` of
    /// that of --data].
    #[arg(long, value_name = "DIR", help_heading = SETTINGS)]
    files: Option<PathBuf>,
}

/// Settings of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = SETTINGS)]
struct Settings {
    /// The folder of the definition.
    #[arg(long, global = true, value_name = "DIR", env = "RULEBOOK_API", default_value = "api")]
    api: PathBuf,
    /// Where to listen; several, given one by one or with commas between, serve the same [default: 127.0.0.1:8080].
    #[arg(long, global = true, value_name = "ADDRESS:PORT", env = "RULEBOOK_BIND", value_delimiter = ',')]
    bind: Vec<String>,
    /// The folder of the server's own files: keys.json, and what the program keeps there [default: data].
    #[arg(long, global = true, value_name = "DIR", env = "RULEBOOK_DATA")]
    data: Option<PathBuf>,
    /// The folder of stored files, where the program keeps any [default: the folder `files` of that of --data].
    #[arg(long, value_name = "DIR", env = "RULEBOOK_FILES")]
    files: Option<PathBuf>,
    /// The folder of static files, served at `/` and `/static/`; a page of the API is built in where there is none.
    #[arg(long = "static", global = true, value_name = "DIR", env = "RULEBOOK_STATIC", default_value = "static")]
    static_files: PathBuf,
    /// What methods without a handler do [default: refuse].
    #[arg(long, global = true, value_name = "HOW", env = "RULEBOOK_UNBOUND")]
    unbound: Option<UnboundFlag>,
    /// How many threads answer [default: one for each processor].
    #[arg(long, global = true, value_name = "N", env = "RULEBOOK_WORKERS", value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_WORKERS)))]
    workers: Option<u16>,
    /// What is logged, in env_logger's words: `info`, `rulebook=debug` [default: info,actix_server=warn].
    #[arg(long, global = true, value_name = "FILTER", env = "RULEBOOK_LOG", value_parser = filter)]
    log: Option<String>,
    /// How it is logged [default: text].
    #[arg(long, global = true, value_name = "HOW", env = "RULEBOOK_LOG_FORMAT")]
    log_format: Option<LogFormatFlag>,
}

fn filter(text: &str) -> Result<String, env_filter::ParseError> {
    env_filter::Builder::new().try_parse(text).map(|_| text.to_owned())
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum UnboundFlag {
    /// The server does not start.
    Refuse,
    /// They answer 501.
    #[value(name = "501")]
    NotImplemented,
    /// Every method answers with its checked arguments; no handler is bound.
    Echo,
}

impl From<UnboundFlag> for Unbound {
    fn from(flag: UnboundFlag) -> Self {
        match flag {
            UnboundFlag::Refuse => Self::Refuse,
            UnboundFlag::NotImplemented => Self::NotImplemented,
            UnboundFlag::Echo => Self::Echo,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormatFlag {
    /// As text for people.
    Text,
    /// As one JSON object a line.
    Json,
}

impl From<LogFormatFlag> for LogFormat {
    fn from(flag: LogFormatFlag) -> Self {
        match flag {
            LogFormatFlag::Text => Self::Text,
            LogFormatFlag::Json => Self::Json,
        }
    }
}

/// The command line, with help for each command that has the settings which matter to it; all are taken everywhere.
fn command_line() -> clap::Command {
    let mut cli = Cli::command();
    // Only now do the commands have the settings.
    cli.build();
    cli.mut_subcommands(|command| match command.get_name() {
        "send" | "fetch" | "explain" | "schema" | "new" => with_settings(command, &[]),
        "keys" => {
            let which = ["api", "data"];
            with_settings(command, &which).mut_subcommands(|command| with_settings(command, &which))
        }
        "check" | "routes" | "openapi" | "types" | "call" => {
            with_settings(command, &["api", "data", "files", "unbound"])
        }
        _ => command,
    })
}

/// A command whose help has these settings and no others.
fn with_settings(command: clap::Command, which: &[&str]) -> clap::Command {
    command.mut_args(|arg| {
        let hidden = arg.get_help_heading() == Some(SETTINGS) && !which.contains(&arg.get_id().as_str());
        if hidden { arg.hide(true) } else { arg }
    })
}

/// Runs the command line of a program: `app` adds the program's modules, types and state.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     rulebook::cli::run(|rulebook| rulebook)
/// }
/// ```
pub fn run(app: impl FnOnce(Rulebook) -> Rulebook) -> ExitCode {
    let parsed = command_line().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    let Cli { command, mut settings } = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; clap knows which stream each is for.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done }.into();
        }
    };
    let command = command.unwrap_or_else(|| Command::Serve(FilesFlag::default()));
    if let Command::Serve(FilesFlag { files: Some(folder) })
    | Command::Call(call::Options { files: FilesFlag { files: Some(folder) }, .. }) = &command
    {
        settings.files = Some(folder.clone());
    }
    let exit = match command {
        Command::Serve(_) => serve::run(app, &settings),
        Command::Check(options) => check::run(app, &settings, &options),
        Command::Routes(options) => routes::run(app, &settings, &options),
        Command::OpenApi(options) => openapi::run(app, &settings, &options),
        Command::Types(options) => types::run(app, &settings, &options),
        Command::Schema(options) => schema::run(&options),
        Command::Explain(options) => explain::run(&options),
        Command::Call(options) => call::run(app, &settings, options),
        Command::Keys(command) => keys::run(app, &settings, command),
        #[cfg(feature = "client")]
        Command::Send(options) => send::run(&options),
        #[cfg(feature = "client")]
        Command::Fetch(options) => fetch::run(options),
        Command::New(options) => new::run(&options),
    };
    exit.into()
}

impl Settings {
    /// The program's API with what the flags say about it.
    fn rulebook(&self, app: impl FnOnce(Rulebook) -> Rulebook) -> Rulebook {
        let rulebook = Rulebook::load(&self.api);
        let rulebook = match &self.data {
            Some(folder) => rulebook.data(folder),
            None => rulebook,
        };
        let rulebook = app(match &self.files {
            Some(folder) => rulebook.files_in(folder),
            None => rulebook,
        });
        match self.unbound {
            Some(unbound) => rulebook.unbound(unbound.into()),
            None => rulebook,
        }
    }

    /// The API that the definition says; where that has faults, they are told.
    fn api(&self, app: impl FnOnce(Rulebook) -> Rulebook) -> Result<Api, Exit> {
        self.rulebook(app).check().map_err(|report| {
            output::report(&report);
            Exit::Refused
        })
    }
}
