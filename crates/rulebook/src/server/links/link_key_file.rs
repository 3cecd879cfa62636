//! The file that contains the secret key with which the server signs download links.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::secret;
use crate::transfer::{LINK_KEY_LEN, LinkKey};

/// The file with the signing key. The file is created together with the first link, and read when the key is first
/// needed.
#[derive(Debug, Default)]
pub(super) struct LinkKeyFile {
    path: PathBuf,
    cached_key: OnceLock<Arc<LinkKey>>,
}

impl LinkKeyFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, cached_key: OnceLock::new() }
    }

    /// Returns the signing key; `None` if no link has been created yet.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or if its content is not a key.
    pub(super) fn read(&self) -> io::Result<Option<Arc<LinkKey>>> {
        if let Some(key) = self.cached_key.get() {
            return Ok(Some(Arc::clone(key)));
        }
        match secret::read(&self.path) {
            Ok(key) => Ok(Some(self.cache_key(key))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the signing key. If the file does not exist, creates it with a random key.
    ///
    /// # Errors
    /// Fails if the file cannot be read or written, or if its content is not a key.
    pub(super) fn read_or_create(&self) -> io::Result<Arc<LinkKey>> {
        match self.cached_key.get() {
            Some(key) => Ok(Arc::clone(key)),
            None => secret::read_or_create(&self.path).map(|key| self.cache_key(key)),
        }
    }

    fn cache_key(&self, key: [u8; LINK_KEY_LEN]) -> Arc<LinkKey> {
        Arc::clone(self.cached_key.get_or_init(|| Arc::new(LinkKey(key))))
    }
}
