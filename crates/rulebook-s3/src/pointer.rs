//! The small objects that give names to contents.
//!
//! A pointer belongs to a file name, and refers to the content of the file. While several files are published together,
//! each of their pointers also contains the new entry and the id of the transaction. The transaction is decided by the
//! creation of one object, its decision: either it commits the transaction, or it aborts it. The server that creates
//! the object first decides; it never changes. Until then, and if the decision is to abort, the old entry of each
//! pointer is valid; after a commit, the new entry is.

use std::time::{Duration, SystemTime};

use rulebook::ETag;
use rulebook::store::{FileInfo, FileName, NewFile};
use serde::{Deserialize, Serialize};

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
