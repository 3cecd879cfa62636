//! Detects changes of files.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// The metadata of a file, by which a change of the file is detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileStamp {
    length: u64,
    modified: Option<SystemTime>,
    /// The number of the inode, which changes whenever the file is replaced.
    inode: u64,
}

impl FileStamp {
    /// Returns the current metadata of the file at `path`; `None` if the file does not exist.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().as_ref().map(Self::from)
    }
}

impl From<&fs::Metadata> for FileStamp {
    fn from(metadata: &fs::Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Self { length: metadata.len(), modified: metadata.modified().ok(), inode }
    }
}
