//! The keys of the objects in the bucket. Each key begins with the prefix of the location.

use object_store::path::Path;
use percent_encoding::percent_decode_str;
use rulebook::store::{FileName, LinkId, StoreError};

/// The maximum length of a key in bytes (Amazon S3, "Naming Amazon S3 objects").
const MAX_KEY_LEN: usize = 1024;

/// Returns the keys of objects below a prefix.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    prefix: String,
}

impl Keys {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    fn key(&self, folder: &str, name: &str) -> Path {
        // `Path::from` percent-encodes the characters that servers may not accept in keys.
        Path::from(format!("{}/{folder}/{name}", self.prefix))
    }

    /// Returns the key of the pointer of a file, which refers to the content of the file.
    pub(crate) fn pointer(&self, name: &FileName) -> Result<Path, StoreError> {
        let key = self.key("names", name.as_str());
        if key.as_ref().len() > MAX_KEY_LEN {
            let max = MAX_KEY_LEN.saturating_sub(self.names(None).as_ref().len() + 1);
            return Err(StoreError::NameTooLong { name: name.clone(), max });
        }
        Ok(key)
    }

    /// Returns the common prefix of the pointers of all files in a folder; `None` is the top folder.
    pub(crate) fn names(&self, folder: Option<&FileName>) -> Path {
        self.key("names", folder.map_or("", FileName::as_str))
    }

    /// Returns the file name that belongs to the key of a pointer, or the name of a folder of pointers. Returns `None`
    /// if another program has created the object.
    pub(crate) fn file_name(&self, key: &Path) -> Option<FileName> {
        let encoded = key.as_ref().strip_prefix(self.names(None).as_ref())?.strip_prefix('/')?;
        let name = percent_decode_str(encoded).decode_utf8().ok()?;
        FileName::parse(&name).ok().filter(|parsed| parsed.as_str() == name)
    }

    /// Returns the key of a content.
    pub(crate) fn content(&self, id: &str) -> Path {
        self.key("content", id)
    }

    /// Returns the common prefix of all contents.
    pub(crate) fn contents(&self) -> Path {
        self.key("content", "")
    }

    /// Returns the key of the content of a download link.
    pub(crate) fn link_content(&self, nonce: &str) -> Path {
        self.key("links/content", nonce)
    }

    /// Returns the common prefix of the contents of all links.
    pub(crate) fn link_contents(&self) -> Path {
        self.key("links/content", "")
    }

    /// Returns the key of the head of a download link.
    pub(crate) fn link_head(&self, id: &LinkId) -> Path {
        self.key("links/heads", &id.to_string())
    }

    /// Returns the common prefix of the heads of all links.
    pub(crate) fn link_heads(&self) -> Path {
        self.key("links/heads", "")
    }

    /// Returns the common prefix of the files of all links.
    pub(crate) fn links(&self) -> Path {
        self.key("links", "")
    }

    /// Returns the key of the decision about a transaction.
    pub(crate) fn transaction(&self, id: &str) -> Path {
        self.key("transactions", id)
    }

    /// Returns the common prefix of all decisions about transactions.
    pub(crate) fn transactions(&self) -> Path {
        self.key("transactions", "")
    }

    /// Returns the key of the record of a multipart upload.
    pub(crate) fn upload(&self, content: &str) -> Path {
        self.key("uploads", content)
    }

    /// Returns the common prefix of the records of all multipart uploads.
    pub(crate) fn uploads(&self) -> Path {
        self.key("uploads", "")
    }

    /// Returns the key of an object that exists once.
    pub(crate) fn single(&self, name: &str) -> Path {
        self.key("state", name)
    }
}

/// Returns a new id for a content or a transaction: 128 random bits as hexadecimal digits.
pub(crate) fn random_id() -> Result<String, StoreError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|error| StoreError::Unavailable { action: "creating a file", error: error.to_string().into() })?;
    Ok(hex::encode(random))
}

#[cfg(test)]
mod tests {
    use super::Keys;
    use object_store::path::Path;
    use rulebook::store::{FileName, StoreError};

    #[test]
    fn every_name_has_a_key_from_which_it_can_be_read_again() {
        for prefix in ["", "a/b"] {
            let keys = Keys::new(prefix);
            for text in ["a", "public/封面.png", "a b/c#d", "[x]{y}^`~", "é&=+,;@$!'()", "names/content"] {
                let name = FileName::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
                let key = keys.pointer(&name).unwrap_or_else(|error| panic!("{text}: {error}"));
                assert_eq!(keys.file_name(&key), Some(name), "{key}");
            }
            for other in ["x", "content/a", "a/b/names", "a/b/names2/x", "names/%2e%2e"] {
                assert_eq!(keys.file_name(&Path::from(other)), None, "{other}");
            }
        }
    }

    #[test]
    fn a_name_whose_key_would_be_too_long_is_an_error() {
        let part = "a".repeat(250);
        let name = FileName::parse(&[part.as_str(); 4].join("/")).unwrap_or_else(|error| panic!("{error}"));
        assert!(Keys::new("").pointer(&name).is_ok());
        assert!(matches!(Keys::new("prefix/of/many/words").pointer(&name), Err(StoreError::NameTooLong { .. })));
    }
}
