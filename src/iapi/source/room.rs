//! How much the files of one call may have together.

use super::SourceError;
use crate::store::{Staged, Store, StoreError, Writer};

/// A store, and how many bytes may still be written to it.
pub(in crate::iapi) struct Room {
    store: Store,
    most: u64,
    left: u64,
}

impl Room {
    pub(in crate::iapi) fn new(store: Store, most: u64) -> Self {
        Self { store, most, left: most }
    }

    /// Begins a file, which may have all that is left.
    pub(super) fn begin(&self) -> Result<Writer, SourceError> {
        self.store.writer(self.left).map_err(SourceError::Store)
    }

    /// Writes the next bytes of a file.
    pub(super) fn write(&self, writer: &mut Writer, bytes: &[u8]) -> Result<(), SourceError> {
        writer.write(bytes).map_err(|error| match error {
            StoreError::TooLong(_) => SourceError::TooLong(self.most),
            other => SourceError::Store(other),
        })
    }

    /// Ends a file.
    pub(super) fn end(&mut self, writer: Writer) -> Result<Staged, SourceError> {
        self.left = self.left.saturating_sub(writer.length());
        writer.finish().map_err(SourceError::Store)
    }
}
