//! What keys have been used for, in a file of its own beside the key file: that one is changed by people, this one by
//! the server alone, now and then and when it stops.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::KeyError;
use super::file::replace;

/// What a key has been used for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// When a request came with it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Timestamp>,
    /// What has been spent of its limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<Spent>,
}

/// What has been spent of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spent {
    /// The beginning of the limit's time.
    pub since: Timestamp,
    /// Requests that have been made in it.
    pub requests: u32,
}

/// By the ids of keys.
pub(super) type Usages = BTreeMap<Box<str>, Usage>;

/// What is in the file beside this key file; nothing where there is none.
pub(super) fn read(keys: &Path) -> Result<Usages, KeyError> {
    let file = file(keys);
    match fs::read(&file) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| KeyError::Usage {
            file,
            line: error.line(),
            column: error.column(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Usages::new()),
        Err(error) => Err(KeyError::Io(file, error)),
    }
}

/// Replaces the file beside this key file.
pub(super) fn write(keys: &Path, usages: &Usages) -> Result<(), KeyError> {
    let file = file(keys);
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    replace(&file, folder, usages).map_err(|error| KeyError::Io(file.clone(), error))
}

fn file(keys: &Path) -> PathBuf {
    keys.with_file_name("keys.used.json")
}
