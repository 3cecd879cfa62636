//! Reads and changes the key file. A change is made under a lock, and replaces the whole file.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use jiff::Timestamp;
use rulebook_model::filename::FilePatterns;
use serde::{Deserialize, Serialize};

use super::error::KeyEntryError;
use super::{KeyError, token};
use crate::file_stamp::FileStamp;

/// The content of a key file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyFileContent {
    /// The fingerprint of the pepper with which the hashes of the keys were computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pepper: Option<String>,
    /// The entries of the keys, in the order of their creation.
    pub(super) keys: Vec<Entry>,
}

/// The entry of one key in the key file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Entry {
    /// The id of the key: 8 hexadecimal digits.
    pub id: String,
    /// The HMAC-SHA-256 of the key's secret with the server's pepper, in hexadecimal.
    pub hash: String,
    /// The name of the person or program that uses the key.
    pub name: String,
    /// The permissions that requests with the key have.
    #[serde(default)]
    pub scope: Vec<String>,
    /// The patterns of the stored files that the key may access; empty if it does not restrict files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// The compiled `files`; `None` if the entry has no patterns.
    #[serde(skip)]
    pub(super) patterns: Option<FilePatterns>,
    /// The rate limit of the key; `None` if the key has no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// The time at which the key was created.
    pub created: Timestamp,
    /// The time at which the key expires; `None` if it does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// The id of the key that has replaced this key; `None` if this key has not been replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
}

/// The rate limit of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The maximum number of requests in one period, at least 1.
    pub requests: u32,
    /// The length of the period.
    pub per: Per,
}

/// The period of a rate limit. A period begins with a minute, an hour or a day of the clock in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// One minute.
    Minute,
    /// One hour.
    Hour,
    /// One day.
    Day,
    /// The time until the key is revoked or expires.
    Ever,
}

impl Per {
    /// Returns the length of the period in seconds; 0 for [`Per::Ever`].
    #[must_use]
    pub fn seconds(self) -> u32 {
        match self {
            Self::Minute => 60,
            Self::Hour => 60 * 60,
            Self::Day => 24 * 60 * 60,
            Self::Ever => 0,
        }
    }
}

/// Reads a key file and its metadata. A file that does not exist counts as a file without keys.
pub(super) fn read_key_file(path: &Path) -> Result<(KeyFileContent, Option<FileStamp>), KeyError> {
    let read = || -> io::Result<_> {
        let mut file = fs::File::open(path)?;
        let stamp = FileStamp::from(&file.metadata()?);
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        Ok((text, stamp))
    };
    match read() {
        Ok((text, stamp)) => Ok((parse_key_file(path, &text)?, Some(stamp))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((KeyFileContent::default(), None)),
        Err(error) => Err(KeyError::Io(path.to_owned(), error)),
    }
}

fn parse_key_file(path: &Path, text: &[u8]) -> Result<KeyFileContent, KeyError> {
    let mut file: KeyFileContent = serde_json::from_slice(text).map_err(|error| match names_in_old_format(text) {
        Some(names) => KeyError::OldFormat { file: path.to_owned(), names },
        // The message of serde_json is not shown, because it may quote a secret from the file.
        None => KeyError::InvalidFile { file: path.to_owned(), line: error.line(), column: error.column() },
    })?;
    let invalid = |index: usize, error| KeyError::InvalidEntry { file: path.to_owned(), number: index + 1, error };
    for (index, entry) in file.keys.iter().enumerate() {
        let is_duplicate = || file.keys[..index].iter().any(|other| other.id == entry.id);
        let error = match entry {
            _ if !token::is_id(&entry.id) => KeyEntryError::Id,
            _ if decode_hash(&entry.hash).is_none() => KeyEntryError::Hash,
            Entry { limit: Some(Limit { requests: 0, .. }), .. } => KeyEntryError::Limit,
            _ if is_duplicate() => KeyEntryError::DuplicateId,
            _ => continue,
        };
        return Err(invalid(index, error));
    }
    for (index, entry) in file.keys.iter_mut().enumerate().filter(|(_, entry)| !entry.files.is_empty()) {
        entry.patterns = Some(FilePatterns::new(&entry.files).map_err(|_| invalid(index, KeyEntryError::Files))?);
    }
    Ok(file)
}

/// Decodes a hash of 64 hexadecimal digits; `None` if the text has another format.
pub(super) fn decode_hash(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

/// Returns the names of the keys in a file of an earlier version of rulebook, in which keys had no ids. Returns `None`
/// if the file does not have the format of that version.
fn names_in_old_format(text: &[u8]) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct OldFile {
        keys: Vec<OldEntry>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct OldEntry {
        #[serde(rename = "hash")]
        _hash: String,
        name: String,
        #[serde(default, rename = "scope")]
        _scope: Vec<String>,
    }
    let file: OldFile = serde_json::from_slice(text).ok()?;
    Some(file.keys.into_iter().map(|entry| entry.name).collect())
}

/// Reads a key file, changes its content and replaces it, under a lock that makes concurrent changes wait for each
/// other.
pub(super) fn change_key_file<T>(
    path: &Path,
    change: impl FnOnce(&mut KeyFileContent) -> Result<T, KeyError>,
) -> Result<T, KeyError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let io = |error| KeyError::Io(path.to_owned(), error);
    let lock = fs::create_dir_all(folder).and_then(|()| fs::File::open(folder)).map_err(io)?;
    lock.lock().map_err(io)?;
    let (mut file, _) = read_key_file(path)?;
    let changed = change(&mut file)?;
    replace_file(path, folder, &file).and_then(|()| lock.sync_all()).map_err(io)?;
    Ok(changed)
}

/// Replaces a file atomically: after a crash, the file has either the old content or the complete new content.
pub(super) fn replace_file(path: &Path, folder: &Path, content: &impl Serialize) -> io::Result<()> {
    // `tempfile` creates a file that only its owner can read. Renaming the file keeps this mode.
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut temporary, content)?;
    temporary.write_all(b"\n")?;
    temporary.as_file().sync_all()?;
    temporary.persist(path)?;
    Ok(())
}
