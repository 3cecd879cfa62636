//! The interface of the storages of keys, the entries and the usage of keys that they store, and the key file.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use rulebook_model::filename::FilePatterns;
use serde::{Deserialize, Serialize};

use super::KeyError;
use super::manage::KeyEntryError;
use super::token::{self, Pepper};
use crate::regular_file::FileStamp;
use crate::secret::{create_private_folder, folder_of, write_private_file};

/// A storage of keys: [`KeyFile`](super::KeyFile), a database (`SqlKeys` of the crate `rulebook-sql`), or one of the
/// program.
///
/// A server calls [`state`](Self::state) four times a second, and [`load`](Self::load) if the version has changed. All
/// functions may block their thread; no request waits for them.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use rulebook::key::{self, KeyError, KeySet, KeyState, KeyStorage, KeyVersion, Keys, NewKey, Usages};
///
/// /// Stores keys in memory, for tests.
/// #[derive(Default)]
/// struct Memory(Mutex<(u64, KeySet)>);
///
/// impl KeyStorage for Memory {
///     fn location(&self) -> String {
///         "the memory".to_owned()
///     }
///
///     fn state(&self) -> Result<KeyState, KeyError> {
///         let version = self.0.lock().expect("no thread panics").0;
///         Ok(KeyState::new(KeyVersion::new(version.to_string()), None))
///     }
///
///     fn load(&self) -> Result<(KeySet, KeyState), KeyError> {
///         let state = self.state()?;
///         Ok((self.0.lock().expect("no thread panics").1.clone(), state))
///     }
///
///     fn change(&self, change: &mut dyn FnMut(&mut KeySet) -> Result<(), KeyError>) -> Result<(), KeyError> {
///         let mut stored = self.0.lock().expect("no thread panics");
///         let mut keys = stored.1.clone();
///         change(&mut keys)?;
///         *stored = (stored.0 + 1, keys);
///         Ok(())
///     }
///
///     fn load_usages(&self) -> Result<Usages, KeyError> {
///         Ok(Usages::new())
///     }
///
///     fn record_usages(&self, _before: &Usages, _now: &Usages) -> Result<bool, KeyError> {
///         Ok(true)
///     }
///
///     # fn pepper_file(&self) -> Option<std::path::PathBuf> {
///     #     Some(std::env::temp_dir().join(format!("rulebook-pepper-{}", std::process::id())))
///     # }
///     # fn creates_pepper(&self) -> bool { true }
/// }
///
/// let storage = Arc::new(Memory::default());
/// key::add(&*storage, NewKey::new("ada"))?;
/// let keys = Keys::open(storage, None)?;
/// assert_eq!(keys.len(), 1);
/// # let _ = std::fs::remove_file(std::env::temp_dir().join(format!("rulebook-pepper-{}", std::process::id())));
/// # Ok::<(), KeyError>(())
/// ```
pub trait KeyStorage: Send + Sync + 'static {
    /// Returns the place of the keys for messages: a path, or an address without its password.
    fn location(&self) -> String;

    /// Returns the version of the keys, which every change changes, and the time of the storage's clock.
    ///
    /// # Errors
    /// Fails if the storage cannot be read.
    fn state(&self) -> Result<KeyState, KeyError>;

    /// Returns the keys with a state that is not newer than they are.
    ///
    /// # Errors
    /// Fails if the storage cannot be read or contains something else.
    fn load(&self) -> Result<(KeySet, KeyState), KeyError>;

    /// Changes the keys atomically: `change` gets the newest keys, and no other change takes effect before the changed
    /// keys are stored. If `change` fails, nothing is changed. A storage may call `change` again with newer keys; then
    /// only the last result counts.
    ///
    /// # Errors
    /// Fails if `change` fails, or if the storage cannot be read or written.
    fn change(&self, change: &mut dyn FnMut(&mut KeySet) -> Result<(), KeyError>) -> Result<(), KeyError>;

    /// Returns the usage of the keys by all servers.
    ///
    /// # Errors
    /// Fails if the storage cannot be read.
    fn load_usages(&self) -> Result<Usages, KeyError>;

    /// Records how this server has used the keys. `now` is the usage that this server knows, which begins with
    /// [`load_usages`](Self::load_usages) at its start. `before` is its usage at the last call that succeeded. A
    /// storage that several servers use adds the difference between the two. Returns `false` if it records nothing,
    /// because another server does.
    ///
    /// # Errors
    /// Fails if the storage cannot be written.
    fn record_usages(&self, before: &Usages, now: &Usages) -> Result<bool, KeyError>;

    /// Releases what the storage needs to record usages, because a server has stopped. By default, does nothing.
    fn close(&self) {}

    /// Returns the file with the pepper, the server's secret in the hashes of keys, which is read if the environment
    /// variable `RULEBOOK_PEPPER` is not set. By default, there is no such file.
    fn pepper_file(&self) -> Option<PathBuf> {
        None
    }

    /// Returns `true` if the first key creates the file with the pepper. By default, it does not, because all servers
    /// that share keys need the same pepper.
    fn creates_pepper(&self) -> bool {
        false
    }
}

