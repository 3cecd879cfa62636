//! The storage of the keys: the file in the data folder, or a database that several servers share.
//!
//! A server notes in its data folder where its keys are, so that a command with other settings does not change others.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "sql")]
use rulebook::key::KeyError;
use rulebook::key::{self, KeyFile, KeyStorage, Keys};
use rulebook_model::model::Api;

use super::Settings;
use super::output::Failure;

const START_WAIT: Duration = Duration::from_secs(30);
pub(super) const COMMAND_WAIT: Duration = Duration::from_secs(3);

/// The file in the data folder that contains the note: `keys.json`, or the address of a database without the user and
/// the password.
const NOTE_FILE: &str = "keys.storage";

/// Returns the address of the database with the keys: that of the flag or the environment variable, otherwise that of
/// the definition. Returns `None` if the keys are in the file.
pub(super) fn database_url(settings: &Settings, api: Option<&Api>) -> Result<Option<String>, Failure> {
    if let Some(url) = settings.key_storage.as_ref().filter(|url| !url.trim().is_empty()) {
        return Ok(Some(url.clone()));
    }
    let Some(url) = api.and_then(|api| api.key_storage.as_ref()) else { return Ok(None) };
    let expanded = rulebook::handler_kind::expand_variables(&url.value, url.span);
    expanded.map(Some).map_err(|error| Failure::Usage(format!("key_storage: {}", error.message)))
}

/// Reads the keys, and returns `true` with them if they are in a database. Returns `None` if the definition does not
/// list `keys` in the setting `auth`.
pub(super) fn load_keys(settings: &Settings, api: &Api, data: &Path) -> Result<Option<(Keys, bool)>, Failure> {
    if !api.accepts_keys() {
        return Ok(None);
    }
    let Some(url) = database_url(settings, Some(api))? else {
        let failure = |error| Failure::System(format!("--data {}: {error}", data.display()));
        let keys = Keys::open(file(data), api.workers).map_err(failure)?;
        note_location(data, None);
        return Ok(Some((keys, false)));
    };
    let keys = Keys::open(database(&url, data, START_WAIT)?, api.workers);
    let keys = keys.map_err(|error| Failure::System(format!("--key-storage: {error}")))?;
    note_location(data, Some(&keys.location()));
    Ok(Some((keys, true)))
}

pub(super) fn file(data: &Path) -> Arc<dyn KeyStorage> {
    Arc::new(KeyFile::new(data.join(key::FILE)))
}

/// Opens the storage in a database. If the database cannot be reached, tries again for the time `wait`.
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

/// Notes that the server with this data folder uses the keys in a database at this location, or those in the file.
fn note_location(data: &Path, database: Option<&str>) {
    let location = database.unwrap_or(key::FILE);
    if noted(data).is_some_and(|noted| noted == location) {
        return;
    }
    // A folder that cannot be written has been reported already.
    let _ = write_note(data, location);
}

fn write_note(data: &Path, location: &str) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(data)?;
    writeln!(file, "{location}")?;
    file.persist(data.join(NOTE_FILE))?;
    Ok(())
}

fn noted(data: &Path) -> Option<String> {
    let text = fs::read_to_string(data.join(NOTE_FILE)).ok()?;
    Some(text.trim_end().to_owned()).filter(|location| !location.is_empty())
}

/// Compares the place of the keys that a command would use with that of the server with this data folder.
pub(super) fn check_place(data: &Path, is_database: bool) -> Result<(), String> {
    let Some(noted) = noted(data).filter(|noted| (noted == key::FILE) == is_database) else { return Ok(()) };
    let file = data.join(key::FILE);
    let (used, other, help) = if is_database {
        let help = "unset RULEBOOK_KEY_STORAGE and omit --key-storage";
        (file.display().to_string(), "the database of --key-storage".to_owned(), help)
    } else {
        let help = "set RULEBOOK_KEY_STORAGE, and RULEBOOK_PEPPER if it has one, as for the server";
        (noted, file.display().to_string(), help)
    };
    Err(format!(
        "the server with the data folder {} has its keys in {used}, but this command would use {other}\n{help}; if the \
         server shall use other keys from now on, start it with its new settings first",
        data.display()
    ))
}

/// Returns a warning if the server with this data folder uses a database with another address, which may be the same
/// database.
pub(super) fn compare_database(data: &Path, location: &str) -> Option<String> {
    let noted = noted(data).filter(|noted| noted != location)?;
    Some(format!("the server with the data folder {} has its keys in {noted}, not in {location}", data.display()))
}
