//! `rulebook keys`: manages bearer keys, the API keys that clients send in the header field `Authorization`.
//!
//! The commands that create a key print only the key to standard output, so that it can be redirected to a file. Their
//! messages are printed to standard error, and only if standard error is a terminal.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write as _};
use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use rulebook::key::{self, Entry, KeyError, KeyStorage, Limit, NewKey, Per, Usage};
use rulebook_model::diagnostic::closest_word;
use rulebook_model::filename::{FilePatterns, PatternError};
use rulebook_model::model::{Api, PermissionMatch, match_permission};
use serde_json::{Value as Json, json};

use crate::usage::{DEFAULT_DAYS, days_parser, last_deprecated_calls};
use crate::{AddHandlers, Choice, Exit, Settings, choice_parser, key_storage, output, validate_with_data};

const EXAMPLES: &str = "\
Examples:
  rulebook keys add --name backend --scope iapi --output backend.key
  rulebook keys add --name photos --scope iapi.read,iapi.write --files 'public/images/**'
  rulebook keys add --name partner --scope reader --requests 1000 --per hour --expires 90d";

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
        (_, Err(message)) => return Err(output::print_usage_error(message)),
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
                Ok(output::print_to_stdout(&format_keys(&keys, uses.as_ref(), json, now)))
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
            let message = format!("the key {id} expires at {}; the new key, shown only once:\n", format_time(end));
            deliver_key(output.as_deref(), || key::rotate(storage, &id, end), &message)
        }),
    };
    result.map_err(|error| {
        let exit = output::print_system_error(&error);
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
        Err(error) => return Ok(output::print_system_error(format!("--output {}: {error}", path.display()))),
    };
    let key = make().inspect_err(|_| {
        // The file is empty. If it cannot be removed, it does no harm.
        let _ = fs::remove_file(path);
    })?;
    match writeln!(created, "{key}").and_then(|()| created.sync_all()) {
        Ok(()) => Ok(Exit::Success),
        Err(error) => Ok(output::print_system_error(format!("--output {}: {error}; revoke the key", path.display()))),
    }
}

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

/// The headings of the table's columns. Only a list of the keys with which deprecated methods were called has the last
/// one.
const COLUMN_HEADINGS: [&str; 10] =
    ["ID", "NAME", "SCOPE", "FILES", "REQUESTS", "CREATED", "LAST USED", "EXPIRES", "STATE", "DEPRECATED CALL"];

/// The days on which deprecated methods were called last, by the names of keys.
type DeprecatedCalls = BTreeMap<Box<str>, Date>;

/// Returns the keys as a table with a row for each key or, if `json` is `true`, as a JSON array. With `calls`, only
/// the keys in it are returned. `now` is the time at which the keys are valid or expired.
fn format_keys(keys: &[(Entry, Usage)], calls: Option<&DeprecatedCalls>, json: bool, now: Timestamp) -> String {
    let called = |key: &Entry| calls.and_then(|calls| calls.get(&*key.name).copied());
    let listed = keys.iter().filter(|(key, _)| calls.is_none() || called(key).is_some());
    if json {
        let keys: Vec<Json> = listed.map(|(key, usage)| json_object(key, *usage, called(key), now)).collect();
        return output::format_json(&Json::from(keys));
    }
    let mut headings = COLUMN_HEADINGS;
    if calls.is_none() {
        headings[COLUMN_HEADINGS.len() - 1] = "";
    }
    let mut rows = vec![headings.map(str::to_owned)];
    rows.extend(listed.map(|(key, usage)| table_row(key, *usage, called(key), now)));
    output::table(&rows)
}

