//! The interface of the storages of keys, and the usage of keys that they store.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::KeyError;
use super::entry::{Entry, check_entries};
use super::pepper::Pepper;

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

/// Returns the pepper of the keys in a storage that has keys.
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
