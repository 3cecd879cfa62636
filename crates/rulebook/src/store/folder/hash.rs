//! The hash of a file's content, which is stored in an extended attribute of the file.
//!
//! A file keeps its attribute when it is renamed, so that publishing a file with its hash needs only one rename, and no
//! separate index of hashes can become outdated. Besides the hash, the attribute contains the length and the
//! modification time that the file had when it was hashed. If the file has different values later, another program has
//! written to it, and the hash is ignored. On file systems without extended attributes, no hash is stored.

use std::fs::{File, Metadata};
use std::io;
use std::time::SystemTime;

use crate::call::ETag;
use crate::transfer::{FileInfo, etag_from_metadata};

#[cfg(unix)]
const HASH_ATTRIBUTE: &str = "user.rulebook.blake3";
/// The maximum length of the attribute's value in bytes: a hash of 64 digits, and two numbers of at most 16 and 32
/// digits.
#[cfg(unix)]
const MAX_ATTRIBUTE_LEN: usize = 128;

/// Returns the metadata of an open file. The entity tag is the stored hash or, if no hash is stored, derived from the
/// file system's metadata.
pub(super) fn file_info(file: &File, metadata: &Metadata) -> FileInfo {
    let etag = stored_etag(file, metadata).or_else(|| etag_from_metadata(metadata, SystemTime::now()));
    FileInfo { length: Some(metadata.len()), accepts_ranges: true, etag, modified: metadata.modified().ok() }
}

/// Stores the hash of a file whose content is complete.
///
/// # Errors
/// Fails if the file system has no extended attributes. A caller may ignore this error; the file then has no stored
/// hash.
pub(super) fn store_hash(file: &File, hash: &str) -> io::Result<()> {
    let metadata = file.metadata()?;
    write_attribute(file, format!("{hash}{}", state_suffix(&metadata)).as_bytes())
}

/// Returns the stored hash as a strong entity tag; `None` if there is no hash, or the file has changed since it was
/// hashed.
fn stored_etag(file: &File, metadata: &Metadata) -> Option<ETag> {
    let stored = read_attribute(file)?;
    let hash = stored.strip_suffix(&state_suffix(metadata))?;
    (hash.len() == 2 * blake3::OUT_LEN && hash.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| ETag::strong(hash))
}

/// Returns the part of the attribute's value after the hash: the length and the modification time of the file.
fn state_suffix(metadata: &Metadata) -> String {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    format!(" {:x} {:x}", metadata.len(), since.unwrap_or_default().as_nanos())
}

#[cfg(unix)]
fn read_attribute(file: &File) -> Option<String> {
    let mut text = [0; MAX_ATTRIBUTE_LEN];
    let length = rustix::fs::fgetxattr(file, HASH_ATTRIBUTE, &mut text).ok()?;
    std::str::from_utf8(text.get(..length)?).ok().map(str::to_owned)
}

#[cfg(unix)]
fn write_attribute(file: &File, text: &[u8]) -> io::Result<()> {
    Ok(rustix::fs::fsetxattr(file, HASH_ATTRIBUTE, text, rustix::fs::XattrFlags::empty())?)
}

#[cfg(not(unix))]
fn read_attribute(_: &File) -> Option<String> {
    None
}

#[cfg(not(unix))]
fn write_attribute(_: &File, _: &[u8]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
