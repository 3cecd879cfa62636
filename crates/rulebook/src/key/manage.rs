//! Creates, lists, replaces, revokes and copies keys; and the errors of reading and changing keys.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use hmac::Mac;
use jiff::Timestamp;
use rulebook_model::filename::{FilePatterns, PatternError};
use thiserror::Error;

use super::storage::{Entry, KeySet, KeyStorage, Limit, Usage, check_keys, first_pepper, now, pepper_of};
use super::token;

/// The settings with which [`add`] creates a key.
///
/// ```
/// use rulebook::key::NewKey;
///
/// let mut key = NewKey::new("reports");
/// key.scope = vec!["reader".to_owned()];
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct NewKey {
    /// The name of the person or program that will use the key.
    pub name: String,
    /// The permissions that requests with the key have.
    pub scope: Vec<String>,
    /// The patterns of the stored files that the key may access. Without patterns, the key may access all files that
    /// the definition allows.
    pub files: Vec<String>,
    /// The rate limit of the key; `None` if the key has no limit.
    pub limit: Option<Limit>,
    /// The time at which the key expires; `None` if the key does not expire.
    pub expires: Option<Timestamp>,
}

impl NewKey {
    /// Returns the settings of a key without permissions and limits. `name` is the person or program that will use the
    /// key.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// Creates a key and stores its hash. Returns the key itself, which is not stored anywhere.
///
/// # Errors
/// Fails if the keys cannot be read or changed, or are invalid; if the pepper is missing or is not the one that the
/// other keys were created with; or if a pattern in `new.files` is invalid.
#[expect(clippy::needless_pass_by_value, reason = "the settings of a key are used once")]
pub fn add(storage: &dyn KeyStorage, new: NewKey) -> Result<String, KeyError> {
    let now = now(storage)?;
    change(storage, |keys| create_key(storage, keys, new.clone(), now).map(|(_, key)| key))
}

/// Removes a key, so that it is no longer valid. Returns the entry of the removed key.
///
/// # Errors
/// Fails like [`add`], or if no key has this id.
pub fn revoke(storage: &dyn KeyStorage, id: &str) -> Result<Entry, KeyError> {
    change(storage, |keys| entry_index(storage, keys, id).map(|index| keys.keys.remove(index)))
}

/// Creates a key with the same settings as an existing key. The existing key then expires at `end`, unless it expires
/// earlier. Keys expire by the clock of the storage, which [`now`] returns.
///
/// # Errors
/// Fails like [`add`], or if no key has this id, or if the key has expired or has been replaced.
pub fn rotate(storage: &dyn KeyStorage, id: &str, end: Timestamp) -> Result<String, KeyError> {
    let now = now(storage)?;
    change(storage, |set| {
        let index = entry_index(storage, set, id)?;
        let Entry { name, scope, files, limit, expires, replaced_by, .. } = set.keys[index].clone();
        if let Some(by) = replaced_by {
            return Err(KeyError::Replaced { id: id.to_owned(), by });
        }
        if expires.is_some_and(|expires| expires <= now) {
            return Err(KeyError::Expired { id: id.to_owned() });
        }
        let (new, key) = create_key(storage, set, NewKey { name, scope, files, limit, expires }, now)?;
        let old = &mut set.keys[index];
        old.expires = Some(expires.map_or(truncate_to_second(end), |expires| expires.min(truncate_to_second(end))));
        old.replaced_by = Some(new);
        Ok(key)
    })
}

/// Returns the entries of all keys with their usage, in the order of their creation.
///
/// # Errors
/// Fails if the keys or their usage cannot be read or are invalid.
pub fn list(storage: &dyn KeyStorage) -> Result<Vec<(Entry, Usage)>, KeyError> {
    let (mut set, _) = storage.load()?;
    check_keys(storage, &mut set)?;
    let usages = storage.load_usages()?;
    let with_usage = |entry: Entry| {
        let usage = usages.get(&*entry.id).copied().unwrap_or_default();
        (entry, usage)
    };
    Ok(set.keys.into_iter().map(with_usage).collect())
}

/// Copies the keys of a storage with their usage to another storage, so that clients need no new keys. Keys that the
/// other storage has already stay there as they are. Returns the number of copied keys. Both storages need the same
/// pepper.
///
/// # Errors
/// Fails if one of the storages cannot be read, the pepper of one of them is missing or differs, another key with the
/// same id exists, or the keys cannot be stored. If only the usage cannot be stored, the keys have been copied.
pub fn copy(from: &dyn KeyStorage, to: &dyn KeyStorage) -> Result<usize, KeyError> {
    let (mut source, _) = from.load()?;
    check_keys(from, &mut source)?;
    if source.keys.is_empty() {
        return Ok(0);
    }
    let fingerprint = pepper_of(from, &source)?.fingerprint();
    let copied = change(to, |set| {
        if set.keys.is_empty() {
            set.pepper = Some(fingerprint.clone());
        }
        let mut copied = Vec::new();
        for entry in &source.keys {
            match set.keys.iter().find(|other| other.id == entry.id) {
                None => copied.push(entry.clone()),
                Some(other) if other.hash == entry.hash => {}
                Some(_) => return Err(KeyError::Conflict { location: to.location(), id: entry.id.clone() }),
            }
        }
        set.keys.extend(copied.iter().cloned());
        if pepper_of(to, set)?.fingerprint() != fingerprint {
            return Err(KeyError::WrongPepper { location: from.location(), pepper_file: to.pepper_file() });
        }
        Ok(copied)
    })?;
    let used = from.load_usages()?;
    let mut now = to.load_usages()?;
    let before = now.clone();
    now.extend(
        copied.iter().filter_map(|entry| used.get_key_value(&*entry.id)).map(|(id, usage)| (id.clone(), *usage)),
    );
    if now != before {
        to.record_usages(&before, &now)?;
        to.close();
    }
    Ok(copied.len())
}

/// Changes the keys of a storage, and returns the result of the last call of `change`.
fn change<T>(
    storage: &dyn KeyStorage,
    mut change: impl FnMut(&mut KeySet) -> Result<T, KeyError>,
) -> Result<T, KeyError> {
    let mut result = None;
    storage.change(&mut |set| {
        check_keys(storage, set)?;
        result = Some(change(set)?);
        Ok(())
    })?;
    result.ok_or_else(|| KeyError::storage(storage.location(), "the storage has changed nothing"))
}

/// Truncates a time to whole seconds, because times are shown and compared in seconds.
fn truncate_to_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

fn entry_index(storage: &dyn KeyStorage, set: &KeySet, id: &str) -> Result<usize, KeyError> {
    if !token::is_id(id) {
        return Err(KeyError::InvalidId);
    }
    let unknown = || KeyError::UnknownId { location: storage.location(), id: id.to_owned() };
    set.keys.iter().position(|entry| entry.id == id).ok_or_else(unknown)
}

/// Creates a key and adds its entry. Returns the id of the key and the key.
fn create_key(
    storage: &dyn KeyStorage,
    set: &mut KeySet,
    new: NewKey,
    now: Timestamp,
) -> Result<(String, String), KeyError> {
    // Without keys, no hash depends on an old pepper, so that a missing pepper can be created.
    let pepper = if set.keys.is_empty() {
        let pepper = first_pepper(storage)?;
        set.pepper = Some(pepper.fingerprint());
        pepper
    } else {
        pepper_of(storage, set)?
    };
    let id = loop {
        let id = token::format_id(getrandom::u32().map_err(|_| KeyError::Random)?);
        if set.keys.iter().all(|entry| entry.id != id) {
            break id;
        }
    };
    let mut bytes = [0; token::SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(|_| KeyError::Random)?;
    let secret = token::format_secret(&bytes);
    let key = token::format_key(&id, &secret);
    let NewKey { name, scope, files, limit, expires } = new;
    let hash = hex::encode(pepper.mac(&secret).finalize().into_bytes());
    let (created, expires) = (truncate_to_second(now), expires.map(truncate_to_second));
    let patterns = if files.is_empty() { None } else { Some(FilePatterns::new(&files).map_err(KeyError::Pattern)?) };
    let entry =
        Entry { id: id.clone(), hash, name, scope, files, patterns, limit, created, expires, replaced_by: None };
    set.keys.push(entry);
    Ok((id, key))
}

// Errors of reading and changing keys. A user may have put a key in the wrong place by mistake; therefore the
// messages quote nothing from a file except names and ids of keys.

/// An error that occurs when a key file is read, checked or changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file with this path cannot be read or written.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// The file with the pepper, the server's secret in the hashes of keys, cannot be read or written, or is invalid.
    /// The message contains the path of the file.
    #[error("{0}")]
    Pepper(io::Error),
    /// The content of the file is not that of a key file.
    #[error("{file} is not a valid key file: expected {KEY_FILE_FORMAT}, at line {line}, column {column}")]
    InvalidFile {
        /// The file.
        file: PathBuf,
        /// The line of the error, from 1; 0 if the file is empty.
        line: usize,
        /// The column of the error, from 1.
        column: usize,
    },
    /// The file in which the server records how keys are used is invalid.
    #[error("{file} is not a valid file of the usage of keys, at line {line}, column {column}")]
    InvalidUsage {
        /// The file.
        file: PathBuf,
        /// The line of the error, from 1; 0 if the file is empty.
        line: usize,
        /// The column of the error, from 1.
        column: usize,
    },
    /// A storage other than a file cannot be read or written.
    #[error("{location}: {error}")]
    Storage {
        /// The place of the keys, without secrets.
        location: String,
        /// The reason, without secrets.
        error: Box<dyn Error + Send + Sync>,
    },
    /// The address of the database with the keys is not valid, for this reason. The message does not quote the address.
    #[error("the database of the keys: {0}")]
    InvalidAddress(&'static str),
    /// An entry of a storage other than a file is invalid.
    #[error("key {number} in {location} is not valid: {error}")]
    InvalidStored {
        /// The place of the keys.
        location: String,
        /// The number of the entry, from 1.
        number: usize,
        /// Why the entry is invalid.
        error: KeyEntryError,
    },
    /// An entry of the key file is invalid.
    #[error("{file} is not a valid key file: in key {number}, {error}")]
    InvalidEntry {
        /// The file.
        file: PathBuf,
        /// The number of the entry, from 1.
        number: usize,
        /// Why the entry is invalid.
        error: KeyEntryError,
    },
    /// The key file has the format of an earlier version of rulebook, whose keys are not valid any more.
    #[error(
        "the key file {file} has the format of an earlier version, whose keys are not valid any more: move it away, and \
         create new keys with `keys add` for {}",
        quoted_names(names)
    )]
    OldFormat {
        /// The file.
        file: PathBuf,
        /// The names of the keys in the file.
        names: Vec<String>,
    },
    /// There are keys, but the pepper that their hashes depend on is missing.
    #[error(
        "the keys of {location} were created with a pepper that is missing: RULEBOOK_PEPPER is not set{}",
        with_file(", and there is no file ", pepper_file.as_deref(), "")
    )]
    NoPepper {
        /// The place of the keys.
        location: String,
        /// The file that may contain the pepper.
        pepper_file: Option<PathBuf>,
    },
    /// The keys were created with a pepper that differs from the current one.
    #[error(
        "the keys of {location} were created with another pepper than that of RULEBOOK_PEPPER{}",
        with_file(" or, if it is not set, of the file ", pepper_file.as_deref(), "")
    )]
    WrongPepper {
        /// The place of the keys.
        location: String,
        /// The file that may contain the pepper.
        pepper_file: Option<PathBuf>,
    },
    /// The first key of a storage that several servers share needs a pepper that all of them have.
    #[error(
        "all servers that share the keys of {location} need the same pepper: set RULEBOOK_PEPPER to the same secret at \
         each server{}",
        with_file(", or copy the file ", pepper_file.as_deref(), " to each")
    )]
    PepperRequired {
        /// The place of the keys.
        location: String,
        /// The file that may contain the pepper.
        pepper_file: Option<PathBuf>,
    },
    /// The value of the environment variable begins with `hex:`, but is not a pepper in hexadecimal.
    #[error("RULEBOOK_PEPPER begins with `hex:`, but {digits} hexadecimal digits do not follow")]
    PepperDigits {
        /// The number of digits of a pepper.
        digits: usize,
    },
    /// The pepper in the environment variable is too short.
    #[error("RULEBOOK_PEPPER is shorter than {min} characters")]
    ShortPepper {
        /// The minimum length in bytes.
        min: usize,
    },
    /// One of the patterns that select the stored files for a new key is invalid.
    #[error("{0}")]
    Pattern(PatternError),
    /// The argument does not have the format of a key's id. The message does not quote the argument, because it may be
    /// a whole key.
    #[error("an id has 8 hexadecimal digits: the part of a key between its two `_`")]
    InvalidId,
    /// The storage contains no key with this id.
    #[error("{location} has no key {id:?}")]
    UnknownId {
        /// The place of the keys.
        location: String,
        /// The id.
        id: String,
    },
    /// The key cannot be replaced, because another key has already replaced it.
    #[error("the key {id} has been replaced already, by {by}")]
    Replaced {
        /// The id.
        id: String,
        /// The id of the key that replaced it.
        by: String,
    },
    /// The key cannot be replaced, because it has expired.
    #[error("the key {id} has expired")]
    Expired {
        /// The id.
        id: String,
    },
    /// A key cannot be copied, because another key with the same id exists at the destination.
    #[error("{location} has another key with the id {id}")]
    Conflict {
        /// The place of the keys.
        location: String,
        /// The id.
        id: String,
    },
    /// The operating system provides no random bytes, which a new key needs.
    #[error("the system provides no random bytes")]
    Random,
}

