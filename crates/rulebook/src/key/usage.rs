//! The usage of keys: when each key was used last, and how much of its rate limit has been used. The storage of a key
//! file stores it in a file beside the key file. Administrators change the key file; only the server changes the usage
//! file.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::KeyError;
use super::key_file::replace_file;

/// How a key has been used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Usage {
    /// The time of the last request with the key; `None` if the key has not been used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Timestamp>,
    /// The requests that count against the rate limit of the key; `None` if no requests count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<UsedRequests>,
}

/// The number of requests with a key in one period of its rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UsedRequests {
    /// The time at which the period began.
    pub since: Timestamp,
    /// The number of requests in the period.
    pub requests: u32,
}

impl Usage {
    /// Creates the usage of a key.
    #[must_use]
    pub fn new(used: Option<Timestamp>, spent: Option<UsedRequests>) -> Self {
        Self { used, spent }
    }
}

impl UsedRequests {
    /// Creates a number of requests in a period.
    #[must_use]
    pub fn new(since: Timestamp, requests: u32) -> Self {
        Self { since, requests }
    }
}

/// The usage of keys. The map keys are the ids of the keys.
pub type Usages = BTreeMap<Box<str>, Usage>;

/// Reads the usage file beside the key file at `keys`. A file that does not exist counts as a file without usage.
pub(super) fn read_usages(keys: &Path) -> Result<Usages, KeyError> {
    let file = usage_path(keys);
    match fs::read(&file) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| KeyError::InvalidUsage {
            file,
            line: error.line(),
            column: error.column(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Usages::new()),
        Err(error) => Err(KeyError::Io(file, error)),
    }
}

/// Replaces the usage file beside the key file at `keys`.
pub(super) fn write_usages(keys: &Path, usages: &Usages) -> Result<(), KeyError> {
    let file = usage_path(keys);
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    replace_file(&file, folder, usages).map_err(|error| KeyError::Io(file.clone(), error))
}

/// Locks the usage file, so that only one of several servers with the same key file writes it. Returns `None` if
/// another server holds the lock.
///
/// # Errors
/// Fails if the lock file cannot be opened or locked.
pub(super) fn lock_usages(keys: &Path) -> io::Result<Option<File>> {
    let path = keys.with_file_name("keys.used.lock");
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn usage_path(keys: &Path) -> PathBuf {
    keys.with_file_name("keys.used.json")
}
