//! The file with the key that signs links.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::secret;
use crate::transfer::{LINK_KEY_LEN, LinkKey};

/// A key that is read when it is first needed. It is created together with the first link.
#[derive(Debug, Default)]
pub(super) struct KeyFile {
    path: PathBuf,
    known: OnceLock<Arc<LinkKey>>,
}

impl KeyFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, known: OnceLock::new() }
    }

    /// Returns the key; `None` if no link has been created yet.
    ///
    /// # Errors
    /// Fails if the file cannot be read or does not contain a key.
    pub(super) fn get(&self) -> io::Result<Option<Arc<LinkKey>>> {
        if let Some(key) = self.known.get() {
            return Ok(Some(Arc::clone(key)));
        }
        match secret::read(&self.path) {
            Ok(key) => Ok(Some(self.store(key))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the key. Creates it if the file does not exist.
    ///
    /// # Errors
    /// Fails if the file cannot be read or written, or does not contain a key.
    pub(super) fn get_or_create(&self) -> io::Result<Arc<LinkKey>> {
        match self.known.get() {
            Some(key) => Ok(Arc::clone(key)),
            None => secret::read_or_create(&self.path).map(|key| self.store(key)),
        }
    }

    fn store(&self, key: [u8; LINK_KEY_LEN]) -> Arc<LinkKey> {
        Arc::clone(self.known.get_or_init(|| Arc::new(LinkKey(key))))
    }
}
