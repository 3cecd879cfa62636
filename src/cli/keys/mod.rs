//! `rulebook keys`: bearer keys.
//!
//! A key goes to standard output, alone; words about it go to standard error, and only where somebody reads them.

mod list;
mod when;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::{Exit, Settings, output};
use crate::engine::Rulebook;
use crate::filename::{PatternError, Patterns};
use crate::key::{self, Entry, KeyError, Limit, Per, Wish};
use when::{Grace, When};

/// For the help of `add`.
const EXAMPLES: &str = "\
Examples:
  (umask 077; rulebook keys add --name backend --scope iapi > backend.key)
  rulebook keys add --name photos --scope iapi.read,iapi.write --files 'public/images/**'
  rulebook keys add --name partner --scope reader --requests 1000 --per hour --expires 90d";

/// What the help of each of the commands ends with.
const AFTER_HELP: &str = "\
Keys are kept in the file keys.json of the folder --data, by their hashes under a secret of the server's: the \
environment variable RULEBOOK_PEPPER (at least 32 characters), else the file `pepper` beside it, which is made with \
the first key. A server at work sees within a second what is changed here.

Exit codes: 0 done; 1 the definition is faulty, or there is no such key; 2 wrong usage; 3 the file cannot be used.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Makes a key and prints it: this once, it is kept nowhere.
    #[command(after_help = format!("{EXAMPLES}\n\n{AFTER_HELP}"))]
    Add(Add),
    /// Lists the keys: ids, names, what they give, until when. No key can be shown again.
    #[command(after_help = AFTER_HELP)]
    List {
        /// As a JSON array, all that is kept but hashes.
        #[arg(long)]
        json: bool,
    },
    /// Has a key refused from now on.
    #[command(after_help = AFTER_HELP)]
    Revoke {
        /// The key's id: what stands between its two `_`.
        id: String,
    },
    /// Makes a key that gives what another one gives, and prints it; the other is refused after a while.
    #[command(after_help = AFTER_HELP)]
    Rotate {
        /// The id of the key that is replaced.
        id: String,
        /// How long the replaced key is still taken: `30m`, `24h`, `7d`, `0s`.
        #[arg(long, value_name = "TIME", default_value = "24h")]
        grace: Grace,
    },
}

/// What a new key is to be.
#[derive(Debug, Args)]
pub(super) struct Add {
    /// Whose it is, for logs and handlers.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// The permissions that it gives, separated by commas: of those that `rulebook routes` lists.
    #[arg(long, value_name = "SCOPE", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    scope: Vec<String>,
    /// The stored files that it may read and write, such as `reports/*.pdf` or `public/**`; may be repeated. Without
    /// it, all that the definition lets its methods name.
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    files: Vec<String>,
    /// How many requests it is good for; without it, as many as come.
    #[arg(long, value_name = "N", requires = "per", value_parser = clap::value_parser!(u32).range(1..))]
    requests: Option<u32>,
    /// In how long; each minute, hour and day begins with the clock's in UTC.
    #[arg(long, value_name = "TIME", requires = "requests")]
    per: Option<PerFlag>,
    /// From when on it is refused: a date (`2030-01-31`, its beginning in UTC), a time (`2030-01-31T12:00:00Z`), or
    /// how long from now (`90d`, `12h`); without it, never.
    #[arg(long, value_name = "WHEN")]
    expires: Option<When>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PerFlag {
    Minute,
    Hour,
    Day,
    /// All its life.
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

pub(super) fn run(app: impl FnOnce(Rulebook) -> Rulebook, settings: &Settings, command: Command) -> Exit {
    let file = match folder(app, settings) {
        Ok(folder) => folder.join(key::FILE),
        Err(exit) => return exit,
    };
    let done = match command {
        Command::Add(wish) => add(&file, wish),
        Command::List { json } => key::list(&file).map(|keys| output::print(&list::text(&keys, json))),
        Command::Revoke { id } => key::revoke(&file, &id).map(|Entry { name, .. }| {
            say(&format!("the key {id} of {name:?} is refused from now on\n"));
            Exit::Done
        }),
        Command::Rotate { id, grace: Grace(grace) } => {
            let end = Timestamp::now().checked_add(grace).unwrap_or(Timestamp::MAX);
            key::rotate(&file, &id, end).map(|key| {
                say(&format!("the key {id} is refused from {} on; in its place, shown this once:\n", list::time(end)));
                output::print(&format!("{key}\n"))
            })
        }
    };
    done.unwrap_or_else(|error| {
        output::complain(&format!("error: {error}\n"));
        match error {
            KeyError::NoId | KeyError::Unknown { .. } | KeyError::Replaced { .. } | KeyError::Expired { .. } => {
                Exit::Refused
            }
            _ => Exit::Failed,
        }
    })
}

/// One pattern of `--files`.
fn pattern(text: &str) -> Result<String, PatternError> {
    Patterns::new([text]).map(|_| text.to_owned())
}

fn add(file: &Path, wish: Add) -> Result<Exit, KeyError> {
    let Add { name, scope, files, requests, per, expires } = wish;
    let limit = requests.zip(per).map(|(requests, per)| Limit { requests, per: per.into() });
    let expires = expires.map(|When(expires)| expires);
    let key = key::add(file, Wish { name, scope, files, limit, expires })?;
    say("shown this once, and kept nowhere:\n");
    Ok(output::print(&format!("{key}\n")))
}

/// The folder that the server will look into: the definition may say which.
fn folder(app: impl FnOnce(Rulebook) -> Rulebook, settings: &Settings) -> Result<PathBuf, Exit> {
    if let Some(data) = &settings.data {
        return Ok(data.clone());
    }
    let rulebook = settings.rulebook(app);
    let folder = rulebook.data_folder();
    match rulebook.check() {
        Ok(_) => Ok(folder.path().to_owned()),
        Err(report) => {
            output::report(&report);
            output::complain("app.json may say where keys are kept; name the folder with --data DIR\n");
            Err(Exit::Refused)
        }
    }
}

/// Says something to somebody at a terminal.
fn say(words: &str) {
    if io::stderr().is_terminal() {
        output::complain(words);
    }
}
