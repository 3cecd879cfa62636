//! The command line of rulebook. A Rust module contains one command, or several that belong together.
//!
//! This file lets each command show the settings that it uses, runs the requested command and converts its result to an
//! exit code. The module of a command parses the options of this command, calls the library `rulebook` and prints the
//! result.
//!
//! To add a command, write a Rust module with its options and a function `run`, add a variant to `Command`, and call
//! the function in `run_command`. If it uses settings, add it to `shown_settings`; if it creates files with data of the
//! server or of clients, to `WITH_PRIVATE_FILES`.

mod call;
mod check;
mod diff;
mod documents;
#[cfg(feature = "import")]
mod import;
mod key_storage;
mod keys;
mod kinds;
mod log;
#[cfg(feature = "sql")]
mod migrate;
#[cfg(feature = "new")]
mod new;
mod output;
mod reload;
#[cfg(feature = "client")]
mod remote;
mod serve;
mod settings;
#[cfg(feature = "shell")]
mod shell;
#[cfg(feature = "test")]
mod test;
#[cfg(feature = "auth")]
mod token;
mod usage;

use std::ffi::OsStr;
use std::io;
use std::process::ExitCode;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, FromArgMatches, Parser, Subcommand};
use rulebook::{Report, Rulebook, Validated};
use rulebook_model::suggest::closest_word;
use tokio::runtime::Runtime;

pub use kinds::{with_auth_kinds, with_handler_kinds};
#[cfg(feature = "client")]
use remote::{fetch, send};
use settings::{Settings, files_folder, new_files_arg};

/// The commands of the program, in the order in which the help lists them.
#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::ServeOptions),
    Check(check::CheckOptions),
    Routes(documents::RoutesOptions),
    Openapi(documents::OpenapiOptions),
    Types(documents::TypesOptions),
    Schema(documents::SchemaOptions),
    Explain(check::ExplainOptions),
    Diff(diff::DiffOptions),
    Reload(reload::ReloadOptions),
    Call(call::CallOptions),
    #[cfg(feature = "test")]
    Test(test::TestOptions),
    /// Manage bearer keys
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    Usage(usage::UsageOptions),
    #[cfg(feature = "auth")]
    Token(token::TokenOptions),
    #[cfg(feature = "sql")]
    Migrate(migrate::MigrateOptions),
    #[cfg(feature = "client")]
    Send(send::SendOptions),
    #[cfg(feature = "client")]
    Fetch(fetch::FetchOptions),
    #[cfg(feature = "import")]
    Import(import::ImportOptions),
    #[cfg(feature = "new")]
    New(new::NewOptions),
    #[cfg(feature = "shell")]
    Completions(shell::CompletionsOptions),
    #[cfg(feature = "shell")]
    Man(shell::ManOptions),
}

/// Returns the names of the settings that the help of a command lists; `None` for all. Every command accepts all
/// settings, except that only commands that list `--files` accept it.
fn shown_settings(command: &str) -> Option<&'static [&'static str]> {
    Some(match command {
        "serve" => return None,
        "check" | "routes" | "openapi" | "types" => &["api", "data", "unbound"],
        "call" => &["api", "data", "files", "unbound"],
        "keys" => &["api", "data", "key-storage"],
        "migrate" | "reload" | "token" | "usage" => &["api", "data"],
        "diff" | "schema" | "test" => &["api"],
        _ => &[],
    })
}

/// Returns `true` if a command accepts the setting `--files`. The command `keys` does not, because `keys add` has
/// another flag with this name.
fn accepts_files(command: &str) -> bool {
    shown_settings(command).is_none_or(|shown| shown.contains(&settings::FILES_FLAG))
}

/// The function of a program that adds its handlers, its custom types and its state to the builder `Rulebook`.
type AddHandlers<'a> = &'a dyn Fn(Rulebook) -> Rulebook;

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

