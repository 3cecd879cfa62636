//! The folder of stored files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::store::{LazyStore, StoreError};

/// The name of the folder of stored files in the data folder, if no other folder is set.
const DEFAULT: &str = "files";

/// The settings of stored files: whether the program stores any, and in which folder.
#[derive(Debug, Default)]
pub(super) struct FilesSettings {
    enabled: bool,
    /// The folder that the program or the flag `--files` names.
    folder: Option<PathBuf>,
}

impl FilesSettings {
    pub(super) fn enable(&mut self) {
        self.enabled = true;
    }

    /// Sets the folder if none was set before.
    pub(super) fn set_folder_if_unset(&mut self, folder: PathBuf) {
        self.folder.get_or_insert(folder);
    }

    /// Returns the folder of stored files, or `None` if the program stores none. The folder is the one of these
    /// settings, else the one of the definition, else `files` in the data folder.
    pub(super) fn resolve(self, defined: Option<&str>, data_folder: &Path) -> Option<FilesFolder> {
        let configured = self.folder.or_else(|| defined.map(PathBuf::from));
        let (path, is_configured) = match configured {
            Some(folder) => (folder, true),
            None => (data_folder.join(DEFAULT), false),
        };
        // Without the feature `files`, no folder can be used.
        let is_required = is_configured || cfg!(not(feature = "files"));
        self.enabled.then(|| FilesFolder { folder: Arc::new(LazyStore::new(path)), is_required })
    }
}

/// The folder of a program's stored files.
#[derive(Debug, Clone)]
#[doc(hidden)]
pub struct FilesFolder {
    pub(super) folder: Arc<LazyStore>,
    /// `true` if nothing is served unless the folder can be used: the program, a flag or the definition names it.
    is_required: bool,
}

impl FilesFolder {
    #[doc(hidden)]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Opens the folder if it is required.
    ///
    /// # Errors
    /// Fails if the folder cannot be used.
    #[doc(hidden)]
    pub fn open_required(&self) -> io::Result<()> {
        let opened = self.is_required.then(|| self.folder.store());
        opened.transpose().map(drop).map_err(|error| unusable(&error))
    }

    /// Opens the folder before the first request is served, which also removes temporary files of a process that was
    /// killed. If the default folder cannot be used, the error is logged, and requests that need no stored files are
    /// served; each request that needs them tries again.
    ///
    /// # Errors
    /// Fails if a required folder cannot be used.
    pub(super) fn open(&self) -> io::Result<()> {
        self.open_required()?;
        if let Err(error) = self.folder.store() {
            log::error!(
                "files cannot be stored in {}; requests that need no stored files are served: {error}",
                self.path().display()
            );
        }
        Ok(())
    }
}

fn unusable(error: &StoreError) -> io::Error {
    io::Error::new(error.io_kind(), format!("no files can be stored there: {error}"))
}
