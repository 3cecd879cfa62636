//! Opens the file of a name: one folder after the other, each relative to the previous one, without following links.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::fs::{Dir, FileType, OpenOptions};

/// Why a file or folder cannot be opened.
#[derive(Debug)]
pub(super) enum OpenError {
    /// The name does not exist.
    NotFound,
    /// An entry of another type has the name: a link, a pipe, or a folder instead of a file.
    WrongType,
    /// The operating system reported an error.
    Io(io::Error),
}

/// Opens the folder `part` of this folder.
pub(super) fn open_dir(folder: &Dir, part: &str) -> Result<Dir, OpenError> {
    folder.open_dir_nofollow(part).map_err(|error| open_error(folder, part, error, FileType::is_dir))
}

/// Opens the folder at the end of a path, given as its parts.
pub(super) fn open_path<'p>(from: &Dir, parts: impl Iterator<Item = &'p str>) -> Result<Dir, OpenError> {
    let mut folder = from.try_clone().map_err(OpenError::Io)?;
    for part in parts {
        folder = open_dir(&folder, part)?;
    }
    Ok(folder)
}

/// An open file with its metadata.
#[derive(Debug)]
pub(super) struct OpenedFile {
    pub(super) file: File,
    pub(super) metadata: Metadata,
}

/// Opens the file `part` of this folder.
pub(super) fn open_file(folder: &Dir, part: &str) -> Result<OpenedFile, OpenError> {
    let mut options = OpenOptions::new();
    // Without `nonblock`, opening a named pipe would wait for its writer.
    options.read(true).follow(FollowSymlinks::No).nonblock(true);
    let opened = folder.open_with(part, &options);
    let file = opened.map_err(|error| open_error(folder, part, error, FileType::is_file))?.into_std();
    let metadata = file.metadata().map_err(OpenError::Io)?;
    if metadata.is_file() { Ok(OpenedFile { file, metadata }) } else { Err(OpenError::WrongType) }
}

/// Classifies the error of a failed open. Systems report links with different error codes, so that the type of the
/// entry is checked again.
fn open_error(folder: &Dir, part: &str, error: io::Error, is_expected: fn(&FileType) -> bool) -> OpenError {
    match error.kind() {
        ErrorKind::NotFound => return OpenError::NotFound,
        // Another program may have replaced the entry meanwhile, in which case its current type is not relevant.
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

/// Syncs the entries of a folder to the disk.
#[cfg(unix)]
pub(super) fn sync_dir(folder: &Dir) -> io::Result<()> {
    // A handle that was opened only to resolve paths (O_PATH) cannot be synced itself.
    folder.open(".")?.sync_all()
}

/// Does nothing on other systems, which write folders immediately, or offer no way to sync them.
#[cfg(not(unix))]
pub(super) fn sync_dir(_: &Dir) -> io::Result<()> {
    Ok(())
}

/// Converts the error that a file does not exist to `Ok(false)`.
pub(super) fn unless_not_found(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
