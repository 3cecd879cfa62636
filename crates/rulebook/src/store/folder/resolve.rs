//! Opens files and folders by their names in the store: one folder after the other, each relative to the previous
//! folder, without following links.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::fs::{Dir, FileType, OpenOptions};

/// Why a file or folder cannot be opened.
#[derive(Debug)]
pub(super) enum OpenError {
    /// No file or folder has this name.
    NotFound,
    /// The name belongs to something of another type: a link, a pipe, or a folder instead of a file.
    WrongType,
    /// The operating system reported an error.
    Io(io::Error),
}

impl From<OpenError> for io::Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Io(error) => error,
            OpenError::NotFound => ErrorKind::NotFound.into(),
            OpenError::WrongType => ErrorKind::NotADirectory.into(),
        }
    }
}

pub(super) fn open_dir(folder: &Dir, part: &str) -> Result<Dir, OpenError> {
    folder.open_dir_nofollow(part).map_err(|error| open_error(folder, part, error, FileType::is_dir))
}

/// Opens the folder at the end of a path. `parts` are the segments of the path, relative to the folder `from`.
pub(super) fn open_folder_path<'p>(from: &Dir, parts: impl Iterator<Item = &'p str>) -> Result<Dir, OpenError> {
    let mut folder = from.try_clone().map_err(OpenError::Io)?;
    for part in parts {
        folder = open_dir(&folder, part)?;
    }
    Ok(folder)
}

#[derive(Debug)]
pub(super) struct OpenedFile {
    pub(super) file: File,
    pub(super) metadata: Metadata,
}

pub(super) fn open_file(folder: &Dir, part: &str) -> Result<OpenedFile, OpenError> {
    let mut options = OpenOptions::new();
    // Without `nonblock`, opening a named pipe would wait for a program that writes to the pipe.
    options.read(true).follow(FollowSymlinks::No).nonblock(true);
    let opened = folder.open_with(part, &options);
    let file = opened.map_err(|error| open_error(folder, part, error, FileType::is_file))?.into_std();
    let metadata = file.metadata().map_err(OpenError::Io)?;
    if metadata.is_file() { Ok(OpenedFile { file, metadata }) } else { Err(OpenError::WrongType) }
}

/// Converts the error of opening the file or folder `part`. Operating systems report a link with different error codes;
/// therefore this function looks up the type of the entry again.
fn open_error(folder: &Dir, part: &str, error: io::Error, is_expected: fn(&FileType) -> bool) -> OpenError {
    match error.kind() {
        ErrorKind::NotFound => return OpenError::NotFound,
        // The type is not looked up again, because another program may have replaced the entry in the meantime.
        ErrorKind::NotADirectory => return OpenError::WrongType,
        _ => {}
    }
    match folder.symlink_metadata(part) {
        Ok(metadata) if is_expected(&metadata.file_type()) => OpenError::Io(error),
        Ok(_) => OpenError::WrongType,
        Err(removed) if removed.kind() == ErrorKind::NotFound => OpenError::NotFound,
        Err(_) => OpenError::Io(error),
    }
}

/// Writes the entries of a folder to the disk, so that a crash does not lose new names.
#[cfg(unix)]
pub(super) fn sync_dir(folder: &Dir) -> io::Result<()> {
    // A handle that was opened with `O_PATH`, only to resolve paths, cannot be synced. Therefore the folder is opened
    // again.
    folder.open(".")?.sync_all()
}

/// Does nothing: other operating systems write folders immediately, or offer no function for it.
#[cfg(not(unix))]
pub(super) fn sync_dir(_: &Dir) -> io::Result<()> {
    Ok(())
}

/// Returns `Ok(false)` instead of the error that a file does not exist, and `Ok(true)` if there is no error.
pub(super) fn false_if_not_found(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
