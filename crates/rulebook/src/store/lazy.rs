//! A file store that is opened when it is first used.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{FileEngine, Store, StoreError};

/// A function that opens a storage of a program by its URL.
pub(crate) type OpenEngine = dyn Fn(&str) -> Result<Arc<dyn FileEngine>, StoreError> + Send + Sync;

/// Where a program stores files, before the store is opened.
pub(crate) enum FileStorage {
    /// In this folder.
    Folder(PathBuf),
    /// In a storage that a function opens.
    Engine {
        /// The URL without credentials and options, for people.
        shown: String,
        /// The URL.
        url: String,
        /// The function that opens the URL.
        open: Arc<OpenEngine>,
    },
    /// The program cannot open this URL.
    Unknown(String),
}

impl fmt::Debug for FileStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.location())
    }
}

impl FileStorage {
    /// Returns the path of the folder or the URL, for people.
    pub fn location(&self) -> String {
        match self {
            Self::Folder(path) => path.display().to_string(),
            Self::Engine { shown, .. } | Self::Unknown(shown) => shown.clone(),
        }
    }

    fn open(&self) -> Result<Store, StoreError> {
        match self {
            Self::Folder(path) => Store::open(path),
            Self::Engine { url, open, .. } => open(url).and_then(Store::with_engine),
            Self::Unknown(url) => Err(StoreError::UnknownStorage(url.clone())),
        }
    }
}

/// The storage in which a program stores files. It is opened as a [`Store`] when it is first used.
#[derive(Debug)]
pub struct LazyStore {
    storage: FileStorage,
    store: OnceLock<Store>,
    opening_lock: Mutex<()>,
}

impl LazyStore {
    /// Creates the value without opening the storage.
    #[must_use]
    pub fn new(storage: FileStorage) -> Self {
        Self { storage, store: OnceLock::new(), opening_lock: Mutex::default() }
    }

    /// Returns the store, which the first call opens. A server makes the first call when it starts.
    ///
    /// # Errors
    /// Fails if the storage cannot be opened. The next call then tries to open it again.
    pub fn store(&self) -> Result<&Store, StoreError> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let _opening = self.opening_lock.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let store = self.storage.open()?;
        Ok(self.store.get_or_init(|| store))
    }

    /// Returns `true` if the files are in a folder.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        matches!(self.storage, FileStorage::Folder(_))
    }

    /// Returns the path of the folder or the URL of the storage, for people.
    #[must_use]
    pub fn location(&self) -> String {
        self.storage.location()
    }
}
