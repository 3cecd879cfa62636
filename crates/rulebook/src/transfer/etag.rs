//! Entity tags that are derived from the metadata of a file, for files whose content has not been hashed.

use std::fs::Metadata;
use std::time::{Duration, SystemTime};

use crate::call::ETag;

/// The time after a modification within which the file may change again while its metadata stay the same.
const UNSETTLED_TIME: Duration = Duration::from_secs(2);

/// Returns an entity tag that consists of the inode, the length and the modification time of a file. The tag is weak if
/// the file was modified in the last two seconds, because the content could change again while these three values stay
/// the same. Returns `None` if the modification time is unknown or before 1970.
#[must_use]
pub fn etag_from_metadata(metadata: &Metadata, now: SystemTime) -> Option<ETag> {
    let modified = metadata.modified().ok()?;
    let since = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let text = format!("{:x}-{:x}-{:x}", inode(metadata), metadata.len(), since.as_nanos());
    let settled = now.duration_since(modified).is_ok_and(|age| age > UNSETTLED_TIME);
    Some(if settled { ETag::strong(text) } else { ETag::weak(text) })
}

/// Returns the number of the file's inode, which changes when another file replaces this file.
#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}
