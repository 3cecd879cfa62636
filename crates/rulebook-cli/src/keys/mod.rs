//! `rulebook keys`: manages bearer keys, the API keys that clients send in the header field `Authorization`.
//!
//! The commands that create a key print only the key to standard output, so that it can be redirected to a file. Their
//! messages are printed to standard error, and only if standard error is a terminal.

mod list;
mod place;
mod time;

use std::fs::{self, File};
use std::io::{self, IsTerminal, Write as _};
use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use super::choices::{Choice, choice_parser};
use super::usage::{DEFAULT_DAYS, days_parser, last_deprecated_calls};
use super::{AddHandlers, Exit, Settings, key_storage, output};
use place::find_keys;
use rulebook::key::{self, Entry, KeyError, KeyStorage, Limit, NewKey, Per};
use rulebook_model::filename::{FilePatterns, PatternError};
pub(super) use time::parse_duration;
use time::parse_expiry;

const EXAMPLES: &str = "\
Examples:
  rulebook keys add --name backend --scope iapi --output backend.key
  rulebook keys add --name photos --scope iapi.read,iapi.write --files 'public/images/**'
  rulebook keys add --name partner --scope reader --requests 1000 --per hour --expires 90d";

/// The text at the end of the help of each `keys` command.
const AFTER_HELP: &str = "\
The file keys.json in the --data folder contains a hash of each key. The hashes depend on a secret of the server: the \
environment variable RULEBOOK_PEPPER (at least 32 characters), or the file `pepper` beside keys.json, which is created \
with the first key. With --key-storage, the keys are in a database that several servers share; all of them need the same \
pepper. A running server applies changes within a second.

A server notes in its --data folder where its keys are. Commands that would change other keys are refused.

