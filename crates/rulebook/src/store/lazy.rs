//! A file store that is opened when it is first used.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use actix_rt::task::spawn_blocking;

use super::{FileEngine, Store, StoreError};
use crate::handler::ReadinessCheck;

const READINESS_CHECK: &str = "files";

/// A function that opens a storage of a program by its URL.
pub(crate) type OpenEngine = dyn Fn(&str) -> Result<Arc<dyn FileEngine>, StoreError> + Send + Sync;

/// The storage in which a program stores files. It is opened as a [`Store`] when it is first used.
// It is hidden because only the command line uses it.
#[doc(hidden)]
pub struct LazyStore {
    /// The path of the folder, or the URL of the storage without credentials and options, for people.
    location: String,
    pub(crate) is_folder: bool,
    /// `true` if the server must not start when the storage cannot be used: the program, the flag `--files` or the
    /// definition has set the location.
    is_required: bool,
    open: Box<dyn Fn() -> Result<Store, StoreError> + Send + Sync>,
    store: OnceLock<Store>,
    opening_lock: Mutex<()>,
}

impl fmt::Debug for LazyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazyStore").field("location", &self.location).finish_non_exhaustive()
    }
}

impl LazyStore {
    pub(crate) fn folder(path: PathBuf, is_required: bool) -> Self {
        let location = path.display().to_string();
        Self { is_folder: true, ..Self::engine(location, is_required, move || Store::open(&path)) }
    }

    pub(crate) fn engine(
        location: String,
        is_required: bool,
        open: impl Fn() -> Result<Store, StoreError> + Send + Sync + 'static,
    ) -> Self {
        let (store, opening_lock) = (OnceLock::new(), Mutex::default());
        Self { location, is_folder: false, is_required, open: Box::new(open), store, opening_lock }
    }

    /// Returns the store, which the first call opens. A server makes the first call when it starts.
    ///
    /// # Errors
    /// Fails if the storage cannot be opened. The next call then tries to open it again.
    pub(crate) fn store(&self) -> Result<&Store, StoreError> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let _opening = self.opening_lock.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let store = (self.open)()?;
        Ok(self.store.get_or_init(|| store))
    }

    /// Opens the storage if it is required.
    ///
    /// # Errors
    /// Fails if the storage cannot be used.
    pub fn open_required(&self) -> io::Result<()> {
        let opened = if self.is_required { self.store().map(drop) } else { Ok(()) };
        opened.map_err(|error| io::Error::new(error.io_kind(), format!("no files can be stored there: {error}")))
    }

    /// Opens the storage before the first request is served. For a folder, this also removes temporary files of a
    /// process that was killed. If the default folder cannot be used, the error is logged, and requests that need no
    /// stored files are served. Each request that needs stored files tries to open the folder again.
    pub(crate) fn open(&self) -> io::Result<()> {
        self.open_required()?;
        if let Err(error) = self.store() {
            let location = self.location();
            log::error!("files cannot be stored in {location}; requests that need no stored files are served: {error}");
        }
        Ok(())
    }

    pub(crate) fn readiness_check(self: &Arc<Self>) -> Option<ReadinessCheck> {
        let store = Arc::clone(self);
        let check = move || {
            let store = Arc::clone(&store);
            async move {
                let checked = spawn_blocking(move || store.store()?.check()).await;
                checked.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
            }
        };
        (!self.is_folder).then(|| ReadinessCheck::new(READINESS_CHECK, check))
    }

    /// Returns the path of the folder or the URL of the storage, for people.
    pub fn location(&self) -> String {
        self.location.clone()
    }

    /// Returns `true` if the files of download links are in the same storage.
    pub fn has_links(&self) -> bool {
        self.store().is_ok_and(|store| store.links().is_some())
    }

    /// Returns `true` if the files are in a storage that other machines can reach, and not in a folder.
    pub fn is_shared(&self) -> bool {
        self.store().is_ok_and(|store| store.path().is_none())
    }
}
