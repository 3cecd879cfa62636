//! What a content is known by.

use std::fmt;
use std::fs::File;
use std::io;

use blake3::{Hash, Hasher};
use ureq::http::{HeaderMap, header};

use crate::call::ETag;

/// The BLAKE3 hash of a content. Rulebook's servers make their tags of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digest(Hash);

/// Whether a content has been compared with the server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    /// It has, and is the same.
    Same,
    /// The server does not tell the hash of its own.
    Untold,
}

impl Digest {
    /// The digest that the fields of an answer tell; none where the server's tags are made otherwise.
    pub(super) fn told(fields: &HeaderMap) -> Option<Self> {
        Self::of_tag(fields.get(header::ETAG)?.to_str().ok()?)
    }

    /// The digest that a tag is: a strong one of 64 hexadecimal digits.
    pub(super) fn of_tag(tag: &str) -> Option<Self> {
        let hex = tag.strip_prefix('"')?.strip_suffix('"')?;
        Hash::from_hex(hex).ok().map(Self)
    }

    /// The tag of a content with this digest.
    pub(super) fn tag(self) -> ETag {
        ETag::strong(self.0.to_hex())
    }

    /// The digest of what has been hashed.
    pub(super) fn of(hasher: &Hasher) -> Self {
        Self(hasher.finalize())
    }

    /// The digest of a file's content.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn read(mut file: File) -> io::Result<Self> {
        let mut hasher = Hasher::new();
        io::copy(&mut file, &mut hasher)?;
        Ok(Self::of(&hasher))
    }

    /// Compares this one with what the server tells.
    pub(super) fn check(self, told: Option<Self>) -> Result<Checked, super::Failure> {
        match told {
            Some(told) if told == self => Ok(Checked::Same),
            Some(told) => Err(super::Failure::Digest { own: self, told }),
            None => Ok(Checked::Untold),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_hex())
    }
}
