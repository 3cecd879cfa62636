//! `rulebook keys`: manages bearer keys, the API keys that clients send in the header field `Authorization`.
//!
//! The commands that create a key print only the key to standard output, so that it can be redirected to a file. Their
//! messages are printed to standard error, and only if standard error is a terminal.

mod list;
mod time;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::{AddHandlers, Exit, Settings, output};
use rulebook::key::{self, Entry, KeyError, Limit, NewKey, Per};
use rulebook_model::filename::{FilePatterns, PatternError};
use time::{ExpiryTime, GracePeriod};

const EXAMPLES: &str = "\
Examples:
  (umask 077; rulebook keys add --name backend --scope iapi > backend.key)
  rulebook keys add --name photos --scope iapi.read,iapi.write --files 'public/images/**'
  rulebook keys add --name partner --scope reader --requests 1000 --per hour --expires 90d";

/// The text at the end of the help of each `keys` command.
const AFTER_HELP: &str = "\
The file keys.json in the --data folder contains a hash of each key. The hashes depend on a secret of the server: the \
environment variable RULEBOOK_PEPPER (at least 32 characters), or the file `pepper` beside keys.json, which is created \
with the first key. A running server applies changes within a second.

Exit codes: 0 success; 1 the definition has errors, or there is no such key; 2 invalid usage; 3 a file cannot be read or \
written.";

pub(super) const COMMAND: super::Command = super::Command {
    name: "keys",
    add_options: Options::augment_args,
    shown_settings: &["api", "data"],
    run: |matches, settings, app| Ok(run(app, settings, super::parse_options::<Options>(matches)?.command)),
};

/// Manage bearer keys.
#[derive(Debug, Args)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a key and print it. It is not stored and cannot be shown again.
    #[command(after_help = format!("{EXAMPLES}\n\n{AFTER_HELP}"))]
    Add(AddOptions),
    /// List the keys with their ids, names, permissions and expiry. The keys themselves are not stored.
    #[command(after_help = AFTER_HELP)]
    List {
        /// Print a JSON array with everything that is stored except the hashes.
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key immediately.
    #[command(after_help = AFTER_HELP)]
    Revoke {
        /// Id of the key: the part between its two `_`.
        id: String,
    },
    /// Replace a key: create and print a new one with the same permissions, and let the old one expire.
    #[command(after_help = AFTER_HELP)]
    Rotate {
        /// Id of the key to replace.
        id: String,
        /// Time for which the old key remains valid: `30m`, `24h`, `7d`, `0s`.
        #[arg(long, value_name = "DURATION", default_value = "24h")]
        grace: GracePeriod,
    },
}

#[derive(Debug, Args)]
struct AddOptions {
    /// Name of the key's owner, for logs and handlers.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// Permissions of the key, separated by commas; `rulebook routes` lists them.
    #[arg(long, value_name = "SCOPE", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    scope: Vec<String>,
    /// Stored files that the key may access, such as `reports/*.pdf` or `public/**`; may be repeated. If omitted, the
    /// key may access every file that the definition allows.
    #[arg(long, value_name = "PATTERN", value_parser = parse_file_pattern)]
    files: Vec<String>,
    /// Maximum number of requests in each period of --per. If omitted, the number is unlimited.
    #[arg(long, value_name = "N", requires = "per", value_parser = clap::value_parser!(u32).range(1..))]
    requests: Option<u32>,
    /// Period to which --requests applies. Periods begin with the minutes, hours and days of the clock in UTC.
    #[arg(long, value_name = "PERIOD", requires = "requests")]
    per: Option<PeriodFlag>,
    /// Time at which the key expires: a date (`2030-01-31`, its beginning in UTC), a time (`2030-01-31T12:00:00Z`) or a
    /// duration from now (`90d`, `12h`). If omitted, the key does not expire.
    #[arg(long, value_name = "WHEN")]
    expires: Option<ExpiryTime>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PeriodFlag {
    Minute,
    Hour,
    Day,
    /// The whole lifetime of the key.
    Ever,
}

impl From<PeriodFlag> for Per {
    fn from(flag: PeriodFlag) -> Self {
        match flag {
            PeriodFlag::Minute => Self::Minute,
            PeriodFlag::Hour => Self::Hour,
            PeriodFlag::Day => Self::Day,
            PeriodFlag::Ever => Self::Ever,
        }
    }
}

fn run(app: AddHandlers<'_>, settings: &Settings, command: Command) -> Exit {
    let file = match data_folder(app, settings) {
        Ok(folder) => folder.join(key::FILE),
        Err(exit) => return exit,
    };
    let result = match command {
        Command::Add(options) => add_key(&file, options),
        Command::List { json } => key::list(&file).map(|keys| output::print_to_stdout(&list::format_keys(&keys, json))),
        Command::Revoke { id } => key::revoke(&file, &id).map(|Entry { name, .. }| {
            print_to_terminal(&format!("revoked the key {id} of {name:?}\n"));
            Exit::Success
        }),
        Command::Rotate { id, grace: GracePeriod(grace) } => {
            let end = Timestamp::now().checked_add(grace).unwrap_or(Timestamp::MAX);
            key::rotate(&file, &id, end).map(|key| {
                print_to_terminal(&format!(
                    "the key {id} expires at {}; the new key, shown only once:\n",
                    list::format_time(end)
                ));
                output::print_to_stdout(&format!("{key}\n"))
            })
        }
    };
    result.unwrap_or_else(|error| {
        output::print_to_stderr(&format!("error: {error}\n"));
        match error {
            KeyError::InvalidId | KeyError::UnknownId { .. } | KeyError::Replaced { .. } | KeyError::Expired { .. } => {
                Exit::ErrorsReported
            }
            _ => Exit::SystemError,
        }
    })
}

/// Returns the value of `--files` if it is a valid file pattern.
fn parse_file_pattern(text: &str) -> Result<String, PatternError> {
    FilePatterns::new([text]).map(|_| text.to_owned())
}

fn add_key(file: &Path, options: AddOptions) -> Result<Exit, KeyError> {
    let AddOptions { name, scope, files, requests, per, expires } = options;
    let limit = requests.zip(per).map(|(requests, per)| Limit { requests, per: per.into() });
    let expires = expires.map(|ExpiryTime(expires)| expires);
    let mut new = NewKey::new(name);
    (new.scope, new.files, new.limit, new.expires) = (scope, files, limit, expires);
    let key = key::add(file, new)?;
    print_to_terminal("the new key, shown only once:\n");
    Ok(output::print_to_stdout(&format!("{key}\n")))
}

/// Returns the data folder: the value of `--data` if the flag is given, otherwise the folder that `app.json` sets, or
/// the default.
fn data_folder(app: AddHandlers<'_>, settings: &Settings) -> Result<PathBuf, Exit> {
    if let Some(data) = &settings.data {
        return Ok(data.clone());
    }
    let rulebook = settings.new_rulebook(app);
    let folder = rulebook.data_folder_handle();
    match rulebook.check() {
        Ok(_) => Ok(folder.path().to_owned()),
        Err(report) => {
            output::print_report(&report);
            output::print_to_stderr(
                "app.json may set the folder of the keys; fix the errors, or name the folder with --data DIR\n",
            );
            Err(Exit::ErrorsReported)
        }
    }
}

/// Prints a message to standard error, if standard error is a terminal.
fn print_to_terminal(message: &str) {
    if io::stderr().is_terminal() {
        output::print_to_stderr(message);
    }
}
