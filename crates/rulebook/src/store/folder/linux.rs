//! Opens a file with one system call that never waits for the disk, and keeps the contents of small files.
//!
//! If the file cannot be opened without waiting, [`super::open_file`] opens it: one folder after the other, with the
//! same result.

use std::cell::RefCell;
use std::fs::{File, Metadata};
use std::os::linux::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use cap_std::fs::Dir;
use quick_cache::Weighter;
use quick_cache::unsync::Cache;
use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, Stat, openat2, statat};
use rustix::io::{Errno, ReadWriteFlags, preadv2};

use super::{OpenError, OpenedFile};
use crate::store::FileName;
use crate::transfer::FileInfo;

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
/// its caches. Returns `None` if the file must be opened with [`super::open_file`].
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

// The contents of small files that a thread has read, so that reading one again needs neither opening nor reading it:
// a single system call shows whether the file is still the same.

/// The maximum length in bytes of a file that is remembered.
const MAX_FILE_LEN: u64 = 64 << 10;
/// The maximum number of bytes that a thread remembers.
const MAX_TOTAL_LEN: usize = 4 << 20;
/// The number of bytes that remembering a file costs besides its name and its content.
const ENTRY_LEN: usize = 256;
/// The time after a change of a file within which it may change again while its metadata stay the same. A file is
/// remembered only after this time.
const UNSETTLED_TIME: Duration = Duration::from_secs(2);

thread_local! {
    static SMALL_FILES: RefCell<Cache<FileName, SmallFile, BytesInMemory>> =
        RefCell::new(Cache::with_weighter(MAX_TOTAL_LEN / ENTRY_LEN, MAX_TOTAL_LEN as u64, BytesInMemory));
}

#[derive(Clone)]
struct BytesInMemory;

impl Weighter<FileName, SmallFile> for BytesInMemory {
    fn weight(&self, name: &FileName, file: &SmallFile) -> u64 {
        (name.as_str().len() + file.bytes.len() + ENTRY_LEN) as u64
    }
}

struct SmallFile {
    state: FileState,
    bytes: Bytes,
    info: FileInfo,
}

/// What the system says of a file. It is different for every file, and for the same file after every change of its
/// content, its permissions or its extended attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileState {
    device: u64,
    inode: u64,
    length: u64,
    /// The time of the last change in seconds and nanoseconds.
    changed: (i64, i64),
}

impl From<&Metadata> for FileState {
    fn from(metadata: &Metadata) -> Self {
        let changed = (metadata.st_ctime(), metadata.st_ctime_nsec());
        Self { device: metadata.st_dev(), inode: metadata.st_ino(), length: metadata.st_size(), changed }
    }
}

impl FileState {
    fn of_name(root: &Dir, name: &FileName) -> Option<Self> {
        let Stat { st_dev, st_ino, st_size, st_ctime, st_ctime_nsec, .. } =
            statat(root, name.as_str(), AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let length = u64::try_from(st_size).ok()?;
        Some(Self { device: st_dev, inode: st_ino, length, changed: (st_ctime, st_ctime_nsec.try_into().ok()?) })
    }

    /// Returns `true` if the next change of the file will give it another time.
    fn is_settled(&self) -> bool {
        let since_change = u64::try_from(self.changed.0).ok().and_then(|seconds| {
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).ok()
        });
        since_change.is_some_and(|age| age > UNSETTLED_TIME)
    }
}

/// Returns the content and the metadata of a file that this thread has read before, if it has not changed since.
///
/// Links on the way to the file are followed, which cannot lead elsewhere: the file is the same that was opened without
/// following links.
pub(super) fn recall(root: &Dir, name: &FileName) -> Option<(Bytes, FileInfo)> {
    SMALL_FILES.with_borrow(|known| {
        let known = known.get(name)?;
        (FileState::of_name(root, name)? == known.state).then(|| (known.bytes.clone(), known.info.clone()))
    })
}

/// Reads a file if it is small and in the page cache, and remembers it. Returns its content.
pub(super) fn read_and_remember(name: &FileName, opened: &OpenedFile, info: &FileInfo) -> Option<Bytes> {
    let state = FileState::from(&opened.metadata);
    if state.length > MAX_FILE_LEN || !state.is_settled() {
        return None;
    }
    // The length is at most `MAX_FILE_LEN`, so that it fits into `usize`.
    let mut bytes = vec![0; state.length as usize];
    let read = preadv2(&opened.file, &mut [std::io::IoSliceMut::new(&mut bytes)], 0, ReadWriteFlags::NOWAIT).ok()?;
    if read < bytes.len() {
        return None;
    }
    let bytes = Bytes::from(bytes);
    SMALL_FILES.with_borrow_mut(|known| {
        known.insert(name.clone(), SmallFile { state, bytes: bytes.clone(), info: info.clone() });
    });
    Some(bytes)
}
