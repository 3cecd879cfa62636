//! A store that is opened when it is first needed.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::{Store, StoreError};

/// The folder of a program's stored files.
#[derive(Debug)]
pub struct StoreFolder {
    path: PathBuf,
    store: OnceLock<Store>,
    opening: Mutex<()>,
}

impl StoreFolder {
    /// The folder of this path, which is not opened yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, store: OnceLock::new(), opening: Mutex::default() }
    }

    /// The store in it, opened by the first who asks. A server asks when it starts.
    ///
    /// # Errors
    /// As of [`Store::open`]; who asks again tries again.
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

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}