/// The version of the keys in a storage. Two versions are equal if the keys are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyVersion(String);

impl KeyVersion {
    /// Creates a version from a text that is different for each change.
    pub fn new(version: impl Into<String>) -> Self {
        Self(version.into())
    }
}

/// The state of a storage of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyState {
    /// The version of the keys.
    pub version: KeyVersion,
    /// The time of the storage's clock, at which keys of all servers expire; `None` if this is the clock of the server.
    pub now: Option<Timestamp>,
}

impl KeyState {
    /// Creates a state.
    #[must_use]
    pub fn new(version: KeyVersion, now: Option<Timestamp>) -> Self {
        Self { version, now }
    }
}

/// All keys of a storage. The JSON representation is the content of the key file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct KeySet {
    /// The fingerprint of the pepper with which the hashes of the keys were computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pepper: Option<String>,
    /// The entries of the keys, in the order of their creation.
    pub keys: Vec<Entry>,
}

impl KeySet {
    /// Creates a set of keys from the fingerprint of their pepper and their entries.
    #[must_use]
    pub fn new(pepper: Option<String>, keys: Vec<Entry>) -> Self {
        Self { pepper, keys }
    }
}

/// Checks the entries of a storage. A key file checks them before, with errors that name the file.
pub(super) fn check_keys(storage: &dyn KeyStorage, keys: &mut KeySet) -> Result<(), KeyError> {
    check_entries(&mut keys.keys).map_err(|(index, error)| KeyError::InvalidStored {
        location: storage.location(),
        number: index + 1,
        error,
    })
}

pub(super) fn pepper_of(storage: &dyn KeyStorage, keys: &KeySet) -> Result<Pepper, KeyError> {
    let file = storage.pepper_file();
    let Some(pepper) = Pepper::read(file.as_deref())? else {
        return Err(KeyError::NoPepper { location: storage.location(), pepper_file: file });
    };
    if keys.pepper.as_ref().is_some_and(|known| *known != pepper.fingerprint()) {
        return Err(KeyError::WrongPepper { location: storage.location(), pepper_file: file });
    }
    Ok(pepper)
}

/// Returns the pepper for the first key of a storage, and creates it if the storage does so.
pub(super) fn first_pepper(storage: &dyn KeyStorage) -> Result<Pepper, KeyError> {
    match storage.pepper_file() {
        Some(path) if storage.creates_pepper() => Pepper::read_or_create(&path),
        _ => required_pepper(storage),
    }
}

