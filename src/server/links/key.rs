//! The file of the key that links are signed with.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::secret;
use crate::transfer::{KEY, Key};

/// A key that is read when it is needed first, and made when the first link is.
#[derive(Debug, Default)]
pub(super) struct KeyFile {
    path: PathBuf,
    known: OnceLock<Arc<Key>>,
}

impl KeyFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, known: OnceLock::new() }
    }

    /// The key; none where no link has been made yet.
    ///
    /// # Errors
    /// The file cannot be read, or is no key.
    pub(super) fn get(&self) -> io::Result<Option<Arc<Key>>> {
        if let Some(key) = self.known.get() {
            return Ok(Some(Arc::clone(key)));
        }
        match secret::read(&self.path) {
            Ok(key) => Ok(Some(self.keep(key))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The key, which is made where there is none.
    ///
    /// # Errors
    /// The file cannot be read or written, or is no key.
    pub(super) fn get_or_make(&self) -> io::Result<Arc<Key>> {
        match self.known.get() {
            Some(key) => Ok(Arc::clone(key)),
            None => secret::read_or_make(&self.path).map(|key| self.keep(key)),
        }
    }

    fn keep(&self, key: [u8; KEY]) -> Arc<Key> {
        Arc::clone(self.known.get_or_init(|| Arc::new(Key(key))))
    }
}
