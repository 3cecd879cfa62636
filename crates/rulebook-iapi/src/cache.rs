//! The handler [`cache`], which writes values of a database column to stored files. Such files are called caches.

use std::collections::BTreeSet;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use rulebook::store::{Precondition, Publication, Store, StoreError};
use rulebook::{ApiError, Args, Context};
use rulebook_model::filename::FileName;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::file::{require_file_access, run_blocking, store_error};
use crate::source::{Column, Database, LimitedStore, SourceError};

/// Maximum number of calls of [`cache`] that run at the same time. Each call uses a database connection and a thread.
const MAX_CONCURRENT_CALLS: usize = 4;

/// Maximum time for which a call waits until fewer than [`MAX_CONCURRENT_CALLS`] other calls are running.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(10);

/// The default of [`Caches::max_bytes`]: 1 GiB.
const DEFAULT_MAX_BYTES: u64 = 1 << 30;

/// The database whose values the handler [`cache`] writes to files. The program adds it as
/// [state](rulebook::Rulebook::state).
///
/// ```
/// use rulebook::Rulebook;
///
/// let file = std::path::PathBuf::from("data/shop.db");
/// let caches = rulebook_iapi::Caches::new(move || {
///     let database = rulebook_iapi::Database::Sqlite(file.clone());
///     async { Ok(database) }
/// });
/// let rulebook = Rulebook::load("api")
///     .keep_files()
///     .state(caches)
///     .module(rulebook_iapi::module().post("/iapi/cache", rulebook_iapi::cache));
/// ```
pub struct Caches {
    database: Box<dyn Fn() -> DatabaseFuture + Send + Sync>,
    call_permits: Semaphore,
    max_bytes: u64,
}

type DatabaseFuture = Pin<Box<dyn Future<Output = Result<Database, String>> + Send>>;

impl Caches {
    /// Creates the state for [`cache`]. The function `database` returns the location of the database. It is called
    /// before each use, so that the program can create or migrate the database first. If it returns an error, the text
    /// is logged and not sent to clients.
    pub fn new<F, D>(database: F) -> Self
    where
        F: Fn() -> D + Send + Sync + 'static,
        D: Future<Output = Result<Database, String>> + Send + 'static,
    {
        Self {
            database: Box::new(move || Box::pin(database())),
            call_permits: Semaphore::new(MAX_CONCURRENT_CALLS),
            max_bytes: DEFAULT_MAX_BYTES,
        }
    }

    /// Sets the maximum number of bytes of all files that one call writes together. The default is 1 GiB.
    #[must_use]
    pub fn max_bytes(self, max_bytes: u64) -> Self {
        Self { max_bytes, ..self }
    }
}

impl fmt::Debug for Caches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caches").field("max_bytes", &self.max_bytes).finish_non_exhaustive()
    }
}

/// The parameters of [`cache`].
#[derive(Deserialize)]
pub struct CacheParameters {
    #[serde(rename = "fromDB")]
    column: String,
    #[serde(rename = "storePath")]
    folder: String,
    keys: Vec<String>,
    filenames: Vec<String>,
}