/// Returns a pepper for a server whose storage has no keys yet. The server could not use the first key if it did not
/// have the pepper that all servers share, so that it does not start without one.
pub(super) fn pepper_without_keys(storage: &dyn KeyStorage) -> Result<Pepper, KeyError> {
    if storage.creates_pepper() {
        Pepper::read(storage.pepper_file().as_deref())?.map_or_else(Pepper::random, Ok)
    } else {
        required_pepper(storage)
    }
}

fn required_pepper(storage: &dyn KeyStorage) -> Result<Pepper, KeyError> {
    let pepper_file = storage.pepper_file();
    Pepper::read(pepper_file.as_deref())?
        .ok_or_else(|| KeyError::PepperRequired { location: storage.location(), pepper_file })
}

/// Returns the current time of the storage's clock.
///
/// # Errors
/// Fails if the storage cannot be read.
pub fn now(storage: &dyn KeyStorage) -> Result<Timestamp, KeyError> {
    Ok(storage.state()?.now.unwrap_or_else(Timestamp::now))
}

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

/// The entry of one key in a storage. Its JSON representation is that of the key file.
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

/// Checks entries, and compiles their file patterns. The error contains the index of the invalid entry.
fn check_entries(entries: &mut [Entry]) -> Result<(), (usize, KeyEntryError)> {
    let mut ids = HashSet::new();
    for (index, entry) in entries.iter().enumerate() {
        let error = match entry {
            _ if !token::is_id(&entry.id) => KeyEntryError::Id,
            _ if decode_hash(&entry.hash).is_none() => KeyEntryError::Hash,
            Entry { limit: Some(Limit { requests: 0, .. }), .. } => KeyEntryError::Limit,
            _ if !ids.insert(entry.id.as_str()) => KeyEntryError::DuplicateId,
            _ => continue,
        };
        return Err((index, error));
    }
    for (index, entry) in entries.iter_mut().enumerate() {
        if !entry.files.is_empty() && entry.patterns.is_none() {
            entry.patterns = Some(FilePatterns::new(&entry.files).map_err(|_| (index, KeyEntryError::Files))?);
        }
    }
    Ok(())
}

/// Decodes a hash of 64 hexadecimal digits; `None` if the text has another format.
pub(super) fn decode_hash(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

// The key file, which is the storage of keys of a single server. A change is made under a lock, and replaces the whole
// file. Administrators change the key file; only the server changes the file with the usage of keys beside it.

/// The storage of keys in a file. The usage of keys is stored in a file beside it, and so is the pepper.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    /// The lock of the usage file; `None` unless this value writes the file.
    usage_lock: Mutex<Option<File>>,
}

