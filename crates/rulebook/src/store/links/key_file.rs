//! The file that contains the secret key with which the server signs download links.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use crate::secret;
use crate::transfer::LinkKey;

/// The file with the signing key. The file is created together with the first link.
#[derive(Debug)]
pub(super) struct LinkKeyFile(pub(super) PathBuf);

impl LinkKeyFile {
    /// Reads the signing key; `None` if no link has been created yet.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or if its content is not a key.
    pub(super) fn read(&self) -> io::Result<Option<LinkKey>> {
        match secret::read(&self.0) {
            Ok(key) => Ok(Some(LinkKey::new(key))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the signing key. If the file does not exist, creates it with a random key.
    ///
    /// # Errors
    /// Fails if the file cannot be read or written, or if its content is not a key.
    pub(super) fn read_or_create(&self) -> io::Result<LinkKey> {
        secret::read_or_create(&self.0).map(LinkKey::new)
    }
}
