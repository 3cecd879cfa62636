//! A file store that limits the total size of the files that one call of a handler writes.

use super::SourceError;
use rulebook::store::{StagedFile, Store, StoreError, Writer};

/// A file store, and the number of bytes that the call may still write to it.
pub(crate) struct LimitedStore {
    store: Store,
    max_bytes: u64,
    remaining_bytes: u64,
}

impl LimitedStore {
    pub(crate) fn new(store: Store, max_bytes: u64) -> Self {
        Self { store, max_bytes, remaining_bytes: max_bytes }
    }

    /// Returns a writer of a new file. The length of the file is limited to the remaining number of bytes.
    pub(super) fn new_writer(&self) -> Result<Writer, SourceError> {
        self.store.writer(self.remaining_bytes).map_err(SourceError::Store)
    }

    /// Appends bytes to the file of the writer.
    pub(super) fn append(&self, writer: &mut Writer, bytes: &[u8]) -> Result<(), SourceError> {
        writer.write(bytes).map_err(|error| match error {
            StoreError::TooLarge(_) => SourceError::TooLarge(self.max_bytes),
            other => SourceError::Store(other),
        })
    }

    /// Completes the file of the writer, and subtracts its length from the remaining number of bytes.
    pub(super) fn finish(&mut self, writer: Writer) -> Result<StagedFile, SourceError> {
        self.remaining_bytes = self.remaining_bytes.saturating_sub(writer.length());
        writer.finish().map_err(SourceError::Store)
    }
}
