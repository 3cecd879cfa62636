//! Opens a file with one system call that never waits for the disk.
//!
//! If the file cannot be opened without waiting, [`super::resolve`] opens it: one folder after the other, with the same
//! result.

use std::fs::{File, Metadata};

use cap_std::fs::Dir;
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

use super::resolve::{OpenError, OpenedFile};
use crate::store::FileName;

/// The magic numbers (`statfs(2)`) of local file systems: bcachefs, btrfs, ext2 to ext4, F2FS, overlay, tmpfs, XFS and
/// ZFS, in this order.
///
/// On any other file system, opening a file may wait indefinitely for another machine or for a program.
const LOCAL_FILE_SYSTEMS: [u32; 8] =
    [0xca45_1a4e, 0x9123_683e, 0xef53, 0xf2f5_2010, 0x794c_7630, 0x0102_1994, 0x5846_5342, 0x2fc1_2fc1];

/// Returns `true` if the folder is on a local file system, so that [`open_cached`] can open the files in it.
pub(super) fn is_local(root: &Dir) -> bool {
    rustix::fs::fstatfs(root).is_ok_and(|system| LOCAL_FILE_SYSTEMS.contains(&(system.f_type as u32)))
}

/// Opens a file in this folder or below it, without following links, if the kernel has everything that this needs in
/// its caches. Returns `None` if the file must be opened with [`super::resolve`].
pub(super) fn open_cached(root: &Dir, name: &FileName) -> Option<Result<OpenedFile, OpenError>> {
    // Without `NONBLOCK`, opening a named pipe would wait for a program that writes to the pipe.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    // `NO_XDEV` excludes file systems that are mounted below the folder, because they may not be local.
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
