//! A file store that is opened when it is first used.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::{Store, StoreError};

/// The folder in which a program stores files. It is opened as a [`Store`] when it is first used.
#[derive(Debug)]
pub struct LazyStore {
    path: PathBuf,
    store: OnceLock<Store>,
    opening_lock: Mutex<()>,
}

impl LazyStore {
    /// Creates the value without opening the folder at `path`.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, store: OnceLock::new(), opening_lock: Mutex::default() }
    }

    /// Returns the store, which the first call opens. A server makes the first call when it starts.
    ///
    /// # Errors
    /// Fails if [`Store::open`] fails. The next call then tries to open the store again.
    pub fn store(&self) -> Result<&Store, StoreError> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let _opening = self.opening_lock.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let store = Store::open(&self.path)?;
        Ok(self.store.get_or_init(|| store))
    }

    /// Returns the path of the store's folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}
