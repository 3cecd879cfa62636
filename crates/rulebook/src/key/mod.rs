//! Bearer keys (RFC 6750): the key file, the management of keys, and the authenticator that checks them.
//!
//! A key is a bearer token that consists of an id and a secret of 40 random bytes. The key file contains only the HMAC
//! of the secret, computed with the *pepper*: another secret, which belongs to the server. A random secret of this
//! length needs neither a salt nor a slow hash. Requests look up keys in a table in memory; when the key file changes,
//! a new table replaces it. This Rust module must not interpret permissions.

mod error;
#[cfg(test)]
mod fuzz_tests;
mod key_file;
mod manage;
mod pepper;
mod table;
mod token;
mod usage;
mod watcher;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;

pub use error::{KeyEntryError, KeyError};
pub use key_file::{Entry, Limit, Per};
pub use manage::{NewKey, add, list, revoke, rotate};
pub use usage::{Usage, UsedRequests};
pub use watcher::KeyFileWatcher;

use crate::call::{Authenticate, Authentication, Head};
use table::{KeyTable, LookupError, PreviousUsage};
use token::TokenError;

/// The name of the key file in the data folder.
pub const FILE: &str = "keys.json";

/// The authenticator that accepts the bearer keys in a key file.
///
/// The key file contains the hash, the name and the permissions of each key. `rulebook keys add` creates a key.
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

/// The data that requests share with the thread that watches the key file.
struct SharedKeys {
    path: PathBuf,
    table: ArcSwap<KeyTable>,
    workers: usize,
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
        let previous = PreviousUsage::File(usage::read_usages(path)?);
        let table = ArcSwap::from_pointee(KeyTable::load(path, &previous, workers)?);
        Ok(Self(Arc::new(SharedKeys { path: path.to_owned(), table, workers })))
    }

    /// Starts a thread that watches the key file for changes, until the returned watcher is dropped.
    ///
    /// # Errors
    /// Fails if the thread cannot be started.
    pub fn watch(&self) -> io::Result<KeyFileWatcher> {
        KeyFileWatcher::start(Arc::clone(&self.0))
    }

    /// Reads the key file again, even if the file seems unchanged, and logs the number of keys. If the file cannot be
    /// read, logs the error; the keys that were read before remain valid. [`Keys::watch`] calls this when the file
    /// changes; a program can also call it when it receives a signal.
    pub fn reload(&self) {
        if let Err(error) = watcher::reload(&self.0) {
            watcher::log_reload_error(&error);
        }
    }

    /// Returns `true` if the key file contains no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of keys in the key file.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.table.load().len()
    }

    /// Checks the key in the head of a request.
    fn check_key(&self, head: &Head) -> Authentication {
        let Some(key) = head.bearer() else {
            return match head.has_bearer_scheme() {
                true => Authentication::Invalid("the header field Authorization is malformed or repeated".to_owned()),
                false => Authentication::Anonymous,
            };
        };
        match self.0.table.load().find(key, Timestamp::now().as_second()) {
            Ok(identity) => Authentication::Identity(identity),
            Err(error) => Authentication::Invalid(log_message(error).to_owned()),
        }
    }
}

/// Returns the log message for a request whose key is not valid.
fn log_message(error: LookupError) -> &'static str {
    match error {
        LookupError::Malformed(TokenError::Format) => "the token is not a key",
        LookupError::Malformed(TokenError::OldFormat) => {
            "the key has the format of an earlier version and has to be replaced"
        }
        LookupError::Malformed(TokenError::Checksum) => "the key is mistyped or truncated: its checksum is wrong",
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
}
