//! The storage of idempotency keys: a file in the data folder, or a database that several servers share.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "sql")]
use rulebook::idempotency::IdempotencyError;
use rulebook::idempotency::IdempotencyStorage;
use rulebook_model::model::Api;

use super::Settings;
use super::output::Failure;

/// The time for which the start of a server waits for the database.
const START_WAIT: Duration = Duration::from_secs(30);
/// The file in the data folder.
const FILE_URL: &str = "sqlite:idempotency.db";

/// A storage that was opened, and whether it is in a database of a server and not in a file.
pub(super) struct OpenedStorage {
    pub storage: Arc<dyn IdempotencyStorage>,
    pub is_shared: bool,
}

/// Opens the storage in the database of the flag or the environment variable, otherwise in that of the definition,
/// otherwise in the file.
pub(super) fn open(settings: &Settings, api: &Api, data: &Path) -> Result<OpenedStorage, Failure> {
    let flag = settings.idempotency_storage.as_deref().filter(|url| !url.trim().is_empty());
    let (url, origin) = match (flag, &api.idempotency_storage) {
        (Some(url), _) => (Ok(url.to_owned()), "--idempotency-storage".to_owned()),
        (None, Some(url)) => {
            let url = rulebook::handler_kind::expand_variables(&url.value, url.span);
            (url.map_err(|error| Failure::Usage(error.message)), "`idempotency_storage` in app.json".to_owned())
        }
        (None, None) => (Ok(FILE_URL.to_owned()), format!("--data {}", data.display())),
    };
    let opened = url.and_then(|url| {
        let storage = open_database(&url, data, START_WAIT)?;
        Ok(OpenedStorage { storage, is_shared: !url.trim().starts_with("sqlite:") })
    });
    opened.map_err(|failure| failure.at(&origin))
}

#[cfg(feature = "sql")]
fn open_database(url: &str, data: &Path, wait: Duration) -> Result<Arc<dyn IdempotencyStorage>, Failure> {
    let failure = |error: IdempotencyError| match error.is_invalid_address() {
        true => Failure::Usage(error.to_string()),
        false => Failure::System(error.to_string()),
    };
    Ok(Arc::new(rulebook_sql::SqlIdempotency::open(url, data, wait).map_err(failure)?))
}

/// Fails, because the program was built without databases.
#[cfg(not(feature = "sql"))]
fn open_database(_url: &str, _data: &Path, _wait: Duration) -> Result<Arc<dyn IdempotencyStorage>, Failure> {
    let why = "a method has the option `idempotent`, whose responses are stored in a database, but this program was \
               built without the Cargo feature `sql`; build it with this feature, or set a storage with \
               `Rulebook::idempotency_storage`";
    Err(Failure::Usage(why.to_owned()))
}