Exit codes: 0 success; 1 the definition has errors, or there is no such key; 2 invalid usage; 3 a file cannot be read or \
written.";

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Create a key and print it. It is not stored and cannot be shown again.
    #[command(after_help = format!("{EXAMPLES}\n\n{AFTER_HELP}"))]
    Add(AddOptions),
    /// List the keys with their ids, names, permissions and expiry. The keys themselves are not stored.
    #[command(after_help = AFTER_HELP)]
    List {
        /// Print a JSON array with everything that is stored except the hashes.
        #[arg(long)]
        json: bool,
        /// List only the keys with which such methods were called in the last days, with the last day. `rulebook usage`
        /// shows the methods.
        #[arg(long, value_name = "METHODS")]
        uses: Option<UsedMethods>,
        /// Number of days for --uses, up to this one, by the clock in UTC.
        #[arg(long, value_name = "N", requires = "uses", default_value_t = DEFAULT_DAYS, value_parser = days_parser())]
        days: u8,
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
        #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = parse_duration)]
        grace: SignedDuration,
        /// Write the new key to this new file, which only its owner can read, instead of printing it.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Copy the keys between the file and the database of --key-storage. Clients need no new keys.
    #[command(after_help = AFTER_HELP)]
    Copy {
        /// Where to copy the keys. Keys that are there already stay as they are.
        #[arg(long, value_name = "STORAGE")]
        to: CopyDestination,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum UsedMethods {
    /// Methods that are deprecated in the definition.
    Deprecated,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum CopyDestination {
    /// From the file keys.json to the database.
    Database,
    /// From the database to the file keys.json.
    File,
}

#[derive(Debug, Args)]
pub(super) struct AddOptions {
    /// Name of the key's owner, for logs and handlers.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// Permissions of the key, separated by commas; `rulebook routes` lists them. A permission that no method requires
    /// for any values of its parameters is an error, unless --force is given.
    #[arg(long, value_name = "SCOPE", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    scope: Vec<String>,
    /// Create the key even if no method requires one of its permissions, or the definition cannot be read.
    #[arg(long)]
    force: bool,
    /// Stored files that the key may access, such as `reports/*.pdf` or `public/**`; may be repeated. If omitted, the
    /// key may access every file that the definition allows.
    #[arg(long, value_name = "PATTERN", value_parser = parse_file_pattern)]
    files: Vec<String>,
    /// Maximum number of requests in each period of --per. If omitted, the number is unlimited.
    #[arg(long, value_name = "N", requires = "per", value_parser = clap::value_parser!(u32).range(1..))]
    requests: Option<u32>,
    /// Period to which --requests applies. Periods begin with the minutes, hours and days of the clock in UTC.
    #[arg(long, value_name = "PERIOD", requires = "requests", value_parser = choice_parser(PERIODS))]
    per: Option<Per>,
    /// Write the key to this new file, which only its owner can read, instead of printing it.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Time at which the key expires: a date (`2030-01-31`, its beginning in UTC), a time (`2030-01-31T12:00:00Z`) or a
    /// duration from now (`90d`, `12h`). If omitted, the key does not expire.
    #[arg(long, value_name = "WHEN", value_parser = parse_expiry)]
    expires: Option<Timestamp>,
}

const PERIODS: &[Choice<Per>] = &[
    ("minute", "", Per::Minute),
    ("hour", "", Per::Hour),
    ("day", "", Per::Day),
    ("ever", "The whole lifetime of the key", Per::Ever),
];

pub(super) fn run(app: AddHandlers<'_>, settings: &Settings, command: KeysCommand) -> Result<Exit, Exit> {
    let checked_scope = match &command {
        KeysCommand::Add(options) if !options.force => &*options.scope,
        _ => &[],
    };
    let (data, database) = find_keys(app, settings, checked_scope)?;
    match (&command, key_storage::check_place(&data, database.is_some())) {
        // This command uses the keys in both places.
        (_, Ok(())) | (KeysCommand::Copy { .. }, _) => {}
        (KeysCommand::List { .. }, Err(message)) => print_warning(&message),
        (_, Err(message)) => return Err(output::print_usage_error(&message)),
    }
    let storage = match &database {
        Some(url) => {
            let opened = key_storage::database(url, &data, key_storage::COMMAND_WAIT);
            opened.map_err(|failure| failure.print())?
        }
        None => key_storage::file(&data),
    };
    let storage = &*storage;
    if database.is_some()
        && !matches!(command, KeysCommand::Copy { .. })
        && let Some(message) = key_storage::compare_database(&data, &storage.location())
    {
        print_warning(&message);
    }
    let result = match command {
        KeysCommand::Add(options) => add_key(storage, options),
        KeysCommand::List { json, uses, days } => {
            let uses = uses.map(|UsedMethods::Deprecated| last_deprecated_calls(&settings.load_api(app)?, &data, days));
            let uses = uses.transpose()?;
            key::now(storage).and_then(|now| {
                let keys = key::list(storage)?;
                Ok(output::print_to_stdout(&list::format_keys(&keys, uses.as_ref(), json, now)))
            })
        }
        KeysCommand::Copy { .. } if database.is_none() => {
            return Err(output::print_usage_error("--key-storage is missing, which names the database"));
        }
        KeysCommand::Copy { to } => {
            let file = key_storage::file(&data);
            let copied = match to {
                CopyDestination::Database => key::copy(&*file, storage),
                CopyDestination::File => key::copy(storage, &*file),
            };
            copied.map(|count| output::print_to_stdout(&format!("copied {}\n", output::count_with_noun(count, "key"))))
        }
        KeysCommand::Revoke { id } => key::revoke(storage, &id).map(|Entry { name, .. }| {
            print_to_terminal(&format!("revoked the key {id} of {name:?}\n"));
            Exit::Success
        }),
        KeysCommand::Rotate { id, grace, output } => key::now(storage).and_then(|now| {
            let end = now.checked_add(grace).unwrap_or(Timestamp::MAX);
            let message =
                format!("the key {id} expires at {}; the new key, shown only once:\n", list::format_time(end));
            deliver_key(output.as_deref(), || key::rotate(storage, &id, end), &message)
        }),
    };
    result.map_err(|error| {
        let exit = output::print_system_error(&error.to_string());
        match error {
            KeyError::InvalidId | KeyError::UnknownId { .. } | KeyError::Replaced { .. } | KeyError::Expired { .. } => {
                Exit::ErrorsReported
            }
            _ => exit,
        }
    })
}

fn print_warning(message: &str) {
    output::print_to_stderr(&format!("warning: {message}\n"));
}

/// Returns the value of `--files` if it is a valid file pattern.
fn parse_file_pattern(text: &str) -> Result<String, PatternError> {
    FilePatterns::new([text]).map(|_| text.to_owned())
}

fn add_key(storage: &dyn KeyStorage, options: AddOptions) -> Result<Exit, KeyError> {
    let AddOptions { name, scope, force: _, files, requests, per, output, expires } = options;
    let limit = requests.zip(per).map(|(requests, per)| Limit { requests, per });
    let mut new = NewKey::new(name);
    (new.scope, new.files, new.limit, new.expires) = (scope, files, limit, expires);
    deliver_key(output.as_deref(), || key::add(storage, new), "the new key, shown only once:\n")
}

/// Makes a key, and prints it after `message`, or writes it to the file of `--output`. The file is created first, so
/// that no key is made that cannot be delivered.
fn deliver_key(
    file: Option<&Path>,
    make: impl FnOnce() -> Result<String, KeyError>,
    message: &str,
) -> Result<Exit, KeyError> {
    let Some(path) = file else {
        let key = make()?;
        print_to_terminal(message);
        return Ok(output::print_to_stdout(&format!("{key}\n")));
    };
    let mut created = match create_private_file(path) {
        Ok(created) => created,
        Err(error) => return Ok(output::print_system_error(&format!("--output {}: {error}", path.display()))),
    };
    let key = make().inspect_err(|_| {
        // The file is empty. If it cannot be removed, it does no harm.
        let _ = fs::remove_file(path);
    })?;
    match writeln!(created, "{key}").and_then(|()| created.sync_all()) {
        Ok(()) => Ok(Exit::Success),
        Err(error) => Ok(output::print_system_error(&format!("--output {}: {error}; revoke the key", path.display()))),
    }
}

/// Creates a file that only its owner can read.
fn create_private_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Prints a message to standard error, if standard error is a terminal.
fn print_to_terminal(message: &str) {
    if io::stderr().is_terminal() {
        output::print_to_stderr(message);
    }
}
