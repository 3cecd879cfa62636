//! The settings that all commands share, with their flags and environment variables.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, ValueEnum};

use super::{App, Exit, output};
use rulebook::AuthScheme;
use rulebook::Rulebook;
use rulebook_model::model::{Api, LogFormat, MAX_WORKERS, Unbound};

/// The heading of the settings in the help.
pub(super) const HEADING: &str = "Settings";

/// The flag of [`files_arg`].
pub(super) const FILES: &str = "files";

/// The values of the settings, from flags and environment variables.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = HEADING)]
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
    /// The value of `--files`, which [`files_value`] returns.
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
    /// What to log, as a filter of env_logger: `info`, `rulebook=debug` [default: info,actix_server=warn].
    #[arg(long, global = true, value_name = "FILTER", env = "RULEBOOK_LOG", value_parser = filter)]
    pub(super) log: Option<String>,
    /// Format of the log [default: text].
    #[arg(long, global = true, value_name = "FORMAT", env = "RULEBOOK_LOG_FORMAT")]
    pub(super) log_format: Option<LogFormatFlag>,
}

/// Returns the flag `--files`. It is not global like the other settings, because `keys add` has a different flag of
/// this name.
pub(super) fn files_arg() -> Arg {
    Arg::new(FILES)
        .long(FILES)
        .value_name("DIR")
        .env("RULEBOOK_FILES")
        .value_parser(clap::value_parser!(PathBuf))
        .help_heading(HEADING)
        // The help lists it after `--data`.
        .display_order(3)
        .help("Folder for stored files, if the program stores any [default: the folder `files` in the --data folder]")
}

/// Returns the value of `--files`. The flag after the name of the command has priority, then the flag before it, then
/// the environment variable.
pub(super) fn files_value(matches: &ArgMatches, command: Option<&ArgMatches>) -> Option<PathBuf> {
    let is_flag = |matches: &&ArgMatches| matches.value_source(FILES) == Some(ValueSource::CommandLine);
    command.filter(is_flag).unwrap_or(matches).get_one(FILES).cloned()
}

fn filter(text: &str) -> Result<String, env_filter::ParseError> {
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
    /// Returns the builder of the program with these settings.
    pub(super) fn rulebook(&self, app: App<'_>) -> Rulebook {
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

    /// Reads and checks the definition, and prints its errors.
    pub(super) fn api(&self, app: App<'_>) -> Result<Api, Exit> {
        let checked = self.rulebook(app).check();
        let mut api = checked.map_err(|report| {
            output::report(&report);
            Exit::Refused
        })?;
        // `serve` accepts bearer keys in addition to the authenticators of the program.
        if !api.auth_schemes.contains(&AuthScheme::bearer()) {
            api.auth_schemes.push(AuthScheme::bearer());
        }
        Ok(api)
    }
}
