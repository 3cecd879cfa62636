//! Files on the disk: opens those that are neither folders nor devices nor pipes, and detects their changes.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::SystemTime;

/// Opening anything else could wait forever, such as a named pipe. The error contains the path.
pub(crate) fn open_regular_file(path: &Path) -> io::Result<File> {
    let opened =
        path.metadata().and_then(|kind| if kind.is_file() { File::open(path) } else { Err(not_a_file_error()) });
    opened.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

pub(crate) fn not_a_file_error() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")
}

/// A change of the file changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileStamp {
    length: u64,
    modified: Option<SystemTime>,
    /// Changes whenever the file is replaced.
    inode: u64,
}

impl FileStamp {
    /// `None` if the file does not exist.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().as_ref().map(Self::from)
    }
}

impl From<&fs::Metadata> for FileStamp {
    fn from(metadata: &fs::Metadata) -> Self {
        Self { length: metadata.len(), modified: metadata.modified().ok(), inode: inode_of(metadata) }
    }
}

/// It changes when another file replaces the file.
#[cfg(unix)]
pub(crate) fn inode_of(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
pub(crate) fn inode_of(_: &fs::Metadata) -> u64 {
    0
}