const ABOUT: &str =
    "Write an HTTP API down once, as JSON definitions; rulebook routes, checks, permits, documents and serves it";

const AFTER_HELP: &str = "\
The value of a setting comes from the first of these that is present: its flag, its environment variable, its key in \
app.json, its default. --api, --static and --share-data have no key in app.json.

Exit codes: 0 success; 1 the definition has errors, or the call returned an error; 2 invalid usage; 3 a system error, \
for example an address in use or an unreadable file.";

/// The settings that all commands share, and the command.
#[derive(Debug, Parser)]
#[command(name = "rulebook", version, about = ABOUT, after_help = AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Builds the argument parser with all commands. The help of each command lists only the settings that it uses.
fn argument_parser() -> clap::Command {
    argument_parser_of("rulebook")
}

fn argument_parser_of(name: impl Into<clap::builder::Str>) -> clap::Command {
    let cli = <Cli as clap::CommandFactory>::command().name(name).arg(new_files_arg());
    let names: Vec<String> = cli.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let mut cli = cli.mut_subcommands(|command| match accepts_files(command.get_name()) {
        true => command.arg(new_files_arg()),
        false => command,
    });
    // `build` copies the settings, which are global arguments, to each command.
    cli.build();
    names.iter().fold(cli, |cli, name| match shown_settings(name) {
        Some(shown) => cli.mut_subcommand(name, |command| show_only_settings(command, shown)),
        None => cli,
    })
}

fn show_only_settings(command: clap::Command, shown: &[&str]) -> clap::Command {
    let command = command.mut_args(|arg| {
        let is_setting = arg.get_help_heading() == Some(settings::HELP_HEADING);
        if is_setting && !shown.contains(&arg.get_long().unwrap_or_default()) { arg.hide(true) } else { arg }
    });
    command.mut_subcommands(|subcommand| show_only_settings(subcommand, shown))
}

