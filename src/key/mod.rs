//! Bearer keys (RFC 6750), kept in a file by their hashes.
//!
//! In charge of the key file, of making keys, and of finding out whose key a
//! request carries. A key is an id and 40 random bytes; the file keeps their
//! HMAC under the server's pepper, which for a secret of that length needs
//! neither salt nor work factor. Requests read a table that is replaced as a whole.
//! Must not know what scopes mean.

mod error;
mod file;
mod keeper;
mod manage;
mod pepper;
mod table;
mod token;
mod usage;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::header;
use jiff::Timestamp;

pub use error::{EntryFlaw, KeyError};
pub use file::{Entry, Limit, Per};
pub use keeper::Keeper;
pub use manage::{Wish, add, list, revoke, rotate};
pub use usage::Usage;

use crate::call::{Head, Inspect, Inspection};
use table::{Before, Refused, Table};
use token::Flaw;

/// The key file's name in the server's folder.
pub const FILE: &str = "keys.json";

/// The bearer keys of a server.
///
/// A key file lists each key's hash, whose it is and what it permits; `rulebook keys add` makes one:
///
/// ```
/// use rulebook::{Keys, Rulebook};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = Keys::load("data/keys.json".as_ref())?;
/// // Until this is dropped, keys that are made or revoked meanwhile count within a second.
/// let keeper = keys.keep()?;
/// let rulebook = Rulebook::load("api").inspect(keys);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Keys(Arc<Shared>);

/// What requests and the keeper share.
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
    /// The keys of a file; none where there is no such file. They are known by the pepper `RULEBOOK_PEPPER` of the
    /// environment, else by that of the file `pepper` beside it.
    ///
    /// # Errors
    /// It cannot be read, is not a key file, or its keys were made with a pepper that is not there.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        Self::load_for(path, std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// The same, for a server of so many workers: how many requests of a key with a limit each of them may count by
    /// itself depends on it.
    ///
    /// # Errors
    /// As for [`Keys::load`].
    pub fn load_for(path: &Path, workers: usize) -> Result<Self, KeyError> {
        let kept = Before::Kept(usage::read(path)?);
        let table = ArcSwap::from_pointee(Table::load(path, &kept, workers)?);
        Ok(Self(Arc::new(Shared { path: path.to_owned(), table, workers })))
    }

    /// Has the file looked after, by a thread of its own, until what is given back is dropped.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn keep(&self) -> io::Result<Keeper> {
        Keeper::start(Arc::clone(&self.0))
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.table.load().len()
    }

    fn look_up(&self, head: &Head) -> Inspection {
        let mut fields = head.headers.iter().filter(|(name, _)| name == header::AUTHORIZATION);
        let Some((_, value)) = fields.next() else { return Inspection::Nobody };
        if fields.next().is_some() {
            return Inspection::Invalid("more than one Authorization field".to_owned());
        }
        let Some((scheme, key)) = value.to_str().ok().and_then(|value| value.split_once(' ')) else {
            return Inspection::Invalid("an Authorization field without scheme and key".to_owned());
        };
        if !scheme.eq_ignore_ascii_case("Bearer") {
            return Inspection::Invalid("an Authorization field of another scheme than Bearer".to_owned());
        }
        match self.0.table.load().find(key.trim_matches(' '), Timestamp::now().as_second()) {
            Ok(identity) => Inspection::Identity(identity.clone()),
            Err(refused) => Inspection::Invalid(words(refused).to_owned()),
        }
    }
}

/// Why a key is refused, for the log.
fn words(refused: Refused) -> &'static str {
    match refused {
        Refused::Flaw(Flaw::Shape) => "what is no key",
        Refused::Flaw(Flaw::Old) => "a key of an earlier version, which has to be made anew",
        Refused::Flaw(Flaw::Checksum) => "a key that is mistyped or cut off: its checksum is another one",
        Refused::Unknown => "an unknown key",
        Refused::Expired => "a key that has expired",
    }
}

impl Inspect for Keys {
    fn inspect<'a>(&'a self, head: &'a Head) -> Pin<Box<dyn Future<Output = Inspection> + Send + 'a>> {
        Box::pin(std::future::ready(self.look_up(head)))
    }
}
