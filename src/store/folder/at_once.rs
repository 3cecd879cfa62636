//! Opening a file in one step that never waits, where the system knows how to.
//!
//! What cannot be opened so is no fault: it is opened the usual way, one folder after the other, which tells the same.

use std::fs::{File, Metadata};

use cap_std::fs::Dir;

use super::way::{Blocked, Opened};
use crate::store::Name;

/// File systems of which no step is asked of another machine or program: those could be waited for, for ever.
///
/// In this order: bcachefs, btrfs, ext2 to ext4, F2FS, overlay, tmpfs, XFS, ZFS (`statfs(2)`).
#[cfg(target_os = "linux")]
const LOCAL: [u32; 8] =
    [0xca45_1a4e, 0x9123_683e, 0xef53, 0xf2f5_2010, 0x794c_7630, 0x0102_1994, 0x5846_5342, 0x2fc1_2fc1];

/// Whether the files of this folder may be opened at once.
#[cfg(target_os = "linux")]
pub(super) fn is_local(root: &Dir) -> bool {
    rustix::fs::fstatfs(root).is_ok_and(|system| LOCAL.contains(&(system.f_type as u32)))
}

/// Opens a file below this folder, along no link, if all that it takes is in memory; none where only the usual way can
/// tell.
#[cfg(target_os = "linux")]
pub(super) fn open(root: &Dir, name: &Name) -> Option<Result<Opened, Blocked>> {
    use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
    use rustix::io::Errno;
    // What is no file, such as a pipe, is not waited for.
    let how = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    // Another file system below may be one that is waited for.
    let way = ResolveFlags::BENEATH
        | ResolveFlags::NO_SYMLINKS
        | ResolveFlags::NO_MAGICLINKS
        | ResolveFlags::NO_XDEV
        | ResolveFlags::CACHED;
    match openat2(root, name.as_str(), how, Mode::empty(), way) {
        Ok(file) => {
            let file = File::from(file);
            let kind = file.metadata().ok().filter(Metadata::is_file)?;
            Some(Ok(Opened { file, kind }))
        }
        Err(Errno::NOENT) => Some(Err(Blocked::Missing)),
        Err(_) => None,
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_local(_: &Dir) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
pub(super) fn open(_: &Dir, _: &Name) -> Option<Result<Opened, Blocked>> {
    None
}
