//! The digest of what an API was made from, by which a server recognizes that nothing has changed.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

/// A digest of texts and files.
// It is hidden because only the command line uses it.
#[doc(hidden)]
#[derive(Debug, Clone, Default)]
pub struct InputDigest(Sha256);

impl InputDigest {
    /// Adds the bytes, and their number, so that different inputs never have the same bytes together.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// Adds the path and the content of a file. A file that cannot be read has no content.
    pub fn add_file(&mut self, file: &Path) {
        self.add(file.as_os_str().as_encoded_bytes());
        // Reading a pipe would wait for its other end.
        let content = file.is_file().then(|| fs::read(file).ok()).flatten();
        self.add(&[u8::from(content.is_some())]);
        self.add(&content.unwrap_or_default());
    }

    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}