impl KeyFile {
    /// Returns the storage in the file at `path`, by convention `keys.json` in the data folder. The first key creates
    /// the file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), usage_lock: Mutex::new(None) }
    }

    fn usage_file(&self) -> PathBuf {
        self.path.with_file_name("keys.used.json")
    }

    /// Locks the usage file, so that only one of several servers with the same key file writes it. Returns `None` if
    /// another server holds the lock.
    fn lock_usages(&self) -> io::Result<Option<File>> {
        let path = self.path.with_file_name("keys.used.lock");
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl KeyStorage for KeyFile {
    fn location(&self) -> String {
        self.path.display().to_string()
    }

    /// Never fails: a file whose metadata cannot be read is reported when it is loaded.
    fn state(&self) -> Result<KeyState, KeyError> {
        Ok(state(FileStamp::of(&self.path)))
    }

    /// Reads the file. A file that does not exist counts as a file without keys.
    fn load(&self) -> Result<(KeySet, KeyState), KeyError> {
        let (keys, stamp) = read_key_file(&self.path)?;
        Ok((keys, state(stamp)))
    }

    fn change(&self, change: &mut dyn FnMut(&mut KeySet) -> Result<(), KeyError>) -> Result<(), KeyError> {
        let io = |error| KeyError::Io(self.path.clone(), error);
        let folder = folder_of(&self.path);
        let lock = create_private_folder(folder).and_then(|()| File::open(folder)).map_err(io)?;
        lock.lock().map_err(io)?;
        let (mut keys, _) = read_key_file(&self.path)?;
        change(&mut keys)?;
        replace_file(&self.path, &keys).and_then(|()| lock.sync_all()).map_err(io)
    }

    /// Reads the usage file. A file that does not exist counts as a file without usage.
    fn load_usages(&self) -> Result<Usages, KeyError> {
        let file = self.usage_file();
        match fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| {
                let (line, column) = (error.line(), error.column());
                KeyError::InvalidUsage { file, line, column }
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Usages::new()),
            Err(error) => Err(KeyError::Io(file, error)),
        }
    }

    /// Replaces the usage file, unless another server with the same key file writes it.
    fn record_usages(&self, _before: &Usages, now: &Usages) -> Result<bool, KeyError> {
        let mut lock = self.usage_lock.lock().unwrap_or_else(PoisonError::into_inner);
        if lock.is_none() {
            match self.lock_usages() {
                Ok(Some(file)) => *lock = Some(file),
                Ok(None) => return Ok(false),
                // Writing the usage reports the error of the folder.
                Err(_) => {}
            }
        }
        let file = self.usage_file();
        replace_file(&file, now).map(|()| true).map_err(|error| KeyError::Io(file, error))
    }

    fn close(&self) {
        self.usage_lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn pepper_file(&self) -> Option<PathBuf> {
        Some(self.path.with_file_name("pepper"))
    }

    fn creates_pepper(&self) -> bool {
        true
    }
}

/// Returns the state of a key file with this metadata; `None` if the file does not exist.
fn state(stamp: Option<FileStamp>) -> KeyState {
    KeyState::new(KeyVersion::new(format!("{stamp:?}")), None)
}

/// Reads a key file and its metadata. A file that does not exist counts as a file without keys.
fn read_key_file(path: &Path) -> Result<(KeySet, Option<FileStamp>), KeyError> {
    let read = || -> io::Result<_> {
        let mut file = File::open(path)?;
        let stamp = FileStamp::from(&file.metadata()?);
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        Ok((text, stamp))
    };
    match read() {
        Ok((text, stamp)) => Ok((parse_key_file(path, &text)?, Some(stamp))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((KeySet::default(), None)),
        Err(error) => Err(KeyError::Io(path.to_owned(), error)),
    }
}

fn parse_key_file(path: &Path, text: &[u8]) -> Result<KeySet, KeyError> {
    let mut file: KeySet = serde_json::from_slice(text).map_err(|error| match names_in_old_format(text) {
        Some(names) => KeyError::OldFormat { file: path.to_owned(), names },
        // The message of serde_json is not shown, because it may quote a secret from the file.
        None => KeyError::InvalidFile { file: path.to_owned(), line: error.line(), column: error.column() },
    })?;
    check_entries(&mut file.keys).map_err(|(index, error)| KeyError::InvalidEntry {
        file: path.to_owned(),
        number: index + 1,
        error,
    })?;
    Ok(file)
}

/// Returns the names of the keys in a file of an earlier version of rulebook, in which keys had no ids. Returns `None`
/// if the file does not have the format of that version.
fn names_in_old_format(text: &[u8]) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct KeysWithoutIds {
        keys: Vec<KeyWithoutId>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct KeyWithoutId {
        #[serde(rename = "hash")]
        _hash: String,
        name: String,
        #[serde(default, rename = "scope")]
        _scope: Vec<String>,
    }
    let file: KeysWithoutIds = serde_json::from_slice(text).ok()?;
    Some(file.keys.into_iter().map(|entry| entry.name).collect())
}

/// Replaces a file atomically: after a crash, the file has either the old content or the complete new content.
fn replace_file(path: &Path, content: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(content)?;
    text.push(b'\n');
    write_private_file(path, &text)?.persist(path)?;
    Ok(())
}