fn format_time(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

fn table_row(key: &Entry, usage: Usage, called: Option<Date>, now: Timestamp) -> [String; COLUMN_HEADINGS.len()] {
    let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let limit = key.limit.map_or_else(String::new, |Limit { requests, per }| {
        let per = match per {
            Per::Minute => "per minute",
            Per::Hour => "per hour",
            Per::Day => "per day",
            Per::Ever => "in total",
        };
        format!("{requests} {per}")
    });
    [
        key.id.clone(),
        key.name.clone(),
        or_dash(key.scope.join(",")),
        // File patterns are separated by spaces, because a pattern may contain commas.
        or_dash(key.files.join(" ")),
        or_dash(limit),
        format_time(key.created),
        or_dash(usage.used.map_or_else(String::new, format_time)),
        or_dash(key.expires.map_or_else(String::new, format_time)),
        validity_text(key, now),
        called.map(|day| day.to_string()).unwrap_or_default(),
    ]
}

fn validity_text(key: &Entry, now: Timestamp) -> String {
    let expired = key.expires.is_some_and(|expires| expires <= now);
    match (&key.replaced_by, expired) {
        (Some(by), true) => format!("expired, replaced by {by}"),
        (Some(by), false) => format!("replaced by {by}"),
        (None, true) => "expired".to_owned(),
        (None, false) => "valid".to_owned(),
    }
}

fn json_object(key: &Entry, usage: Usage, called: Option<Date>, now: Timestamp) -> Json {
    let mut object = json!({
        "id": key.id,
        "name": key.name,
        "scope": key.scope,
        "files": key.files,
        "limit": key.limit,
        "created": key.created,
        "used": usage.used,
        "spent": usage.spent,
        "expires": key.expires,
        "replaced_by": key.replaced_by,
        "valid": key.expires.is_none_or(|expires| expires > now),
    });
    if let Some(day) = called {
        object["deprecated_call"] = json!(day);
    }
    object
}

/// Returns the data folder, and the address of the database with the keys, if they are not in the folder: the values of
/// the flags, otherwise those of `app.json`, or the defaults. Fails if no method requires one of the permissions in
/// `checked_scope`.
fn find_keys(
    app: AddHandlers<'_>,
    settings: &Settings,
    checked_scope: &[String],
) -> Result<(PathBuf, Option<String>), Exit> {
    let place = |data: &Path, api: Option<&Api>| match key_storage::database_url(settings, api) {
        Ok(database) => Ok((data.to_owned(), database)),
        Err(failure) => Err(failure.print()),
    };
    let given = settings.data.as_ref().filter(|_| checked_scope.is_empty());
    if let Some(data) = given.filter(|_| settings.key_storage.is_some()) {
        return place(data, None);
    }
    match validate_with_data(app, settings).map(|validated| (validated.api, validated.data_folder)) {
        Ok((api, _)) if !checked_scope.is_empty() && !api.accepts_keys() => {
            let message = "the server accepts no keys: the setting `auth` in app.json has no `keys`; add `\"keys\": {}`\n\
                           With --force, the key is created all the same.";
            Err(output::print_usage_error(message))
        }
        Ok((api, folder)) => {
            match checked_scope.iter().find_map(|permission| unknown_permission_message(&api, permission)) {
                Some(message) => Err(output::print_usage_error(message)),
                None => place(folder.path(), Some(&api)),
            }
        }
        // With the folder of the keys, the definition may have errors.
        Err(report) => {
            if let Some(data) = given {
                return place(data, None);
            }
            output::print_report(&report);
            let (needed, flag) = match settings.data {
                Some(_) => ("the permissions of the key are compared with the definition", "use --force"),
                None => ("app.json may set the folder of the keys", "name the folder with --data DIR"),
            };
            output::print_to_stderr(&format!("{needed}; fix the errors, or {flag}\n"));
            Err(Exit::ErrorsReported)
        }
    }
}

/// Returns an error message if no request can require the permission.
fn unknown_permission_message(api: &Api, permission: &str) -> Option<String> {
    let methods = api.services().flat_map(|service| &service.methods);
    let known = || methods.clone().flat_map(|method| method.scope.groups.iter().flatten().map(move |it| (method, it)));
    let mut impossible_value = None;
    for (method, known) in known() {
        match match_permission(method, known, permission) {
            PermissionMatch::Possible => return None,
            PermissionMatch::Different => {}
            PermissionMatch::ImpossibleValue { parameter, value, normalized } => {
                impossible_value.get_or_insert((known, parameter, value, normalized));
            }
        }
    }
    // Values in brackets are not compared.
    let names: Vec<_> = known().map(|(_, known)| (without_values(&known.text), &*known.text)).collect();
    let similar = closest_word(&without_values(permission), names.iter().map(|(name, _)| name.as_str()));
    let similar = similar.and_then(|similar| names.iter().find(|(name, _)| name == similar));
    let help = match (impossible_value, similar) {
        (Some((known, parameter, value, normalized)), _) => {
            let expected = match normalized {
                Some(normalized) => format!("`{normalized}`"),
                None => parameter.r#type.check.expected().into_owned(),
            };
            format!("for `{}` in `{}`, expected {expected} instead of `{value}`", parameter.name, known.text)
        }
        (None, Some((_, similar))) => format!("did you mean `{similar}`?"),
        (None, None) => "`rulebook routes` lists the permissions".to_owned(),
    };
    Some(format!(
        "no method requires the permission `{permission}`; {help}\nWith --force, the key is created all the same."
    ))
}

/// Removes the texts in brackets from a permission.
fn without_values(permission: &str) -> String {
    permission.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest)).collect()
}

/// Parses the value of `--expires`: a time in the future, given as a date, as a time, or as a duration from now.
fn parse_expiry(text: &str) -> Result<Timestamp, &'static str> {
    let now = Timestamp::now();
    let at = text.parse::<Timestamp>().ok();
    let at = at.or_else(|| {
        // The date parser of `jiff` ignores text that follows a date, so that the parsed date is compared with `text`.
        let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text)?;
        date.to_zoned(TimeZone::UTC).ok().map(|midnight| midnight.timestamp())
    });
    let at = at.or_else(|| end_of_duration(text, now));
    let at = at.ok_or("expected a date (2030-01-31), a time (2030-01-31T12:00:00Z) or a duration (90d, 12h)")?;
    if at > now { Ok(at) } else { Err("the time is in the past") }
}

pub(crate) fn parse_duration(text: &str) -> Result<SignedDuration, &'static str> {
    let now = Timestamp::now();
    let end = end_of_duration(text, now).ok_or("expected a duration: 30m, 24h, 7d")?;
    if end >= now { Ok(end.duration_since(now)) } else { Err("the duration is negative") }
}

/// Returns the time at which a duration such as `90d` ends if it begins at `now`. Months and days are those of the
/// calendar in UTC. Returns `None` if `text` is not a duration.
fn end_of_duration(text: &str, now: Timestamp) -> Option<Timestamp> {
    let span: Span = text.parse().ok()?;
    now.to_zoned(TimeZone::UTC).checked_add(span).ok().map(|then| then.timestamp())
}
