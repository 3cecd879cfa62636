//! The storage of idempotency keys: a file in the data folder, or a database that several servers share.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rulebook::idempotency::IdempotencyStorage;
use rulebook_model::model::Api;
use rulebook_model::span::Span;

use super::Settings;

/// The time for which the start of a server waits for the database.
const START_WAIT: Duration = Duration::from_secs(30);
/// The file in the data folder.
const FILE_URL: &str = "sqlite:idempotency.db";

/// Opens the storage in the database of the flag or the environment variable, otherwise in that of the definition,
/// otherwise in the file.
///
/// # Errors
/// Fails if an environment variable in the address is not set, or the database cannot be used. The error is a message
/// without secrets.
pub(super) fn open(settings: &Settings, api: &Api, data: &Path) -> Result<Arc<dyn IdempotencyStorage>, String> {
    let url = match (flag(settings), api.idempotency_storage.as_deref()) {
        (Some(url), _) => url.to_owned(),
        (None, Some(url)) => rulebook::handler_kind::expand_variables(url, Span::default())
            .map_err(|error| format!("idempotency_storage: {}", error.message))?,
        (None, None) => FILE_URL.to_owned(),
    };
    open_database(&url, data, START_WAIT)
}

/// Returns `true` if the settings name a database of a server, and not a file.
pub(super) fn is_shared(settings: &Settings, api: &Api) -> bool {
    flag(settings).or(api.idempotency_storage.as_deref()).is_some_and(|url| !url.trim().starts_with("sqlite:"))
}

fn flag(settings: &Settings) -> Option<&str> {
    settings.idempotency_storage.as_deref().filter(|url| !url.trim().is_empty())
}

#[cfg(feature = "sql")]
fn open_database(url: &str, data: &Path, wait: Duration) -> Result<Arc<dyn IdempotencyStorage>, String> {
    let storage = rulebook_sql::SqlIdempotency::open(url, data, wait);
    let storage = storage.map(|storage| Arc::new(storage) as Arc<dyn IdempotencyStorage>);
    storage.map_err(|error| format!("--idempotency-storage: {error}"))
}

/// Fails, because the program was built without databases.
#[cfg(not(feature = "sql"))]
fn open_database(_url: &str, _data: &Path, _wait: Duration) -> Result<Arc<dyn IdempotencyStorage>, String> {
    Err("--idempotency-storage: this program was built without the Cargo feature `sql`".to_owned())
}
