//! A file store in a local folder.
//!
//! The folder is held open, and every file is opened relative to it, one folder after the other and without following
//! links. No file outside of the folder can be reached: neither by a name, nor by changes that other programs make to
//! the folder meanwhile.

mod hash;
mod journal;
mod nonblocking;
mod publish;
mod resolve;
mod stage;
mod staging;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::{FileName, Listing, StoreError};
use crate::transfer::FileInfo;
use resolve::{OpenError, OpenedFile};
use staging::Staging;
pub use writer::{StagedFile, Writer};

/// A folder of stored files.
#[derive(Debug)]
pub(super) struct Folder {
    root: Dir,
    path: PathBuf,
    staging: Staging,
    /// If `true`, the folder is on a local file system, and files may be opened without blocking.
    local: bool,
}

impl Folder {
    /// Opens the folder, and creates it if it does not exist.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let io = StoreError::io("opening the folder of stored files");
        let open = |path| Dir::open_ambient_dir(path, ambient_authority());
        if !path.is_dir() {
            std::fs::create_dir_all(path).map_err(&io)?;
            // The new folder is synced to the disk: a crash must not lose it together with the files in it.
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            open(parent).and_then(|parent| resolve::sync_dir(&parent)).map_err(&io)?;
        }
        let root = open(path).map_err(&io)?;
        let staging = Staging::create(&root)?;
        let local = nonblocking::is_local(&root);
        Ok(Self { root, path: path.canonicalize().map_err(&io)?, staging, local })
    }

    /// Returns the path that the folder had when it was opened.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a file.
    pub(super) fn read(&self, name: &FileName) -> Result<(File, FileInfo), StoreError> {
        let (folders, file) = name.folders_and_last_part();
        let opened = resolve::open_path(&self.root, folders).and_then(|folder| resolve::open_file(&folder, file));
        with_info(name, opened)
    }

    /// Opens a file if this does not block.
    pub(super) fn read_nonblocking(&self, name: &FileName) -> Option<Result<(File, FileInfo), StoreError>> {
        if !self.local {
            return None;
        }
        nonblocking::open(&self.root, name).map(|opened| with_info(name, opened))
    }

    /// Lists a folder.
    pub(super) fn list(&self, name: Option<&FileName>) -> Result<Listing, StoreError> {
        let io = StoreError::io("listing stored files");
        let folder = resolve::open_path(&self.root, name.into_iter().flat_map(FileName::parts));
        let folder = folder.map_err(|error| match name {
            Some(name) => read_error(name, error),
            None => io(std::io::ErrorKind::NotFound.into()),
        })?;
        let mut listing = Listing::default();
        for entry in folder.entries().map_err(&io)? {
            let entry = entry.map_err(&io)?;
            let kind = entry.file_type().map_err(&io)?;
            let Some(name) = entry.file_name().to_str().and_then(|part| FileName::child(name, part)) else { continue };
            if kind.is_dir() {
                listing.folders.push(name);
            } else if kind.is_file() {
                listing.files.push(name);
            }
        }
        listing.folders.sort();
        listing.files.sort();
        Ok(listing)
    }
}

/// Adds the file's info to an opened file.
fn with_info(name: &FileName, opened: Result<OpenedFile, OpenError>) -> Result<(File, FileInfo), StoreError> {
    let OpenedFile { file, metadata } = opened.map_err(|error| read_error(name, error))?;
    let info = hash::file_info(&file, &metadata);
    Ok((file, info))
}

/// Converts the error of a read. If something other than a file has the name, readers get the error that the file does
/// not exist.
fn read_error(name: &FileName, error: OpenError) -> StoreError {
    match error {
        OpenError::NotFound | OpenError::WrongType => StoreError::NotFound(name.clone()),
        OpenError::Io(error) => StoreError::io("opening a stored file")(error),
    }
}