/// Runs the command line of a program. `app` adds the program's handlers, custom types and state to the builder; with
/// `serve --watch`, it is called again after each change of the definition.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     rulebook_cli::run(|rulebook| rulebook)
/// }
/// ```
pub fn run(app: impl Fn(Rulebook) -> Rulebook) -> ExitCode {
    let matches = argument_parser().try_get_matches();
    let matches = matches.and_then(|matches| misspelled_variable().map_or(Ok(matches), Err));
    match matches.and_then(|matches| run_command(&matches, &app)) {
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

const VARIABLE_PREFIX: &str = "RULEBOOK_";
/// The beginnings of the names after it that Kubernetes gives to variables about a service named `rulebook`.
const OF_KUBERNETES: [&str; 2] = ["SERVICE_", "PORT"];
/// The variables that no flag has.
const OTHER_VARIABLES: [&str; 3] = ["RULEBOOK_KEY", "RULEBOOK_PEPPER", "RULEBOOK_PREDECESSOR"];

/// Returns an error for an environment variable whose name differs a little from that of a known one, because its value
/// would have no effect. Other variables may belong to the definition.
fn misspelled_variable() -> Option<clap::Error> {
    fn variables(command: &clap::Command) -> Vec<String> {
        let flags = command.get_arguments().filter_map(|arg| Some(arg.get_env()?.to_str()?.to_owned()));
        flags.chain(command.get_subcommands().flat_map(variables)).collect()
    }
    let known = [variables(&argument_parser()), OTHER_VARIABLES.map(str::to_owned).to_vec()].concat();
    let known: Vec<_> = known.iter().filter_map(|name| name.strip_prefix(VARIABLE_PREFIX)).collect();
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let misspelled = names.filter_map(|name| {
        let word = name.strip_prefix(VARIABLE_PREFIX)?;
        let is_other = known.contains(&word) || OF_KUBERNETES.iter().any(|begin| word.starts_with(begin));
        let suggestion = closest_word(word, known.iter().copied()).filter(|_| !is_other)?;
        Some(format!(
            "{name} is not an environment variable of this program; did you mean {VARIABLE_PREFIX}{suggestion}?"
        ))
    });
    misspelled.min().map(|message| argument_parser().error(ErrorKind::InvalidValue, message))
}

/// The commands whose files contain data of the server or of its clients.
const WITH_PRIVATE_FILES: [&str; 7] = ["serve", "call", "test", "keys", "migrate", "reload", "token"];

/// Lets only the user of this process read the files and folders that the process creates from now on, such as stored
/// files and databases, whichever code creates them: the library, handlers, or processes with handlers.
fn create_only_private_files() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

/// Checks the definition, and the environment variables in its setting `data`, unless a flag replaces it.
fn validate_with_data(app: AddHandlers<'_>, settings: &Settings) -> Result<Validated, Report> {
    let validated = settings.new_rulebook(app).validate()?;
    validated.check_variables(|setting| setting == "data" && settings.data.is_none())
}

fn new_runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn run_command(matches: &ArgMatches, app: AddHandlers<'_>) -> Result<Exit, clap::Error> {
    let Cli { mut settings, command } = Cli::from_arg_matches(matches)?;
    let (name, options) = matches.subcommand().unwrap_or(("serve", matches));
    settings.files = files_folder(matches, Some(options).filter(|_| accepts_files(name)));
    if WITH_PRIVATE_FILES.contains(&name) {
        create_only_private_files();
    }
    let settings = &settings;
    let result = match command.unwrap_or(Command::Serve(serve::ServeOptions::default())) {
        Command::Serve(options) => serve::run(app, settings, &options),
        Command::Check(options) => check::run(app, settings, &options),
        Command::Routes(options) => documents::print_routes(app, settings, &options),
        Command::Openapi(options) => documents::print_openapi(app, settings, &options),
        Command::Types(options) => documents::print_types(app, settings, &options),
        Command::Schema(options) => Ok(documents::print_schema(app, settings, &options)),
        Command::Explain(options) => check::explain(&options),
        Command::Diff(options) => diff::run(app, settings, &options),
        Command::Reload(options) => reload::run(app, settings, &options),
        Command::Call(options) => call::run(app, settings, options),
        #[cfg(feature = "test")]
        Command::Test(options) => test::run(app, settings, &options),
        Command::Keys(command) => keys::run(app, settings, command),
        Command::Usage(options) => usage::run(app, settings, &options),
        #[cfg(feature = "auth")]
        Command::Token(options) => token::run(app, settings, options),
        #[cfg(feature = "sql")]
        Command::Migrate(options) => migrate::run(app, settings, &options),
        #[cfg(feature = "client")]
        Command::Send(options) => send::run(&options),
        #[cfg(feature = "client")]
        Command::Fetch(options) => fetch::run(&options),
        #[cfg(feature = "import")]
        Command::Import(options) => import::run(&options),
        #[cfg(feature = "new")]
        Command::New(options) => new::run(&options),
        #[cfg(feature = "shell")]
        Command::Completions(options) => Ok(shell::print_completions(&options)),
        #[cfg(feature = "shell")]
        Command::Man(options) => Ok(shell::write_manual(&options)),
    };
    // A command has printed the error for which it returns an exit code.
    Ok(result.unwrap_or_else(|exit| exit))
}

/// A value of an option: its word, its description in the help, which can be empty, and what it means.
type Choice<T> = (&'static str, &'static str, T);

fn choice_parser<T>(choices: &'static [Choice<T>]) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let words = choices.iter().map(|(word, help, _)| match help.is_empty() {
        true => PossibleValue::new(*word),
        false => PossibleValue::new(*word).help(*help),
    });
    PossibleValuesParser::new(words).try_map(|given| {
        let choice = choices.iter().find(|(word, ..)| word.eq_ignore_ascii_case(&given));
        choice.map(|(.., value)| *value).ok_or("unknown word")
    })
}
