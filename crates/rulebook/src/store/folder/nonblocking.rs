//! Opening a file with one system call that never blocks, on systems that support it.
//!
//! If this is not possible, the caller opens the file in the usual way, one folder after the other, with the same
//! result.

use std::fs::{File, Metadata};

use cap_std::fs::Dir;

use super::resolve::{OpenError, OpenedFile};
use crate::store::FileName;

/// Magic numbers of local file systems. Other file systems may wait indefinitely for another machine or a user-space
/// program.
///
/// They belong, in this order, to bcachefs, btrfs, ext2 to ext4, F2FS, overlay, tmpfs, XFS and ZFS (`statfs(2)`).
#[cfg(target_os = "linux")]
const LOCAL: [u32; 8] =
    [0xca45_1a4e, 0x9123_683e, 0xef53, 0xf2f5_2010, 0x794c_7630, 0x0102_1994, 0x5846_5342, 0x2fc1_2fc1];

/// Returns `true` if files of this folder may be opened by [`open`].
#[cfg(target_os = "linux")]
pub(super) fn is_local(root: &Dir) -> bool {
    rustix::fs::fstatfs(root).is_ok_and(|system| LOCAL.contains(&(system.f_type as u32)))
}

/// Opens a file below this folder, without following links, if all data that this needs is in the caches of the kernel.
/// Returns `None` if the file has to be opened in the usual way.
#[cfg(target_os = "linux")]
pub(super) fn open(root: &Dir, name: &FileName) -> Option<Result<OpenedFile, OpenError>> {
    use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
    use rustix::io::Errno;
    // Without NONBLOCK, opening a named pipe would wait for its writer.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    // NO_XDEV excludes other file systems that are mounted below the folder, because they may block.
    let resolve = ResolveFlags::BENEATH
        | ResolveFlags::NO_SYMLINKS
        | ResolveFlags::NO_MAGICLINKS
        | ResolveFlags::NO_XDEV
        | ResolveFlags::CACHED;
    match openat2(root, name.as_str(), flags, Mode::empty(), resolve) {
        Ok(file) => {
            let file = File::from(file);
            let metadata = file.metadata().ok().filter(Metadata::is_file)?;
            Some(Ok(OpenedFile { file, metadata }))
        }
        Err(Errno::NOENT) => Some(Err(OpenError::NotFound)),
        Err(_) => None,
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_local(_: &Dir) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
pub(super) fn open(_: &Dir, _: &FileName) -> Option<Result<OpenedFile, OpenError>> {
    None
}
