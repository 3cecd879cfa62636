//! The implementation of the file store in a local folder.
//!
//! The folder of the store is kept open. A file is opened relative to it: one folder of the file's path after the
//! other, without following links. So neither a file name, nor changes that other programs make to the folder
//! meanwhile, can lead to a file outside of the store's folder.

mod hash;
mod journal;
mod nonblocking;
mod publish;
mod resolve;
#[cfg_attr(not(target_os = "linux"), path = "without_small_files.rs")]
mod small_files;
mod stage;
mod staging;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::{FileName, Listing, StoreError};
use crate::call::Content;
use crate::transfer::FileInfo;
pub(super) use publish::PublishedFile;
use resolve::{OpenError, OpenedFile};
use staging::Staging;
pub(super) use writer::{StagedFile, Writer};

/// The folder of a file store.
#[derive(Debug)]
pub(super) struct Folder {
    root: Dir,
    path: PathBuf,
    staging: Staging,
    /// `true` if the folder is on a local file system, so that files can be opened with [`nonblocking`].
    is_local: bool,
}

impl Folder {
    /// Opens the folder at a path, and creates it if it does not exist.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let io = StoreError::io_during("opening the folder of stored files");
        let open = |path| Dir::open_ambient_dir(path, ambient_authority());
        if !path.is_dir() {
            std::fs::create_dir_all(path).map_err(&io)?;
            // The new folder is written to the disk, because a crash must not lose it together with the files in it.
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            open(parent).and_then(|parent| resolve::sync_dir(&parent)).map_err(&io)?;
        }
        let root = open(path).map_err(&io)?;
        let staging = Staging::create(&root)?;
        let is_local = nonblocking::is_local(&root);
        Ok(Self { root, path: path.canonicalize().map_err(&io)?, staging, is_local })
    }

    /// Returns the absolute path that the folder had when it was opened.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a file for reading, and returns it with its metadata.
    pub(super) fn open_for_reading(&self, name: &FileName) -> Result<(File, FileInfo), StoreError> {
        let (folders, file) = name.folders_and_last_part();
        let opened =
            resolve::open_folder_path(&self.root, folders).and_then(|folder| resolve::open_file(&folder, file));
        let OpenedFile { file, metadata } = opened.map_err(|error| read_error(name, error))?;
        let info = hash::file_info(&file, &metadata);
        Ok((file, info))
    }

    /// Reads a file if this needs no disk operation; otherwise returns `None`.
    pub(super) fn read_nonblocking(&self, name: &FileName) -> Option<Result<(Content, FileInfo), StoreError>> {
        if !self.is_local {
            return None;
        }
        if let Some((bytes, info)) = small_files::recall(&self.root, name) {
            return Some(Ok((Content::Bytes(bytes), info)));
        }
        let opened = match nonblocking::open_cached(&self.root, name)? {
            Ok(opened) => opened,
            Err(error) => return Some(Err(read_error(name, error))),
        };
        let info = hash::file_info(&opened.file, &opened.metadata);
        let content = match small_files::read_and_remember(name, &opened, &info) {
            Some(bytes) => Content::Bytes(bytes),
            None => Content::File(opened.file),
        };
        Some(Ok((content, info)))
    }

    /// Lists the content of a folder; `None` is the top folder.
    pub(super) fn list(&self, name: Option<&FileName>) -> Result<Listing, StoreError> {
        let io = StoreError::io_during("listing stored files");
        let folder = resolve::open_folder_path(&self.root, name.into_iter().flat_map(FileName::parts));
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

/// Converts an error of opening a file for reading. If the name belongs to something other than a file, the error is
/// the same as for a name that does not exist.
fn read_error(name: &FileName, error: OpenError) -> StoreError {
    match error {
        OpenError::NotFound | OpenError::WrongType => StoreError::NotFound(name.clone()),
        OpenError::Io(error) => StoreError::io_during("opening a stored file")(error),
    }
}
