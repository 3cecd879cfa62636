//! The folder in which a program stores files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::store::{LazyStore, StoreError};

/// The default folder of stored files, as a name in the data folder.
const DEFAULT_FILES_FOLDER: &str = "files";

/// The settings of stored files: whether the program stores files, and in which folder.
#[derive(Debug, Default)]
pub(super) struct FilesSettings {
    enabled: bool,
    /// The folder that the program or the flag `--files` has set; `None` if neither has set a folder.
    folder: Option<PathBuf>,
}

impl FilesSettings {
    pub(super) fn enable_stored_files(&mut self) {
        self.enabled = true;
    }

    /// Sets the folder of stored files if no folder was set before.
    pub(super) fn set_folder_if_unset(&mut self, folder: PathBuf) {
        self.folder.get_or_insert(folder);
    }

    /// Returns the folder of stored files; `None` if the program stores no files. The folder in these settings has
    /// priority over the folder `defined` in the definition; the default is `files` in the data folder.
    pub(super) fn resolve_folder(self, defined: Option<&str>, data_folder: &Path) -> Option<FilesFolder> {
        let configured = self.folder.or_else(|| defined.map(PathBuf::from));
        let (path, is_configured) = match configured {
            Some(folder) => (folder, true),
            None => (data_folder.join(DEFAULT_FILES_FOLDER), false),
        };
        // If the feature `files` is disabled, no folder can be used, so that opening a required folder reports the
        // error.
        let is_required = is_configured || cfg!(not(feature = "files"));
        self.enabled.then(|| FilesFolder { folder: Arc::new(LazyStore::new(path)), is_required })
    }
}

/// The folder in which a program stores files.
#[derive(Debug, Clone)]
#[doc(hidden)]
pub struct FilesFolder {
    pub(super) folder: Arc<LazyStore>,
    /// `true` if the server must not start when the folder cannot be used: the program, the flag `--files` or the
    /// definition has set the folder.
    is_required: bool,
}

impl FilesFolder {
    #[doc(hidden)]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Opens the folder if it is required, that is, if the program, the flag `--files` or the definition has set it.
    ///
    /// # Errors
    /// Fails if the folder cannot be used.
    #[doc(hidden)]
    pub fn open_required(&self) -> io::Result<()> {
        let opened = self.is_required.then(|| self.folder.store());
        opened.transpose().map(drop).map_err(|error| unusable_folder_error(&error))
    }

    /// Opens the folder before the first request is served, which also removes temporary files of a process that was
    /// killed. If the default folder cannot be used, the error is logged, and requests that need no stored files are
    /// served. Each request that needs stored files tries to open the folder again.
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

fn unusable_folder_error(error: &StoreError) -> io::Error {
    io::Error::new(error.io_kind(), format!("no files can be stored there: {error}"))
}
