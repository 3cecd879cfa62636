//! The storage of the keys: the file in the data folder, or a database that several servers share.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "sql")]
use rulebook::key::KeyError;
use rulebook::key::{self, KeyFile, KeyStorage, Keys};
use rulebook_model::model::Api;

use super::output::Failure;
use super::{Settings, used_keys};

/// The time for which the start of a server waits for the database.
const START_WAIT: Duration = Duration::from_secs(30);
/// The time for which a command waits for the database.
pub(super) const COMMAND_WAIT: Duration = Duration::from_secs(3);

/// Returns the address of the database with the keys: that of the flag or the environment variable, otherwise that of
/// the definition. Returns `None` if the keys are in the file.
///
/// # Errors
/// Fails if an environment variable in the address of the definition is not set.
pub(super) fn database_url(settings: &Settings, api: Option<&Api>) -> Result<Option<String>, Failure> {
    if let Some(url) = settings.key_storage.as_ref().filter(|url| !url.trim().is_empty()) {
        return Ok(Some(url.clone()));
    }
    let Some(url) = api.and_then(|api| api.key_storage.as_ref()) else { return Ok(None) };
    let expanded = rulebook::handler_kind::expand_url_variables(&url.value, url.span);
    expanded.map(Some).map_err(|error| Failure::Usage(format!("key_storage: {}", error.message)))
}

/// Reads the keys, and returns `true` with them if they are in a database. Returns `None` if the definition does not
/// list `keys` in the setting `auth`.
///
/// # Errors
/// Fails if the keys cannot be read.
pub(super) fn load_keys(settings: &Settings, api: &Api, data: &Path) -> Result<Option<(Keys, bool)>, Failure> {
    if !api.accepts_keys() {
        return Ok(None);
    }
    let Some(url) = database_url(settings, Some(api))? else {
        let failure = |error| Failure::System(format!("--data {}: {error}", data.display()));
        let keys = Keys::open(file(data), api.workers).map_err(failure)?;
        used_keys::note(data, None);
        return Ok(Some((keys, false)));
    };
    let keys = Keys::open(database(&url, data, START_WAIT)?, api.workers);
    let keys = keys.map_err(|error| Failure::System(format!("--key-storage: {error}")))?;
    used_keys::note(data, Some(&keys.location()));
    Ok(Some((keys, true)))
}

/// Returns the storage in the file of the data folder.
pub(super) fn file(data: &Path) -> Arc<dyn KeyStorage> {
    Arc::new(KeyFile::new(data.join(key::FILE)))
}

/// Opens the storage in a database. If the database cannot be reached, tries again for the time `wait`.
///
/// # Errors
/// Fails if the address is not valid or the database cannot be used.
#[cfg(feature = "sql")]
pub(super) fn database(url: &str, data: &Path, wait: Duration) -> Result<Arc<dyn KeyStorage>, Failure> {
    let failure = |error| match error {
        KeyError::InvalidAddress(_) => Failure::Usage(format!("--key-storage: {error}")),
        _ => Failure::System(format!("--key-storage: {error}")),
    };
    Ok(Arc::new(rulebook_sql::SqlKeys::open(url, data, wait).map_err(failure)?))
}

/// Fails, because the program was built without databases.
#[cfg(not(feature = "sql"))]
pub(super) fn database(_url: &str, _data: &Path, _wait: Duration) -> Result<Arc<dyn KeyStorage>, Failure> {
    Err(Failure::Usage("--key-storage: this program was built without the Cargo feature `sql`".to_owned()))
}
