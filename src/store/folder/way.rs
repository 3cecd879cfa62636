//! The way to a file: one folder after the other, each opened in the one before, no link followed.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::fs::{Dir, FileType, OpenOptions};

/// What is in the way.
#[derive(Debug)]
pub(super) enum Blocked {
    /// Nothing has the name.
    Missing,
    /// Something has it that is not what was looked for.
    Other,
    /// The system refused.
    Io(io::Error),
}

/// Opens the folder that is called `part` in this one.
pub(super) fn enter(folder: &Dir, part: &str) -> Result<Dir, Blocked> {
    folder.open_dir_nofollow(part).map_err(|error| blocked(folder, part, error, FileType::is_dir))
}

/// Opens the folder that is at the end of these parts.
pub(super) fn walk<'p>(from: &Dir, parts: impl Iterator<Item = &'p str>) -> Result<Dir, Blocked> {
    let mut folder = from.try_clone().map_err(Blocked::Io)?;
    for part in parts {
        folder = enter(&folder, part)?;
    }
    Ok(folder)
}

/// A file that was opened.
#[derive(Debug)]
pub(super) struct Opened {
    /// It.
    pub(super) file: File,
    /// What the system says of it.
    pub(super) kind: Metadata,
}

/// Opens the file that is called `part` in this folder.
pub(super) fn open(folder: &Dir, part: &str) -> Result<Opened, Blocked> {
    let mut options = OpenOptions::new();
    // What is no file, such as a pipe, is not waited for.
    options.read(true).follow(FollowSymlinks::No).nonblock(true);
    let opened = folder.open_with(part, &options);
    let file = opened.map_err(|error| blocked(folder, part, error, FileType::is_file))?.into_std();
    let kind = file.metadata().map_err(Blocked::Io)?;
    if kind.is_file() { Ok(Opened { file, kind }) } else { Err(Blocked::Other) }
}

/// Why something could not be opened. Systems tell in several ways that it is a link.
fn blocked(folder: &Dir, part: &str, error: io::Error, is: fn(&FileType) -> bool) -> Blocked {
    match error.kind() {
        ErrorKind::NotFound => return Blocked::Missing,
        // What has the name now may be another thing already.
        ErrorKind::NotADirectory => return Blocked::Other,
        _ => {}
    }
    match folder.symlink_metadata(part) {
        Ok(kind) if is(&kind.file_type()) => Blocked::Io(error),
        Ok(_) => Blocked::Other,
        Err(gone) if gone.kind() == ErrorKind::NotFound => Blocked::Missing,
        Err(_) => Blocked::Io(error),
    }
}

/// Brings what was done in a folder to the disk.
#[cfg(unix)]
pub(super) fn sync(folder: &Dir) -> io::Result<()> {
    // A folder that is open as a way to others cannot be synchronised itself.
    folder.open(".")?.sync_all()
}

/// Other systems keep no folder back, or cannot be asked.
#[cfg(not(unix))]
pub(super) fn sync(_: &Dir) -> io::Result<()> {
    Ok(())
}

/// Whether something was there to do it with.
pub(super) fn unless_missing(done: io::Result<()>) -> io::Result<bool> {
    match done {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
