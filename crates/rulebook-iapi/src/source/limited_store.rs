//! A file store with a limit on the total size of the files of one call.

use super::SourceError;
use rulebook::store::{StagedFile, Store, StoreError, Writer};

/// A store, and the remaining number of bytes that the call may write to it.
pub(crate) struct LimitedStore {
    store: Store,
    max_bytes: u64,
    remaining: u64,
}

impl LimitedStore {
    pub(crate) fn new(store: Store, max_bytes: u64) -> Self {
        Self { store, max_bytes, remaining: max_bytes }
    }

    /// Creates a file whose maximum length is the remaining number of bytes.
    pub(super) fn writer(&self) -> Result<Writer, SourceError> {
        self.store.writer(self.remaining).map_err(SourceError::Store)
    }

    /// Appends bytes to a file.
    pub(super) fn write(&self, writer: &mut Writer, bytes: &[u8]) -> Result<(), SourceError> {
        writer.write(bytes).map_err(|error| match error {
            StoreError::TooLarge(_) => SourceError::TooLarge(self.max_bytes),
            other => SourceError::Store(other),
        })
    }

    /// Completes a file.
    pub(super) fn finish(&mut self, writer: Writer) -> Result<StagedFile, SourceError> {
        self.remaining = self.remaining.saturating_sub(writer.length());
        writer.finish().map_err(SourceError::Store)
    }
}