impl KeyError {
    /// Returns the error of a storage. `location` is the place of the keys, and `error` the reason; neither may contain
    /// a secret, because both are shown.
    pub fn storage(location: impl Into<String>, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Storage { location: location.into(), error: error.into() }
    }
}

/// Why the entry of a key is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyEntryError {
    /// The entry is not that of a key.
    #[error("it is not a JSON object with the members of a key")]
    Format,
    /// The id is invalid.
    #[error("the id is not 8 hexadecimal digits")]
    Id,
    /// An earlier entry has the same id.
    #[error("the id is that of another key")]
    DuplicateId,
    /// The hash is invalid.
    #[error("the hash is not 64 hexadecimal digits")]
    Hash,
    /// The rate limit allows no requests.
    #[error("the limit is less than 1 request")]
    Limit,
    /// One of the patterns that select stored files is invalid.
    #[error("a pattern for files is not one like `public/**`")]
    Files,
}

/// The format of a key file, as error messages show it.
const KEY_FILE_FORMAT: &str = r#"{"pepper": …, "keys": [{"id": …, "hash": …, "name": …, "scope": […], "created": …}]}"#;

fn quoted_names(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
    if names.is_empty() { "no one".to_owned() } else { names.join(", ") }
}

/// Returns a part of a message that contains a file, or nothing without a file.
fn with_file(before: &str, file: Option<&Path>, after: &str) -> String {
    file.map_or_else(String::new, |file| format!("{before}{}{after}", file.display()))
}
