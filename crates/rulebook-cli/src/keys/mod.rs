//! `rulebook keys`: manages bearer keys.
//!
//! Only a new key is printed to standard output. Messages go to standard error, and only if it is a terminal.

mod list;
mod time;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::{App, Exit, Settings, output};
use rulebook::key::{self, Entry, KeyError, Limit, NewKey, Per};
use rulebook_model::filename::{FilePatterns, PatternError};
use time::{Grace, When};

const EXAMPLES: &str = "\
Examples:
  (umask 077; rulebook keys add --name backend --scope iapi > backend.key)
  rulebook keys add --name photos --scope iapi.read,iapi.write --files 'public/images/**'
  rulebook keys add --name partner --scope reader --requests 1000 --per hour --expires 90d";

/// The end of the help of each command.
const AFTER_HELP: &str = "\
The file keys.json in the --data folder contains a hash of each key. The hashes depend on a secret of the server: the \
environment variable RULEBOOK_PEPPER (at least 32 characters), or the file `pepper` beside keys.json, which is created \
with the first key. A running server applies changes within a second.

Exit codes: 0 success; 1 the definition has errors, or there is no such key; 2 invalid usage; 3 a file cannot be read or \
written.";

pub(super) const COMMAND: super::Command = super::Command {
    name: "keys",
    augment: Options::augment_args,
    settings: &["api", "data"],
    run: |matches, settings, app| Ok(run(app, settings, super::options::<Options>(matches)?.command)),
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
        grace: Grace,
    },
}

/// The options of `keys add`.
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
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    files: Vec<String>,
    /// Maximum number of requests in each period of --per. If omitted, the number is unlimited.
    #[arg(long, value_name = "N", requires = "per", value_parser = clap::value_parser!(u32).range(1..))]
    requests: Option<u32>,
    /// Period of --requests. Periods begin with the minutes, hours and days of the clock in UTC.
    #[arg(long, value_name = "PERIOD", requires = "requests")]
    per: Option<PerFlag>,
    /// Time at which the key expires: a date (`2030-01-31`, its beginning in UTC), a time (`2030-01-31T12:00:00Z`) or a
    /// duration from now (`90d`, `12h`). If omitted, the key does not expire.
    #[arg(long, value_name = "WHEN")]
    expires: Option<When>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PerFlag {
    Minute,
    Hour,
    Day,
    /// The lifetime of the key.
    Ever,
}

impl From<PerFlag> for Per {
    fn from(flag: PerFlag) -> Self {
        match flag {
            PerFlag::Minute => Self::Minute,
            PerFlag::Hour => Self::Hour,
            PerFlag::Day => Self::Day,
            PerFlag::Ever => Self::Ever,
        }
    }
}

fn run(app: App<'_>, settings: &Settings, command: Command) -> Exit {
    let file = match folder(app, settings) {
        Ok(folder) => folder.join(key::FILE),
        Err(exit) => return exit,
    };
    let result = match command {
        Command::Add(options) => add(&file, options),
        Command::List { json } => key::list(&file).map(|keys| output::print(&list::text(&keys, json))),
        Command::Revoke { id } => key::revoke(&file, &id).map(|Entry { name, .. }| {
            say(&format!("revoked the key {id} of {name:?}\n"));
            Exit::Success
        }),
        Command::Rotate { id, grace: Grace(grace) } => {
            let end = Timestamp::now().checked_add(grace).unwrap_or(Timestamp::MAX);
            key::rotate(&file, &id, end).map(|key| {
                say(&format!("the key {id} expires at {}; the new key, shown only once:\n", list::time(end)));
                output::print(&format!("{key}\n"))
            })
        }
    };
    result.unwrap_or_else(|error| {
        output::complain(&format!("error: {error}\n"));
        match error {
            KeyError::InvalidId | KeyError::UnknownId { .. } | KeyError::Replaced { .. } | KeyError::Expired { .. } => {
                Exit::Refused
            }
            _ => Exit::Failed,
        }
    })
}

/// Checks a pattern of `--files`.
fn pattern(text: &str) -> Result<String, PatternError> {
    FilePatterns::new([text]).map(|_| text.to_owned())
}

fn add(file: &Path, options: AddOptions) -> Result<Exit, KeyError> {
    let AddOptions { name, scope, files, requests, per, expires } = options;
    let limit = requests.zip(per).map(|(requests, per)| Limit { requests, per: per.into() });
    let expires = expires.map(|When(expires)| expires);
    let mut new = NewKey::new(name);
    (new.scope, new.files, new.limit, new.expires) = (scope, files, limit, expires);
    let key = key::add(file, new)?;
    say("the new key, shown only once:\n");
    Ok(output::print(&format!("{key}\n")))
}

/// Returns the data folder of the server, which `app.json` may set.
fn folder(app: App<'_>, settings: &Settings) -> Result<PathBuf, Exit> {
    if let Some(data) = &settings.data {
        return Ok(data.clone());
    }
    let rulebook = settings.rulebook(app);
    let folder = rulebook.data_folder_handle();
    match rulebook.check() {
        Ok(_) => Ok(folder.path().to_owned()),
        Err(report) => {
            output::report(&report);
            output::complain(
                "app.json may set the folder of the keys; fix the errors, or name the folder with --data DIR\n",
            );
            Err(Exit::Refused)
        }
    }
}

/// Prints a message if standard error is a terminal.
fn say(message: &str) {
    if io::stderr().is_terminal() {
        output::complain(message);
    }
}
