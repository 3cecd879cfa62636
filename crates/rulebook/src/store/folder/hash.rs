//! The hash of a file's content, stored in an extended attribute of the file.
//!
//! The attribute is kept when the file is renamed, so that publishing needs only one rename, and there is no separate
//! index that could become outdated. The attribute also records the length and modification time of the file at that
//! moment. If they differ later, another program has written to the file, and the hash is ignored. On file systems
//! without extended attributes, no hash is stored.

use std::fs::{File, Metadata};
use std::io;
use std::time::SystemTime;

use crate::call::ETag;
use crate::transfer::{FileInfo, etag_from_metadata};

/// The name of the attribute.
#[cfg(unix)]
const ATTRIBUTE: &str = "user.rulebook.blake3";
/// Maximum length of the attribute in bytes: 64 digits of hash, and two numbers of at most 16 and 32 digits.
#[cfg(unix)]
const MAX_LEN: usize = 128;

/// Returns the length, entity tag and modification time of an open file.
pub(super) fn file_info(file: &File, metadata: &Metadata) -> FileInfo {
    let etag = stored_etag(file, metadata).or_else(|| etag_from_metadata(metadata, SystemTime::now()));
    FileInfo { length: Some(metadata.len()), accepts_ranges: true, etag, modified: metadata.modified().ok() }
}

/// Stores the hash of a completely written file.
///
/// # Errors
/// Fails if the file system has no extended attributes. Callers may ignore this error; the hash is then not stored.
pub(super) fn store_hash(file: &File, hash: &str) -> io::Result<()> {
    let metadata = file.metadata()?;
    write(file, format!("{hash}{}", state_suffix(&metadata)).as_bytes())
}

/// Returns the stored hash as a strong entity tag, if it belongs to the current content.
fn stored_etag(file: &File, metadata: &Metadata) -> Option<ETag> {
    let stored = read(file)?;
    let hash = stored.strip_suffix(&state_suffix(metadata))?;
    (hash.len() == 2 * blake3::OUT_LEN && hash.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| ETag::strong(hash))
}

/// Returns the part of the attribute after the hash: length and modification time of the file.
fn state_suffix(metadata: &Metadata) -> String {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    format!(" {:x} {:x}", metadata.len(), since.unwrap_or_default().as_nanos())
}

#[cfg(unix)]
fn read(file: &File) -> Option<String> {
    let mut text = [0; MAX_LEN];
    let length = rustix::fs::fgetxattr(file, ATTRIBUTE, &mut text).ok()?;
    std::str::from_utf8(text.get(..length)?).ok().map(str::to_owned)
}

#[cfg(unix)]
fn write(file: &File, text: &[u8]) -> io::Result<()> {
    Ok(rustix::fs::fsetxattr(file, ATTRIBUTE, text, rustix::fs::XattrFlags::empty())?)
}

#[cfg(not(unix))]
fn read(_: &File) -> Option<String> {
    None
}

#[cfg(not(unix))]
fn write(_: &File, _: &[u8]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
