//! The settings that all commands share. Each can be set by a flag or by an environment variable.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, ValueEnum};

use super::{AddHandlers, Exit, output};
use rulebook::AuthScheme;
use rulebook::Rulebook;
use rulebook_model::model::{Api, LogFormat, MAX_WORKERS, Unbound};

/// The heading above the settings in the help.
pub(super) const HELP_HEADING: &str = "Settings";

/// The name of the flag that [`new_files_arg`] returns.
pub(super) const FILES_FLAG: &str = "files";

/// The values of the settings, from flags and environment variables.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = HELP_HEADING)]
pub(super) struct Settings {
    /// Folder with the definition.
    #[arg(long, global = true, value_name = "DIR", env = "RULEBOOK_API", default_value = "api")]
    pub(super) api: PathBuf,
    /// Address and port to listen on; for several, repeat the flag or separate them with commas
    /// [default: 127.0.0.1:8080].
    #[arg(long, global = true, value_name = "ADDRESS:PORT", env = "RULEBOOK_BIND", value_delimiter = ',')]
    pub(super) bind: Vec<String>,
    /// Folder for the server's own data, such as keys.json [default: data].
    #[arg(long, global = true, value_name = "DIR", env = "RULEBOOK_DATA")]
    pub(super) data: Option<PathBuf>,
    /// The value of `--files`, which [`files_folder`] returns.
    #[arg(skip)]
    pub(super) files: Option<PathBuf>,
    /// Folder with static files, served at `/` and `/static/`. Without it, `/` is a built-in page.
    #[arg(long = "static", global = true, value_name = "DIR", env = "RULEBOOK_STATIC", default_value = "static")]
    pub(super) static_files: PathBuf,
    /// How to serve methods without a handler [default: refuse].
    #[arg(long, global = true, value_name = "MODE", env = "RULEBOOK_UNBOUND")]
    pub(super) unbound: Option<UnboundFlag>,
    /// Number of worker threads [default: one per processor].
    #[arg(long, global = true, value_name = "N", env = "RULEBOOK_WORKERS", value_parser = clap::value_parser!(u16).range(1..=i64::from(MAX_WORKERS)))]
    pub(super) workers: Option<u16>,
    /// Maximum number of open connections of one client address; 0 for no limit, for a server behind a proxy
    /// [default: a quarter of all connections].
    #[arg(long, global = true, value_name = "N", env = "RULEBOOK_ADDRESS_CONNECTIONS")]
    pub(super) address_connections: Option<usize>,
    /// What to log, as a filter of env_logger: `info`, `rulebook=debug` [default: info,actix_server=warn].
    #[arg(id = "log", long, global = true, value_name = "FILTER", env = "RULEBOOK_LOG", value_parser = parse_log_filter)]
    pub(super) log_filter: Option<String>,
    /// Format of the log [default: text].
    #[arg(long, global = true, value_name = "FORMAT", env = "RULEBOOK_LOG_FORMAT")]
    pub(super) log_format: Option<LogFormatFlag>,
}

/// Returns the flag `--files`. The other settings are global flags, which every command accepts; this flag is not,
/// because `keys add` has another flag with the same name.
pub(super) fn new_files_arg() -> Arg {
    Arg::new(FILES_FLAG)
        .long(FILES_FLAG)
        .value_name("DIR")
        .env("RULEBOOK_FILES")
        .value_parser(clap::value_parser!(PathBuf))
        .help_heading(HELP_HEADING)
        // With this position, the help lists the flag after `--data`.
        .display_order(3)
        .help("Folder for stored files, if the program stores any [default: the folder `files` in the --data folder]")
}

/// Returns the value of `--files`: that of the flag after the name of the command, otherwise that of the flag before
/// the name, otherwise that of the environment variable.
pub(super) fn files_folder(matches: &ArgMatches, command: Option<&ArgMatches>) -> Option<PathBuf> {
    let is_flag = |matches: &&ArgMatches| matches.value_source(FILES_FLAG) == Some(ValueSource::CommandLine);
    command.filter(is_flag).unwrap_or(matches).get_one(FILES_FLAG).cloned()
}

fn parse_log_filter(text: &str) -> Result<String, env_filter::ParseError> {
    env_filter::Builder::new().try_parse(text).map(|_| text.to_owned())
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum UnboundFlag {
    /// Do not start.
    Refuse,
    /// Respond with status 501 (Not Implemented).
    #[value(name = "501")]
    NotImplemented,
    /// Call no handler; every method responds with its checked arguments.
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
pub(super) enum LogFormatFlag {
    /// Lines of text, for people.
    Text,
    /// One JSON object per line, for programs.
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

impl Settings {
    /// Returns a builder that has these settings and the handlers of the program.
    pub(super) fn new_rulebook(&self, app: AddHandlers<'_>) -> Rulebook {
        let rulebook = Rulebook::load(&self.api);
        let rulebook = match &self.data {
            Some(folder) => rulebook.data_folder(folder),
            None => rulebook,
        };
        let rulebook = app(match &self.files {
            Some(folder) => rulebook.files_folder(folder),
            None => rulebook,
        });
        match self.unbound {
            Some(unbound) => rulebook.unbound(unbound.into()),
            None => rulebook,
        }
    }

    /// Reads and checks the definition. If it has errors, prints them and returns the exit code.
    pub(super) fn load_api(&self, app: AddHandlers<'_>) -> Result<Api, Exit> {
        let checked = self.new_rulebook(app).check();
        let mut api = checked.map_err(|report| {
            output::print_report(&report);
            Exit::ErrorsReported
        })?;
        // `serve` accepts bearer keys in addition to the authenticators of the program.
        if !api.auth_schemes.contains(&AuthScheme::bearer()) {
            api.auth_schemes.push(AuthScheme::bearer());
        }
        Ok(api)
    }
}
