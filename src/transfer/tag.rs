//! Tags of files whose content nobody has read.

use std::fs::Metadata;
use std::time::{Duration, SystemTime};

use crate::call::ETag;

/// Within which time a file may change twice and look as if it had not.
const UNSETTLED: Duration = Duration::from_secs(2);

/// The tag of a file by what its folder knows of it: another content has another one. As long as it may be changed
/// once more without looking so, that is only likely.
#[must_use]
pub fn tag(kind: &Metadata, now: SystemTime) -> Option<ETag> {
    let modified = kind.modified().ok()?;
    let since = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let text = format!("{:x}-{:x}-{:x}", which(kind), kind.len(), since.as_nanos());
    let settled = now.duration_since(modified).is_ok_and(|age| age > UNSETTLED);
    Some(if settled { ETag::strong(text) } else { ETag::weak(text) })
}

/// Which file it is among those of its disk: another one may take its place.
#[cfg(unix)]
fn which(kind: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(kind)
}

#[cfg(not(unix))]
fn which(_: &Metadata) -> u64 {
    0
}
