//! Digests of file contents: two files with the same digest have the same content.

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
    /// Returns the digest from the header field `ETag` of a response; `None` if the entity tag is not a digest.
    pub(super) fn from_etag_field(fields: &HeaderMap) -> Option<Self> {
        Self::parse_etag(fields.get(header::ETAG)?.to_str().ok()?)
    }

    /// Parses an entity tag; `None` unless the tag is strong and consists of 64 hexadecimal digits.
    pub(super) fn parse_etag(tag: &str) -> Option<Self> {
        let hex = tag.strip_prefix('"')?.strip_suffix('"')?;
        Hash::from_hex(hex).ok().map(Self)
    }

    /// Returns the entity tag that a server uses for a file with this digest.
    pub(super) fn to_etag(self) -> ETag {
        ETag::strong(self.0.to_hex())
    }

    /// Returns the digest of all bytes that were added to the hasher.
    pub(super) fn from_hasher(hasher: &Hasher) -> Self {
        Self(hasher.finalize())
    }

    /// Computes the digest of a file's content.
    pub(super) fn of_file(file: File) -> io::Result<Self> {
        Hasher::new().update_reader(file).map(|hasher| Self::from_hasher(hasher))
    }

    /// Compares this digest with `remote`, the digest that the server sent, if it sent a digest.
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
