//! The small objects that give names to contents.
//!
//! A pointer belongs to a file name, and refers to the content of the file. While several files are published together,
//! each of their pointers also contains the new entry and the id of the transaction. The transaction is decided by the
//! creation of one object, its decision: either it commits the transaction, or it aborts it. The server that creates
//! the object first decides; it never changes. Until then, and if the decision is to abort, the old entry of each
//! pointer is valid; after a commit, the new entry is.

use std::time::{Duration, Instant, SystemTime};

use object_store::path::Path;
use rulebook::ETag;
use rulebook::store::{FileInfo, FileName, NewFile, StoreError};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::bucket::{Bucket, Version, Versioned, Written, unavailable};
use crate::keys::TRANSACTIONS;

/// After this time, another server may abort a transaction that has not been decided. The server that has begun it has
/// been killed, or is far too slow.
pub(crate) const ABANDONED_AFTER: Duration = Duration::from_secs(30);
/// For how long a server waits for the transactions of other servers.
const MAX_WAIT: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const MAX_PAUSE: Duration = Duration::from_millis(500);

const READ: &str = "reading the entry of a file";

/// The object that belongs to a file name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pointer {
    /// The content of the file; `None` if the file does not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) current: Option<Entry>,
    /// The content that the file gets if a transaction is committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pending: Option<Pending>,
}

/// What a pointer says about a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) content: String,
    pub(crate) length: u64,
    /// The BLAKE3 hash of the content as hexadecimal digits.
    pub(crate) hash: String,
    /// The modification time in milliseconds since the Unix epoch.
    pub(crate) modified: u64,
}

/// The part of a transaction that belongs to one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) transaction: String,
    /// The new content of the file.
    pub(crate) entry: Entry,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Decision {
    /// `true` if the transaction is committed, `false` if it is aborted.
    pub(crate) commit: bool,
    /// The names of the files, so that another server can complete a committed transaction.
    #[serde(default)]
    pub(crate) names: Vec<String>,
}

impl Pointer {
    /// Returns `true` if a pointer of this size in bytes, in JSON, can have a current and no pending entry. A listing
    /// reads the pointers of other sizes.
    pub(crate) fn is_plain_size(size: u64) -> bool {
        // The names of the fields, an id and a hash; two numbers of at most 20 digits.
        (150..=205).contains(&size)
    }
}

impl Entry {
    pub(crate) fn new(file: &NewFile) -> Self {
        let since = file.info.modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        Self {
            content: file.content.clone(),
            length: file.info.length.unwrap_or_default(),
            hash: file.hash.clone(),
            modified: since.and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or_default(),
        }
    }

    /// Returns the length, entity tag and modification time of the file.
    pub(crate) fn info(&self) -> FileInfo {
        let mut info = FileInfo::default();
        info.length = Some(self.length);
        info.accepts_ranges = true;
        info.etag = Some(ETag::strong(&self.hash));
        info.modified = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(self.modified));
        info
    }
}

impl Decision {
    pub(crate) fn commit<'n>(names: impl Iterator<Item = &'n FileName>) -> Self {
        Self { commit: true, names: names.map(|name| name.as_str().to_owned()).collect() }
    }

    pub(crate) fn abort() -> Self {
        Self { commit: false, names: Vec::new() }
    }
}

/// What the pointer of a file means at one moment.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The content of the file; `None` if the file does not exist.
    pub(crate) current: Option<Entry>,
    pub(crate) version: Version,
    /// The transaction that has not been decided, and the time since which it waits.
    open_transaction: Option<(String, SystemTime)>,
}

impl Bucket {
    pub(crate) async fn resolve(&self, pointer: &Path) -> Result<Resolved, StoreError> {
        let mut seen = self.read::<Pointer>(pointer, READ).await?;
        loop {
            let Some(Versioned { value: Pointer { current, pending }, version, written }) = seen else {
                return Ok(Resolved { current: None, version: None, open_transaction: None });
            };
            let Some(pending) = pending else { return Ok(Resolved { current, version, open_transaction: None }) };
            let decision = self.read::<Decision>(&self.keys.key(TRANSACTIONS, &pending.transaction), READ).await?;
            if let Some(Versioned { value: Decision { commit, .. }, .. }) = decision {
                let current = if commit { Some(pending.entry) } else { current };
                return Ok(Resolved { current, version, open_transaction: None });
            }
            // A decision is deleted after all pointers have been completed. If the pointer is still the same, there has
            // been no decision.
            seen = self.read::<Pointer>(pointer, READ).await?;
            if seen.as_ref().is_some_and(|again| again.version == version) {
                return Ok(Resolved { current, version, open_transaction: Some((pending.transaction, written)) });
            }
        }
    }

    /// Reads the pointer of a file that will be changed. Waits until the transactions of other servers are decided, and
    /// aborts those that are abandoned. `transaction` is the transaction of the caller.
    pub(crate) async fn resolve_for_change(
        &self,
        pointer: &Path,
        transaction: Option<&str>,
    ) -> Result<Resolved, StoreError> {
        let start = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let resolved = self.resolve(pointer).await?;
            let Some((other, since)) = &resolved.open_transaction else { return Ok(resolved) };
            if Some(other.as_str()) == transaction {
                return Ok(resolved);
            }
            if is_abandoned(*since) {
                self.decide(other, &Decision::abort()).await?;
                continue;
            }
            if start.elapsed() > MAX_WAIT {
                return Err(unavailable("publishing a file", "other servers were still publishing the same files"));
            }
            sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// Reads the pointer of a file. If its transaction is abandoned, aborts it. Returns `None` if the pointer has to
    /// wait.
    pub(crate) async fn resolve_now(&self, pointer: &Path) -> Result<Option<Resolved>, StoreError> {
        let resolved = self.resolve(pointer).await?;
        match &resolved.open_transaction {
            None => Ok(Some(resolved)),
            Some((transaction, since)) if is_abandoned(*since) => {
                self.decide(transaction, &Decision::abort()).await?;
                self.resolve(pointer).await.map(|again| Some(again).filter(|again| again.open_transaction.is_none()))
            }
            Some(_) => Ok(None),
        }
    }

    /// Decides a transaction, unless it has been decided already. Returns the decision that is valid; `None` if another
    /// server has already deleted it, after it has completed all pointers.
    pub(crate) async fn decide(&self, transaction: &str, decision: &Decision) -> Result<Option<Decision>, StoreError> {
        const DECIDE: &str = "deciding about a publication";
        let key = self.keys.key(TRANSACTIONS, transaction);
        match self.write_if(&key, decision, &None, DECIDE).await? {
            Written::Done(_) => Ok(Some(decision.clone())),
            Written::Conflict => Ok(self.read::<Decision>(&key, DECIDE).await?.map(|decided| decided.value)),
        }
    }
}

fn is_abandoned(since: SystemTime) -> bool {
    SystemTime::now().duration_since(since).is_ok_and(|age| age > ABANDONED_AFTER)
}

impl Resolved {
    /// Returns `true` if the pointer waits for a decision.
    pub(crate) fn has_open_transaction(&self) -> bool {
        self.open_transaction.is_some()
    }

    /// Returns `true` if the pointer waits for the decision about this transaction.
    pub(crate) fn is_prepared_for(&self, transaction: &str) -> bool {
        self.open_transaction.as_ref().is_some_and(|(id, _)| id == transaction)
    }
}
