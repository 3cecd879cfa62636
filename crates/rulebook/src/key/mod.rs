//! Bearer keys (RFC 6750), whose hashes are stored in a file.
//!
//! Contains the key file, the management of keys, and the authenticator for them. A key consists of an id and 40 random
//! bytes. The file contains the HMAC of these bytes with the pepper of the server: a secret of that length needs
//! neither a salt nor a slow hash. Requests look keys up in a table, which is replaced as a whole. This module must not
//! interpret permissions.

mod error;
mod file;
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
pub use file::{Entry, Limit, Per};
pub use manage::{NewKey, add, list, revoke, rotate};
pub use usage::{Usage, UsedRequests};
pub use watcher::KeyFileWatcher;

use crate::call::{Authenticate, Authentication, Head};
use table::{Before, LookupError, Table};
use token::TokenError;

/// The name of the key file in the data folder.
pub const FILE: &str = "keys.json";

/// The authenticator for bearer keys in a key file.
///
/// The file contains the hash, the name and the permissions of each key. `rulebook keys add` creates a key.
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
pub struct Keys(Arc<Shared>);

/// The data that requests and the watcher share.
struct Shared {
    path: PathBuf,
    table: ArcSwap<Table>,
    workers: usize,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("keys", &self.len()).finish()
    }
}

impl Keys {
    /// Reads a key file, for a server with one worker per processor. A file that does not exist contains no keys. The
    /// pepper is the value of the environment variable `RULEBOOK_PEPPER`, or else of the file `pepper` beside the key
    /// file.
    ///
    /// # Errors
    /// Fails if the file cannot be read or is not a key file, or the pepper is missing or different.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        Self::load_for(path, std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// Same as [`Keys::load`], for a server with this number of workers. A [`RateLimiter`](crate::RateLimiter) divides
    /// the limit of a key among them.
    ///
    /// # Errors
    /// Fails like [`Keys::load`].
    pub fn load_for(path: &Path, workers: usize) -> Result<Self, KeyError> {
        let before = Before::Stored(usage::read(path)?);
        let table = ArcSwap::from_pointee(Table::load(path, &before, workers)?);
        Ok(Self(Arc::new(Shared { path: path.to_owned(), table, workers })))
    }

    /// Starts a thread that watches the file until the returned watcher is dropped.
    ///
    /// # Errors
    /// Fails if the thread cannot be started.
    pub fn watch(&self) -> io::Result<KeyFileWatcher> {
        KeyFileWatcher::start(Arc::clone(&self.0))
    }

    /// Returns `true` if there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.table.load().len()
    }
}

/// Returns the log message about an invalid key.
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

/// Requests without a bearer token are left to other authenticators, because a proxy may add `Authorization: Basic`,
/// for example.
impl Authenticate for Keys {
    async fn authenticate(&self, head: &Head) -> Authentication {
        let Some(key) = head.bearer() else {
            return match head.has_bearer_scheme() {
                true => Authentication::Invalid("the header field Authorization is malformed or repeated".to_owned()),
                false => Authentication::Anonymous,
            };
        };
        match self.0.table.load().find(key, Timestamp::now().as_second()) {
            Ok(identity) => Authentication::Identity(identity.clone()),
            Err(error) => Authentication::Invalid(log_message(error).to_owned()),
        }
    }
}
