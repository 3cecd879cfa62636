//! Bearer keys (RFC 6750): their storage, the management of keys, and the authenticator that checks them.
//!
//! A key is a bearer token that consists of an id and a secret of 40 random bytes. The storage of keys, which is a file
//! ([`KeyFile`]) or something else ([`KeyStorage`]), contains only the HMAC of the secret, computed with the *pepper*:
//! another secret, which belongs to the server. A random secret of this length needs neither a salt nor a slow hash.
//! Requests look up keys in a table in memory; when the keys in the storage change, a new table replaces it. This Rust
//! module must not interpret permissions.

mod entry;
mod error;
mod key_file;
mod manage;
mod pepper;
mod storage;
mod table;
mod token;
mod watcher;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;

pub use entry::{Entry, Limit, Per};
pub use error::{KeyEntryError, KeyError};
pub use key_file::KeyFile;
pub use manage::{NewKey, add, copy, list, revoke, rotate};
pub use storage::{KeySet, KeyState, KeyStorage, KeyVersion, Usage, Usages, UsedRequests, now};
pub use watcher::KeyWatcher;

use crate::call::{AuthScheme, Authenticate, Authentication, Head, Identity};
use table::{KeyTable, LookupError, PreviousUsage};
use token::KeyTokenError;

/// The name of the key file in the data folder.
pub const FILE: &str = "keys.json";

/// Returns the name of the key with which a caller has been identified; `None` for callers without a key.
pub(crate) fn key_name(caller: &Identity) -> Option<&str> {
    (&*caller.qualified_name().namespace == table::NAMESPACE).then(|| caller.name())
}

/// The authenticator that accepts the bearer keys in a key file, or in another storage of keys.
///
/// The storage contains the hash, the name and the permissions of each key. `rulebook keys add` creates a key.
///
/// ```
/// use rulebook::key::Keys;
/// use rulebook::Rulebook;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = Keys::load("data/keys.json".as_ref())?;
/// // Until this is dropped, new and revoked keys take effect within a second.
/// let watcher = keys.watch()?;
/// let rulebook = Rulebook::load("api").authenticator(keys);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Keys(Arc<SharedKeys>);

/// The data that requests share with the thread that watches the storage.
struct SharedKeys {
    table: ArcSwap<KeyTable>,
    storage: Arc<dyn KeyStorage>,
    workers: usize,
    /// Why the keys may not be current; `None` if they are.
    problem: ArcSwapOption<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("keys", &self.len()).finish()
    }
}

impl Keys {
    /// Reads a key file, for a server with one worker per processor. A file that does not exist counts as a file
    /// without keys. The pepper is the value of the environment variable `RULEBOOK_PEPPER` or, if the variable is not
    /// set, of the file `pepper` beside the key file.
    ///
    /// # Errors
    /// Fails if the key file cannot be read or is invalid, or if the pepper is missing or is not the one that the keys
    /// were created with.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        Self::load_for(path, std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// Same as [`Keys::load`], for a server with this number of workers. The rate limit of a key is divided among the
    /// workers by a [`RateLimiter`](crate::RateLimiter).
    ///
    /// # Errors
    /// Fails like [`Keys::load`].
    pub fn load_for(path: &Path, workers: usize) -> Result<Self, KeyError> {
        Self::open(Arc::new(KeyFile::new(path)), Some(workers))
    }

    /// Reads the keys of any storage, for a server with this number of workers; `None` for one per processor.
    ///
    /// # Errors
    /// Fails if the storage cannot be read, or if the pepper is missing or is not the one that the keys were created
    /// with.
    pub fn open(storage: Arc<dyn KeyStorage>, workers: Option<usize>) -> Result<Self, KeyError> {
        let workers = workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        let previous = PreviousUsage::Storage(storage.load_usages()?);
        let table = ArcSwap::from_pointee(KeyTable::load(&*storage, &previous, workers)?);
        Ok(Self(Arc::new(SharedKeys { table, storage, workers, problem: ArcSwapOption::empty() })))
    }

    /// Returns the authentication schemes of keys, which do not depend on the storage.
    pub(crate) fn auth_schemes() -> Vec<AuthScheme> {
        vec![AuthScheme::bearer()]
    }

    /// Starts a thread that watches the storage for changes and records the usage of keys, until the returned watcher
    /// is dropped. Call it before the server starts, so that the usage of the first requests is recorded too.
    ///
    /// # Errors
    /// Fails if the thread cannot be started.
    pub fn watch(&self) -> io::Result<KeyWatcher> {
        KeyWatcher::start(Arc::clone(&self.0))
    }

    /// Loads the keys again, even if they seem unchanged, and logs their number. If they cannot be loaded, logs the
    /// error; the keys that were loaded before remain valid. [`Keys::watch`] calls this when the keys change; a program
    /// can also call it when it receives a signal.
    pub fn reload(&self) {
        if let Err(error) = watcher::reload(&self.0) {
            watcher::log_reload_error(&error);
        }
    }

    /// Returns whether the keys are current, for a [readiness check](crate::Rulebook::readiness_check).
    ///
    /// # Errors
    /// Fails if the watcher cannot read the storage, so that changes of the keys do not take effect. The error is the
    /// reason.
    pub fn check(&self) -> Result<(), String> {
        self.0.problem.load().as_deref().map_or(Ok(()), |problem| Err(problem.clone()))
    }

    /// Returns the place of the keys for messages: a path, or an address without its password.
    #[must_use]
    pub fn location(&self) -> String {
        self.0.storage.location()
    }

    /// Returns `true` if there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.table.load().len()
    }

    fn check_key(&self, head: &Head) -> Authentication {
        let Some(key) = head.bearer() else {
            return match head.has_bearer_scheme() {
                true => Authentication::Invalid("the header field Authorization is malformed or repeated".to_owned()),
                false => Authentication::Anonymous,
            };
        };
        match self.0.table.load().find(key, Timestamp::now().as_second()) {
            Ok(identity) => Authentication::Identity(identity),
            Err(error) => match (error, self.check()) {
                // The key may be one of those that cannot be read.
                (LookupError::Unknown, Err(problem)) => Authentication::Unavailable(problem),
                _ => Authentication::Invalid(log_message(error).to_owned()),
            },
        }
    }
}

fn log_message(error: LookupError) -> &'static str {
    match error {
        LookupError::Malformed(KeyTokenError::Format) => "the token is not a key",
        LookupError::Malformed(KeyTokenError::OldFormat) => {
            "the key has the format of an earlier version and has to be replaced"
        }
        LookupError::Malformed(KeyTokenError::Checksum) => "the key is mistyped or truncated: its checksum is wrong",
        LookupError::Unknown => "the key is unknown",
        LookupError::Expired => "the key has expired",
    }
}

/// A request without a bearer token is anonymous for this authenticator, even if it has another credential: a proxy may
/// add `Authorization: Basic`, for example.
impl Authenticate for Keys {
    async fn authenticate(&self, head: &Head) -> Authentication {
        self.check_key(head)
    }

    fn authenticate_at_once(&self, head: &Head) -> Option<Authentication> {
        Some(self.check_key(head))
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        Self::auth_schemes()
    }
}
