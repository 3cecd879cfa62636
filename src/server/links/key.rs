//! The file of the key that links are signed with.

use std::fmt::Display;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

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
        match self.read() {
            Ok(key) => Ok(Some(Arc::clone(self.known.get_or_init(|| Arc::new(key))))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The key, which is made where there is none.
    ///
    /// # Errors
    /// The file cannot be read or written, or is no key.
    pub(super) fn get_or_make(&self) -> io::Result<Arc<Key>> {
        if let Some(key) = self.get()? {
            return Ok(key);
        }
        let key = match self.make() {
            // Another worker, or another server, was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => self.read()?,
            key => key?,
        };
        Ok(Arc::clone(self.known.get_or_init(|| Arc::new(key))))
    }

    fn read(&self) -> io::Result<Key> {
        let told = |kind, why: &dyn Display| io::Error::new(kind, format!("{}: {why}", self.path.display()));
        let bytes = fs::read(&self.path).map_err(|error| told(error.kind(), &error))?;
        bytes.try_into().map(Key).map_err(|_| told(ErrorKind::InvalidData, &"it is no key of links"))
    }

    /// Makes it whole or not at all, for the server's eyes alone.
    fn make(&self) -> io::Result<Key> {
        let mut key = [0; KEY];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        // Only its owner reads a temporary file, and it keeps that when it gets its name.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&key)?;
        file.as_file().sync_all()?;
        file.persist_noclobber(&self.path)?;
        Ok(Key(key))
    }
}
