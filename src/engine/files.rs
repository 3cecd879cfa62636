//! The folder of stored files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::store::{StoreError, StoreFolder};

/// The folder of stored files within that of the server's own, where no other is named.
const DEFAULT: &str = "files";

/// Whether a program keeps files, and in which folder.
#[derive(Debug, Default)]
pub(super) struct Files {
    kept: bool,
    /// The folder that the program or a flag names.
    named: Option<PathBuf>,
}

impl Files {
    /// Has files kept.
    pub(super) fn keep(&mut self) {
        self.kept = true;
    }

    /// Names the folder; what was named first stays.
    pub(super) fn name(&mut self, folder: PathBuf) {
        self.named.get_or_insert(folder);
    }

    /// The folder, where files are kept: the one that was named, else the definition's, else the one in `data`.
    pub(super) fn settle(self, defined: Option<&str>, data: &Path) -> Option<FilesFolder> {
        let named = self.named.or_else(|| defined.map(PathBuf::from));
        let (path, is_named) = named.map_or_else(|| (data.join(DEFAULT), false), |folder| (folder, true));
        self.kept.then(|| FilesFolder { folder: Arc::new(StoreFolder::new(path)), is_named })
    }
}

/// The folder of a program's stored files.
#[derive(Debug, Clone)]
pub(crate) struct FilesFolder {
    pub(super) folder: Arc<StoreFolder>,
    /// Whether somebody has named it.
    is_named: bool,
}

impl FilesFolder {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Opens it, if somebody has named it.
    ///
    /// # Errors
    /// It cannot be used.
    pub(crate) fn open_named(&self) -> io::Result<()> {
        let opened = self.is_named.then(|| self.folder.store());
        opened.transpose().map(drop).map_err(|error| told(&error))
    }

    /// Opens it before anything is served, so that what a program before has left is settled. One that nobody has named
    /// is no reason not to serve all that needs no files: the log is told, and whoever needs it tries again.
    ///
    /// # Errors
    /// Somebody has named it, and it cannot be used.
    pub(super) fn open(&self) -> io::Result<()> {
        self.open_named()?;
        if let Err(error) = self.folder.store() {
            log::error!("no files can be kept in {}, all else is served: {error}", self.path().display());
        }
        Ok(())
    }
}

/// What the store says, as the system says it.
fn told(error: &StoreError) -> io::Error {
    let kind = match error {
        StoreError::Io { error, .. } => error.kind(),
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, format!("no files can be kept there: {error}"))
}
