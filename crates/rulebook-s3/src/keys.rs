//! The keys of the objects in the bucket. Each key begins with the prefix of the location.

use object_store::path::Path;
use percent_encoding::percent_decode_str;
use rulebook::store::{FileName, StoreError};

/// The maximum length of a key in bytes (Amazon S3, "Naming Amazon S3 objects").
const MAX_KEY_LEN: usize = 1024;

/// The folder of the pointers, whose names are the names of the files.
const NAMES: &str = "names";
/// The folder of the contents of files.
pub(crate) const CONTENTS: &str = "content";
/// The folder of the files of download links.
pub(crate) const LINKS: &str = "links";
pub(crate) const LINK_CONTENTS: &str = "links/content";
pub(crate) const LINK_HEADS: &str = "links/heads";
/// The folder of the decisions about transactions.
pub(crate) const TRANSACTIONS: &str = "transactions";
/// The folder of the records of multipart uploads.
pub(crate) const UPLOADS: &str = "uploads";
/// The folder of the objects that exist once.
pub(crate) const STATE: &str = "state";

/// Returns the keys of objects below a prefix.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    prefix: String,
}

impl Keys {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// Returns the key of an object in a folder, or the common prefix of all its objects if the name is empty.
    pub(crate) fn key(&self, folder: &str, name: &str) -> Path {
        // `Path::from` percent-encodes the characters that servers may not accept in keys.
        Path::from(format!("{}/{folder}/{name}", self.prefix))
    }

    /// Returns the key of the pointer of a file, which refers to the content of the file.
    pub(crate) fn pointer(&self, name: &FileName) -> Result<Path, StoreError> {
        let key = self.key(NAMES, name.as_str());
        if key.as_ref().len() > MAX_KEY_LEN {
            let max = MAX_KEY_LEN.saturating_sub(self.names(None).as_ref().len() + 1);
            return Err(StoreError::NameTooLong { name: name.clone(), max });
        }
        Ok(key)
    }

    /// Returns the common prefix of the pointers of all files in a folder; `None` is the top folder.
    pub(crate) fn names(&self, folder: Option<&FileName>) -> Path {
        self.key(NAMES, folder.map_or("", FileName::as_str))
    }

    /// Returns the file name that belongs to the key of a pointer, or the name of a folder of pointers. Returns `None`
    /// if another program has created the object.
    pub(crate) fn file_name(&self, key: &Path) -> Option<FileName> {
        let encoded = key.as_ref().strip_prefix(self.names(None).as_ref())?.strip_prefix('/')?;
        let name = percent_decode_str(encoded).decode_utf8().ok()?;
        FileName::parse(&name).ok().filter(|parsed| parsed.as_str() == name)
    }
}

/// Returns a new id for a content or a transaction: 128 random bits as hexadecimal digits.
pub(crate) fn random_id() -> Result<String, StoreError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|error| StoreError::Unavailable { action: "creating a file", error: error.to_string().into() })?;
    Ok(hex::encode(random))
}
