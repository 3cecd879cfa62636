//! The key file. It is changed under a lock, and replaced as a whole.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::SystemTime;

use jiff::Timestamp;
use rulebook_model::filename::FilePatterns;
use serde::{Deserialize, Serialize};

use super::error::KeyEntryError;
use super::{KeyError, token};

/// The content of a key file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// The fingerprint of the pepper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pepper: Option<String>,
    /// The keys, oldest first.
    pub(super) keys: Vec<Entry>,
}

/// The entry of a key in the key file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Entry {
    /// The id: 8 hexadecimal digits.
    pub id: String,
    /// The HMAC-SHA-256 of the secret with the pepper, in hexadecimal.
    pub hash: String,
    /// The name of the holder.
    pub name: String,
    /// The permissions of the key.
    #[serde(default)]
    pub scope: Vec<String>,
    /// The patterns of the stored files that the key may access; empty if it does not restrict files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// The compiled patterns; `None` if the entry has no patterns or has just been created.
    #[serde(skip)]
    pub(super) patterns: Option<FilePatterns>,
    /// The rate limit; `None` if the key has no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// The time of creation.
    pub created: Timestamp,
    /// The time at which the key expires; `None` if it does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// The id of the key that replaces this one, if it has been replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
}

/// The rate limit of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The maximum number of requests in a period, at least 1.
    pub requests: u32,
    /// The period.
    pub per: Per,
}

/// The period of a limit. Periods begin with the minutes, hours and days of the clock in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// One minute.
    Minute,
    /// One hour.
    Hour,
    /// One day.
    Day,
    /// The whole life of the key.
    Ever,
}

impl Per {
    /// Returns the length in seconds; 0 for the whole life of the key.
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

/// The state of a file, from which a change is detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    /// The inode, which changes with each replacement.
    inode: u64,
}

impl Stamp {
    /// Returns the current state of the file at a path; `None` if the file does not exist.
    pub(super) fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().as_ref().map(Self::from)
    }
}

impl From<&fs::Metadata> for Stamp {
    fn from(metadata: &fs::Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Self { length: metadata.len(), modified: metadata.modified().ok(), inode }
    }
}

/// Reads a key file and its state. A file that does not exist contains no keys.
pub(super) fn read(path: &Path) -> Result<(File, Option<Stamp>), KeyError> {
    let read = || -> io::Result<_> {
        let mut file = fs::File::open(path)?;
        let stamp = Stamp::from(&file.metadata()?);
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        Ok((text, stamp))
    };
    match read() {
        Ok((text, stamp)) => Ok((parse(path, &text)?, Some(stamp))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((File::default(), None)),
        Err(error) => Err(KeyError::Io(path.to_owned(), error)),
    }
}

fn parse(path: &Path, text: &[u8]) -> Result<File, KeyError> {
    let mut file: File = serde_json::from_slice(text).map_err(|error| match old_names(text) {
        Some(names) => KeyError::OldFormat { file: path.to_owned(), names },
        // The message of serde_json is not used, because it may quote a value.
        None => KeyError::InvalidFile { file: path.to_owned(), line: error.line(), column: error.column() },
    })?;
    let invalid = |index: usize, error| KeyError::InvalidEntry { file: path.to_owned(), number: index + 1, error };
    for (index, entry) in file.keys.iter().enumerate() {
        let is_duplicate = || file.keys[..index].iter().any(|other| other.id == entry.id);
        let error = match entry {
            _ if !token::is_id(&entry.id) => KeyEntryError::Id,
            _ if hash(&entry.hash).is_none() => KeyEntryError::Hash,
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

/// Decodes a hash.
pub(super) fn hash(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

/// Returns the names of the keys in a file of the earlier version, in which keys had no ids; `None` if it is not such a
/// file.
fn old_names(text: &[u8]) -> Option<Vec<String>> {
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

/// Reads, changes and replaces a file under a lock, so that concurrent changes wait for each other.
pub(super) fn change<T>(path: &Path, change: impl FnOnce(&mut File) -> Result<T, KeyError>) -> Result<T, KeyError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let io = |error| KeyError::Io(path.to_owned(), error);
    let lock = fs::create_dir_all(folder).and_then(|()| fs::File::open(folder)).map_err(io)?;
    lock.lock().map_err(io)?;
    let (mut file, _) = read(path)?;
    let changed = change(&mut file)?;
    replace(path, folder, &file).and_then(|()| lock.sync_all()).map_err(io)?;
    Ok(changed)
}

/// Replaces a file atomically: after a crash, either the old file or the new one exists.
pub(super) fn replace(path: &Path, folder: &Path, content: &impl Serialize) -> io::Result<()> {
    // Temporary files can only be read by their owner, and keep their mode when they are renamed.
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut temporary, content)?;
    temporary.write_all(b"\n")?;
    temporary.as_file().sync_all()?;
    temporary.persist(path)?;
    Ok(())
}
