//! Entity tags of files whose content has not been hashed.

use std::fs::Metadata;
use std::time::{Duration, SystemTime};

use crate::call::ETag;

/// The time within which a file may change twice without a difference in its metadata.
const UNSETTLED: Duration = Duration::from_secs(2);

/// Derives an entity tag from the inode, length and modification time of a file, so that a change of the content
/// changes the tag. The tag is weak if the file was modified in the last two seconds, because it could change again
/// without a difference in these values.
#[must_use]
pub fn etag_from_metadata(metadata: &Metadata, now: SystemTime) -> Option<ETag> {
    let modified = metadata.modified().ok()?;
    let since = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let text = format!("{:x}-{:x}-{:x}", inode(metadata), metadata.len(), since.as_nanos());
    let settled = now.duration_since(modified).is_ok_and(|age| age > UNSETTLED);
    Some(if settled { ETag::strong(text) } else { ETag::weak(text) })
}

/// Returns the inode number, which changes when another file replaces this one.
#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}
