//! The key file: read as a whole, changed under a lock, replaced as a whole.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::SystemTime;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::EntryFlaw;
use super::{KeyError, token};
use crate::filename::Patterns;

/// The key file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// By what the pepper is known again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pepper: Option<String>,
    /// The keys, oldest first.
    pub(super) keys: Vec<Entry>,
}

/// What is kept of a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Under which it is found; 8 hexadecimal digits.
    pub id: String,
    /// HMAC-SHA-256 of the secret under the pepper, in hexadecimal.
    pub hash: String,
    /// Whose it is.
    pub name: String,
    /// The permissions that it gives.
    #[serde(default)]
    pub scope: Vec<String>,
    /// The patterns of the stored files that it may name; none where it says nothing about files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// What they allow, where they have been read and there are any.
    #[serde(skip)]
    pub(super) patterns: Option<Patterns>,
    /// How many requests it is good for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// The id of the key that was made in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
}

/// How many requests a key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// At least 1.
    pub requests: u32,
    /// Per which time.
    pub per: Per,
}

/// The time that a limit is about: each begins with the clock's, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// All its life.
    Ever,
}

impl Per {
    /// How many seconds it has; 0 where it does not end.
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

/// By what a file is known to be the same as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    length: u64,
    changed: Option<SystemTime>,
    /// Each replacement has another one.
    node: u64,
}

impl Stamp {
    /// That of what is at a path now; none where nothing is.
    pub(super) fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().as_ref().map(Self::from)
    }
}

impl From<&fs::Metadata> for Stamp {
    fn from(metadata: &fs::Metadata) -> Self {
        #[cfg(unix)]
        let node = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let node = 0;
        Self { length: metadata.len(), changed: metadata.modified().ok(), node }
    }
}

/// What a file holds, nothing where there is none, and by what it is known again.
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
    let mut file: File = serde_json::from_slice(text).map_err(|error| match old(text) {
        Some(names) => KeyError::Old { file: path.to_owned(), names },
        // serde_json's own words may quote a value.
        None => KeyError::Shape { file: path.to_owned(), line: error.line(), column: error.column() },
    })?;
    let flawed = |index: usize, flaw| KeyError::Entry { file: path.to_owned(), number: index + 1, flaw };
    for (index, entry) in file.keys.iter().enumerate() {
        let known = || file.keys[..index].iter().any(|other| other.id == entry.id);
        let flaw = match entry {
            _ if !token::is_id(&entry.id) => EntryFlaw::Id,
            _ if hash(&entry.hash).is_none() => EntryFlaw::Hash,
            Entry { limit: Some(Limit { requests: 0, .. }), .. } => EntryFlaw::Limit,
            _ if known() => EntryFlaw::Twice,
            _ => continue,
        };
        return Err(flawed(index, flaw));
    }
    for (index, entry) in file.keys.iter_mut().enumerate().filter(|(_, entry)| !entry.files.is_empty()) {
        entry.patterns = Some(Patterns::new(&entry.files).map_err(|_| flawed(index, EntryFlaw::Files))?);
    }
    Ok(file)
}

/// The bytes of a hash.
pub(super) fn hash(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

/// The names of the keys of a file that was made before keys had ids; none where it is no such file.
fn old(text: &[u8]) -> Option<Vec<String>> {
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

/// Reads a file, has it changed, and replaces it, while whoever else wants to change it waits.
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

/// Replaces a file as a whole: a crash leaves the old one or the new one.
pub(super) fn replace(path: &Path, folder: &Path, content: &impl Serialize) -> io::Result<()> {
    // A temporary file can be read by its owner only, and so can what it becomes.
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut temporary, content)?;
    temporary.write_all(b"\n")?;
    temporary.as_file().sync_all()?;
    temporary.persist(path)?;
    Ok(())
}