/// Writes values of a database column to stored files. For each key of a row, the value in that row is written to a
/// file. Either all files are written or, if an error occurs, no file. Returns the absolute paths of the files, in the
/// order of the keys. Existing files are replaced.
///
/// The parameters are `fromDB`, an `enum` of the columns that may be read, each as `table.column` or
/// `schema.table.column`; `storePath`, of the type `filename`; `keys`, an `array<string>` of values of the table's
/// primary key; and `filenames`, an `array<filename>` with a file name below `storePath` for each key. Text is written
/// in UTF-8, numbers are written as text. The program must call
/// [`Rulebook::keep_files`](rulebook::Rulebook::keep_files) and add [`Caches`] as state.
///
/// # Errors
/// Returns the declared errors `count_mismatch`, `duplicate_filename`, `not_allowed` if the caller's API key does not
/// allow a file name, `no_value` if a key has no row or its value is null (the member `keys` lists all such keys),
/// `not_cacheable` if the database has no such column, or the table's primary key is not a single column,
/// `no_database`, `cache_too_large`, `name_taken` and `no_room`.
pub async fn cache(Args(parameters): Args<CacheParameters>, context: Context) -> Result<Vec<String>, ApiError> {
    let CacheParameters { column, folder, keys, filenames } = parameters;
    if keys.len() != filenames.len() {
        return Err(ApiError::declared("count_mismatch"));
    }
    let names = file_names(&context, &folder, &filenames)?;
    let column = Column::parse(&column)
        .ok_or_else(|| ApiError::internal(format_args!("{column:?} is not a column: expected `table.column`")))?;
    let caches =
        context.state::<Caches>().ok_or_else(|| ApiError::internal("the program has no state of the type Caches"))?;
    let store = context.store()?;
    let _permit = match timeout(PERMIT_TIMEOUT, caches.call_permits.acquire()).await {
        Ok(Ok(permit)) => permit,
        _ => {
            return Err(ApiError::unavailable(format_args!(
                "other calls were still writing caches after {} seconds",
                PERMIT_TIMEOUT.as_secs()
            )));
        }
    };
    let database = (caches.database)().await.map_err(|why| ApiError::declared("no_database").with_log(why))?;
    let mut limited = LimitedStore::new(store.clone(), caches.max_bytes);
    let written = run_blocking(move || {
        let staged = database.copy_values(&column, &keys, &mut limited)?;
        let paths = names.iter().map(|name| location_of(&store, name)).collect();
        let publications = names.into_iter().zip(staged);
        let publications =
            publications.map(|(name, staged)| Publication { staged, name, precondition: Precondition::default() });
        store.publish_all(publications.collect()).map_err(SourceError::Store)?;
        Ok(paths)
    });
    written.await?.map_err(to_declared_error)
}

/// Returns where a file is stored: the absolute path of the file, or its name below the URL of another storage.
fn location_of(store: &Store, name: &FileName) -> String {
    match store.path() {
        Some(folder) => folder.join(name.as_str()).to_string_lossy().into_owned(),
        None => format!("{}/{name}", store.location()),
    }
}

/// Returns the names of the files below the folder. Checks that they are distinct, and that the caller may access them.
fn file_names(context: &Context, folder: &str, filenames: &[String]) -> Result<Vec<FileName>, ApiError> {
    let below = |filename: &String| {
        let text = format!("{folder}/{filename}");
        // The folder and the file name are valid separately, but the joined name may be too long.
        FileName::parse(&text)
            .map_err(|error| ApiError::declared("not_allowed").with_member("filename", text).with_log(error))
    };
    let names = filenames.iter().map(below).collect::<Result<Vec<_>, _>>()?;
    let mut seen = BTreeSet::new();
    if let Some(duplicate) = names.iter().find(|name| !seen.insert(*name)) {
        return Err(store_error(StoreError::DuplicateName(duplicate.clone())));
    }
    names.into_iter().map(|name| require_file_access(context, name)).collect()
}

/// Converts an error to the error that the definition of the method declares for it.
fn to_declared_error(error: SourceError) -> ApiError {
    let message = error.to_string();
    match error {
        SourceError::NoTable(_)
        | SourceError::NoColumn { .. }
        | SourceError::NoPrimaryKey(_)
        | SourceError::CompositePrimaryKey { .. } => {
            ApiError::declared("not_cacheable").with_message(&message).with_log(message)
        }
        SourceError::NoValue(keys) => ApiError::declared("no_value").with_message(message).with_member("keys", keys),
        SourceError::TooLarge(limit) | SourceError::ValueTooLarge(limit) => {
            ApiError::declared("cache_too_large").with_message(message).with_member("most", limit)
        }
        SourceError::Unavailable(_) => ApiError::declared("no_database").with_log(message),
        SourceError::Store(error) => store_error(error),
    }
}
