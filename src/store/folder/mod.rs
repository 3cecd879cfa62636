//! Files in a local folder.
//!
//! The folder is held open, and every file is reached from it one folder after the other without following a link, so
//! that nothing outside of it can be reached: not by a name, and not by what others do to the folder meanwhile.

mod at_once;
mod hash;
mod journal;
mod publish;
mod stage;
mod staging;
mod way;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::{Listing, Name, StoreError};
use crate::transfer::Facts;
use staging::Staging;
use way::{Blocked, Opened};
pub use writer::{Staged, Writer};

/// A folder of stored files.
#[derive(Debug)]
pub(super) struct Folder {
    root: Dir,
    path: PathBuf,
    staging: Staging,
    /// Whether its files may be opened at once.
    local: bool,
}

impl Folder {
    /// Opens the folder, or makes it.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let io = StoreError::io("opening the folder of stored files");
        let open = |path| Dir::open_ambient_dir(path, ambient_authority());
        if !path.is_dir() {
            std::fs::create_dir_all(path).map_err(&io)?;
            // It must not be gone after a crash with all that is in it.
            let around = path.parent().filter(|around| !around.as_os_str().is_empty()).unwrap_or(Path::new("."));
            open(around).and_then(|around| way::sync(&around)).map_err(&io)?;
        }
        let root = open(path).map_err(&io)?;
        let staging = Staging::start(&root)?;
        let local = at_once::is_local(&root);
        Ok(Self { root, path: path.canonicalize().map_err(&io)?, staging, local })
    }

    /// Where it was when it was opened.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a file.
    pub(super) fn read(&self, name: &Name) -> Result<(File, Facts), StoreError> {
        let (folders, file) = name.split();
        let opened = way::walk(&self.root, folders).and_then(|folder| way::open(&folder, file));
        known(name, opened)
    }

    /// Opens a file if that waits for nothing.
    pub(super) fn read_at_once(&self, name: &Name) -> Option<Result<(File, Facts), StoreError>> {
        if !self.local {
            return None;
        }
        at_once::open(&self.root, name).map(|opened| known(name, opened))
    }

    /// What is in a folder.
    pub(super) fn list(&self, name: Option<&Name>) -> Result<Listing, StoreError> {
        let io = StoreError::io("listing stored files");
        let folder = way::walk(&self.root, name.into_iter().flat_map(Name::parts));
        let folder = folder.map_err(|blocked| match name {
            Some(name) => missing(name, blocked),
            None => io(std::io::ErrorKind::NotFound.into()),
        })?;
        let mut listing = Listing::default();
        for entry in folder.entries().map_err(&io)? {
            let entry = entry.map_err(&io)?;
            let kind = entry.file_type().map_err(&io)?;
            let Some(name) = entry.file_name().to_str().and_then(|part| Name::below(name, part)) else { continue };
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

/// A file, and what is known of it.
fn known(name: &Name, opened: Result<Opened, Blocked>) -> Result<(File, Facts), StoreError> {
    let Opened { file, kind } = opened.map_err(|blocked| missing(name, blocked))?;
    let facts = hash::facts(&file, &kind);
    Ok((file, facts))
}

/// Who reads is not told what has the name instead.
fn missing(name: &Name, blocked: Blocked) -> StoreError {
    match blocked {
        Blocked::Missing | Blocked::Other => StoreError::Missing(name.clone()),
        Blocked::Io(error) => StoreError::io("opening a stored file")(error),
    }
}
