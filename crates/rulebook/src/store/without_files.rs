//! This file replaces the Rust module `backend` if the feature `files` of the crate is disabled. Its types have no
//! values, because opening a folder always fails.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{FileEngine, FileInfo, FileName, LinkFiles, Listing, Publication, StoreError, StoredFile};
use crate::call::Upload;

#[derive(Debug, Clone)]
pub(super) enum Backend {}

impl Backend {
    pub(super) fn open_folder(_: &Path) -> Result<Self, StoreError> {
        let why = "the crate `rulebook` was compiled without the feature `files`";
        Err(StoreError::io_during("opening the folder")(io::Error::new(io::ErrorKind::Unsupported, why)))
    }

    pub(super) fn with_engine(_: Arc<dyn FileEngine>) -> Result<Self, StoreError> {
        Self::open_folder(Path::new(""))
    }

    pub(super) fn path(&self) -> Option<&Path> {
        match *self {}
    }

    pub(super) fn location(&self) -> String {
        match *self {}
    }

    pub(super) fn check(&self) -> Result<(), StoreError> {
        match *self {}
    }

    pub(super) fn links(&self) -> Option<Arc<dyn LinkFiles>> {
        match *self {}
    }

    pub(super) fn read(&self, _: &FileName) -> Result<StoredFile, StoreError> {
        match *self {}
    }

    pub(super) fn read_nonblocking(&self, _: &FileName) -> Option<Result<StoredFile, StoreError>> {
        match *self {}
    }

    pub(super) fn info(&self, _: &FileName) -> Result<FileInfo, StoreError> {
        match *self {}
    }

    pub(super) fn list(&self, _: Option<&FileName>) -> Result<Listing, StoreError> {
        match *self {}
    }

    pub(super) fn writer(&self, _: u64) -> Result<Writer, StoreError> {
        match *self {}
    }

    pub(super) fn stage(&self, _: &Upload) -> Result<StagedFile, StoreError> {
        match *self {}
    }

    pub(super) fn publish(&self, _: Vec<Publication>) -> Result<Vec<FileInfo>, StoreError> {
        match *self {}
    }
}

/// A temporary file that is being written. Dropping the writer removes the file.
#[derive(Debug)]
pub enum Writer {}

impl Writer {
    /// Appends bytes to the file.
    ///
    /// # Errors
    /// Never fails, because no writer exists without the feature `files`.
    pub fn write(&mut self, _: &[u8]) -> Result<(), StoreError> {
        match *self {}
    }

    /// Returns the number of bytes that have been written.
    #[must_use]
    pub fn length(&self) -> u64 {
        match *self {}
    }

    /// Completes the file, and writes its content to the disk.
    ///
    /// # Errors
    /// Never fails, because no writer exists without the feature `files`.
    pub fn finish(self) -> Result<StagedFile, StoreError> {
        match self {}
    }

    pub(crate) fn into_upload(self, _: String) -> Result<Upload, StoreError> {
        match self {}
    }
}

/// A temporary file whose content is complete and that can be published. Dropping it removes the file.
#[derive(Debug)]
pub enum StagedFile {}

impl StagedFile {
    /// Returns the length, entity tag and modification time of the file. Publishing the file does not change them.
    #[must_use]
    pub fn info(&self) -> &FileInfo {
        match *self {}
    }

    /// Returns the BLAKE3 hash of the content as 64 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> String {
        match *self {}
    }

    /// Returns the media type that was detected from the content.
    #[must_use]
    pub fn media_type(&self) -> &str {
        match *self {}
    }
}
