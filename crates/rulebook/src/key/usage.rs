//! The usage of keys. It is stored in a separate file beside the key file: administrators change the key file, and only
//! the server changes this one.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::KeyError;
use super::file::replace;

/// The usage of a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Usage {
    /// The time of the last request with the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Timestamp>,
    /// The requests that count against the limit of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<UsedRequests>,
}

/// The number of requests in one period of a rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UsedRequests {
    /// The begin of the period.
    pub since: Timestamp,
    /// The number of requests in the period.
    pub requests: u32,
}

/// The usage of keys, by their ids.
pub(super) type Usages = BTreeMap<Box<str>, Usage>;

/// Reads the usage file beside a key file. A file that does not exist contains no usage.
pub(super) fn read(keys: &Path) -> Result<Usages, KeyError> {
    let file = file(keys);
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

/// Replaces the usage file beside a key file.
pub(super) fn write(keys: &Path, usages: &Usages) -> Result<(), KeyError> {
    let file = file(keys);
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    replace(&file, folder, usages).map_err(|error| KeyError::Io(file.clone(), error))
}

fn file(keys: &Path) -> PathBuf {
    keys.with_file_name("keys.used.json")
}
