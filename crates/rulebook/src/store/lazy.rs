//! A file store that is opened on first use.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::{Store, StoreError};

/// The folder of a program's stored files, opened as a [`Store`] on first use.
#[derive(Debug)]
pub struct LazyStore {
    path: PathBuf,
    store: OnceLock<Store>,
    opening: Mutex<()>,
}

impl LazyStore {
    /// Creates the value without touching the folder at `path`.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, store: OnceLock::new(), opening: Mutex::default() }
    }

    /// Returns the store. The first call opens it; a server makes that call when it starts.
    ///
    /// # Errors
    /// Fails if [`Store::open`] fails; the next call tries again.
    pub fn store(&self) -> Result<&Store, StoreError> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let _opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let store = Store::open(&self.path)?;
        Ok(self.store.get_or_init(|| store))
    }

    /// Returns the path of the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}
