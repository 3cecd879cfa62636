//! Digests that identify the content of a file.

use std::fmt;
use std::fs::File;
use std::io;

use blake3::{Hash, Hasher};
use ureq::http::{HeaderMap, header};

use rulebook::ETag;

/// The BLAKE3 hash of a file's content. The file stores of rulebook servers use it as the entity tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digest(Hash);

/// The result of comparing local content with the content on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verification {
    /// The contents are the same.
    Verified,
    /// The server did not send a digest to compare with.
    Unverified,
}

impl Digest {
    /// Reads the digest from the `ETag` of a response; `None` if the tag is not a digest.
    pub(super) fn from_fields(fields: &HeaderMap) -> Option<Self> {
        Self::from_tag(fields.get(header::ETAG)?.to_str().ok()?)
    }

    /// Parses an entity tag; `None` unless it is strong and consists of 64 hexadecimal digits.
    pub(super) fn from_tag(tag: &str) -> Option<Self> {
        let hex = tag.strip_prefix('"')?.strip_suffix('"')?;
        Hash::from_hex(hex).ok().map(Self)
    }

    /// Returns the entity tag of a content with this digest.
    pub(super) fn tag(self) -> ETag {
        ETag::strong(self.0.to_hex())
    }

    /// Returns the digest of the bytes that the hasher has received.
    pub(super) fn of(hasher: &Hasher) -> Self {
        Self(hasher.finalize())
    }

    /// Computes the digest of a file's content.
    ///
    /// # Errors
    /// Fails if the file cannot be read.
    pub(super) fn read(mut file: File) -> io::Result<Self> {
        let mut hasher = Hasher::new();
        io::copy(&mut file, &mut hasher)?;
        Ok(Self::of(&hasher))
    }

    /// Compares the digest with that of the server, if the server sent one.
    ///
    /// # Errors
    /// Fails if the digests differ.
    pub(super) fn verify(self, remote: Option<Self>) -> Result<Verification, super::TransferError> {
        match remote {
            Some(remote) if remote == self => Ok(Verification::Verified),
            Some(remote) => Err(super::TransferError::DigestMismatch { local: self, remote }),
            None => Ok(Verification::Unverified),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_hex())
    }
}
