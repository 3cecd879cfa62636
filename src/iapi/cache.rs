//! Caches: values of a database's column as files.

use std::collections::BTreeSet;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::refused::{self, away};
use super::source::{Column, Database, Room, SourceError};
use crate::call::Refusal;
use crate::filename::Name;
use crate::handler::{Args, Context};
use crate::store::{Precondition, Publication, StoreError};

/// How many calls make caches at once: each has a connection to the database, and a thread.
const AT_ONCE: usize = 4;

/// How long a call waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most bytes that one call writes, where nothing else is said.
const MOST: u64 = 1 << 30;

/// From which database [`cache`] makes caches. The program gives it to its handlers as
/// [state](crate::Rulebook::state).
///
/// ```
/// use rulebook::{Rulebook, iapi};
///
/// let file = std::path::PathBuf::from("data/shop.db");
/// let caches = iapi::Caches::new(move || {
///     let database = iapi::Database::Sqlite(file.clone());
///     async { Ok(database) }
/// });
/// let rulebook = Rulebook::load("api")
///     .keep_files()
///     .state(caches)
///     .module(iapi::module().post("/iapi/cache", iapi::cache));
/// ```
pub struct Caches {
    find: Box<dyn Fn() -> Finding + Send + Sync>,
    turns: Semaphore,
    most: u64,
}

type Finding = Pin<Box<dyn Future<Output = Result<Database, String>> + Send>>;

impl Caches {
    /// Caches of the database that this finds, which is asked before each call: there it is opened, made or moved as the
    /// program likes. What it says of its failures is for the log.
    pub fn new<F, D>(find: F) -> Self
    where
        F: Fn() -> D + Send + Sync + 'static,
        D: Future<Output = Result<Database, String>> + Send + 'static,
    {
        Self { find: Box::new(move || Box::pin(find())), turns: Semaphore::new(AT_ONCE), most: MOST }
    }

    /// The same, where the caches of one call have at most so many bytes together. Without this it is a gibibyte.
    #[must_use]
    pub fn at_most(self, bytes: u64) -> Self {
        Self { most: bytes, ..self }
    }
}

impl fmt::Debug for Caches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caches").field("most", &self.most).finish_non_exhaustive()
    }
}

/// What [`cache`] takes.
#[derive(Deserialize)]
pub struct Wanted {
    #[serde(rename = "fromDB")]
    column: String,
    #[serde(rename = "storePath")]
    folder: String,
    keys: Vec<String>,
    filenames: Vec<String>,
}

/// Writes the value that a column has at each key into a file, all or none, and returns where the files are: absolute
/// paths in the order of the keys. Files that have the names are replaced.
///
/// Its parameters are `fromDB`, an `enum` of the columns that may be read, each as `table.column` or
/// `schema.table.column`; `storePath`, of the type `filename`; `keys`, an `array<string>` of values of the table's
/// primary key; and `filenames`, an `array<filename>` of as many names below `storePath`. Texts are written in UTF-8,
/// numbers as text. The program has to [keep files](crate::Rulebook::keep_files), and to say by [`Caches`] where the
/// database is.
///
/// # Errors
/// Declared: `count_mismatch`, `duplicate_filename`, `not_allowed` where a name is none of those of the caller's key,
/// `no_value` where a key has no row, or null (its member `keys` names all of those), `not_cacheable` where the database
/// has no such column or no primary key of one column, `no_database`, `cache_too_large`, `name_taken`, `no_room`.
pub async fn cache(Args(wanted): Args<Wanted>, context: Context) -> Result<Vec<String>, Refusal> {
    let Wanted { column, folder, keys, filenames } = wanted;
    if keys.len() != filenames.len() {
        return Err(Refusal::declared("count_mismatch"));
    }
    let names = names(&context, &folder, &filenames)?;
    let column = Column::parse(&column)
        .ok_or_else(|| Refusal::internal(format_args!("{column:?} is no column: write `table.column`")))?;
    let caches = context.state::<Caches>().ok_or_else(|| Refusal::internal("the program makes no caches"))?;
    let store = context.store()?;
    let _turn = match timeout(PATIENCE, caches.turns.acquire()).await {
        Ok(Ok(turn)) => turn,
        _ => {
            return Err(Refusal::unavailable(format_args!("no turn to make caches in {} seconds", PATIENCE.as_secs())));
        }
    };
    let database = (caches.find)().await.map_err(|why| Refusal::declared("no_database").logging(why))?;
    let mut room = Room::new(store.clone(), caches.most);
    let written = away(move || {
        let staged = database.copy(&column, &keys, &mut room)?;
        let paths = names.iter().map(|name| store.path().join(name.as_str()).to_string_lossy().into_owned()).collect();
        let publications = names.into_iter().zip(staged);
        let publications =
            publications.map(|(name, staged)| Publication { staged, name, precondition: Precondition::default() });
        store.publish_all(publications.collect()).map_err(SourceError::Store)?;
        Ok(paths)
    });
    written.await?.map_err(refusal)
}

/// The names of the files: below the folder, different from each other, and allowed.
fn names(context: &Context, folder: &str, filenames: &[String]) -> Result<Vec<Name>, Refusal> {
    let below = |filename: &String| {
        let text = format!("{folder}/{filename}");
        // Each half is a name; both together may be too long.
        Name::parse(&text).map_err(|error| Refusal::declared("not_allowed").with("filename", text).logging(error))
    };
    let names = filenames.iter().map(below).collect::<Result<Vec<_>, _>>()?;
    let mut seen = BTreeSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(*name)) {
        return Err(refused::refusal(StoreError::Twice(twice.clone())));
    }
    names.into_iter().map(|name| refused::unless_allowed(context, name)).collect()
}

/// Why no caches are made.
fn refusal(error: SourceError) -> Refusal {
    let words = error.to_string();
    match error {
        SourceError::NoTable(_)
        | SourceError::NoColumn { .. }
        | SourceError::NoKey(_)
        | SourceError::SeveralKeys { .. } => Refusal::declared("not_cacheable").saying(&words).logging(words),
        SourceError::NoValue(keys) => Refusal::declared("no_value").saying(words).with("keys", keys),
        SourceError::TooLong(most) | SourceError::TooLongAtOnce(most) => {
            Refusal::declared("cache_too_large").saying(words).with("most", most)
        }
        SourceError::Gone(_) => Refusal::declared("no_database").logging(words),
        SourceError::Runtime(_) => Refusal::internal(words),
        SourceError::Store(error) => refused::refusal(error),
    }
}
