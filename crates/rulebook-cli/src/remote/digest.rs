//! Digests of file contents: two files with the same digest have the same content. The file stores of rulebook servers
//! use the BLAKE3 hash of a file's content as its entity tag.

use blake3::Hash;
use rulebook::ETag;
use ureq::http::{HeaderMap, header};

use super::TransferError;

/// The result of comparing local content with the content on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verification {
    /// The contents are the same.
    Verified,
    /// The server did not send a digest to compare with.
    Unverified,
}

/// Returns the digest from the header field `ETag` of a response; `None` if the entity tag is not a digest.
pub(super) fn etag_field_digest(fields: &HeaderMap) -> Option<Hash> {
    parse_etag(fields.get(header::ETAG)?.to_str().ok()?)
}

/// Parses an entity tag; `None` unless the tag is strong and consists of 64 hexadecimal digits.
pub(super) fn parse_etag(tag: &str) -> Option<Hash> {
    Hash::from_hex(tag.strip_prefix('"')?.strip_suffix('"')?).ok()
}

/// Returns the entity tag that a server uses for a file with this digest.
pub(super) fn etag(digest: Hash) -> String {
    ETag::strong(digest.to_hex()).to_string()
}

/// Compares a digest with that of the server, if it sent one. Fails if they differ.
pub(super) fn verify(local: Hash, remote: Option<Hash>) -> Result<Verification, TransferError> {
    match remote {
        Some(remote) if remote == local => Ok(Verification::Verified),
        Some(remote) => Err(TransferError::DigestMismatch { local, remote }),
        None => Ok(Verification::Unverified),
    }
}
