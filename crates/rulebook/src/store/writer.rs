//! Files of a store that are being written, or that are complete and not published yet.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use tempfile::TempPath;

use super::{ContentWriter, FileEngine, StoreError};
use crate::call::{Upload, UploadContent};
use crate::transfer::FileInfo;
use crate::transfer::sniff::{SAMPLE_LEN, detect_media_type};

/// A temporary file that is being written. Dropping the writer removes the file.
#[derive(Debug)]
pub struct Writer {
    engine: Arc<dyn FileEngine>,
    content: Box<dyn ContentWriter>,
    hasher: blake3::Hasher,
    length: u64,
    max_length: u64,
    /// The first bytes of the file, from which its media type is detected: at most [`SAMPLE_LEN`] + 1 bytes.
    first_bytes: Vec<u8>,
}

impl Writer {
    pub(super) fn new(engine: &Arc<dyn FileEngine>, max_length: u64) -> Result<Self, StoreError> {
        Ok(Self {
            engine: Arc::clone(engine),
            content: engine.create()?,
            hasher: blake3::Hasher::new(),
            length: 0,
            max_length,
            first_bytes: Vec::new(),
        })
    }

    /// Appends bytes to the file. In a folder, the writer has no buffer: each call writes to the file, so that few
    /// calls with many bytes are faster than many calls with few bytes.
    ///
    /// # Errors
    /// Returns [`StoreError::TooLarge`] if the file would become longer than its maximum length, or the error of the
    /// storage. After an error, the file is incomplete, and the caller must drop the writer.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let length = self.length.saturating_add(bytes.len() as u64);
        if length > self.max_length {
            return Err(StoreError::TooLarge(self.max_length));
        }
        self.content.write(bytes)?;
        self.length = length;
        self.hasher.update(bytes);
        let sampled = bytes.len().min((SAMPLE_LEN + 1).saturating_sub(self.first_bytes.len()));
        self.first_bytes.extend_from_slice(&bytes[..sampled]);
        Ok(())
    }

    /// Returns the number of bytes that have been written.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Completes the file, and stores its content durably.
    ///
    /// # Errors
    /// Fails if the content cannot be written to the storage.
    pub fn finish(self) -> Result<StagedFile, StoreError> {
        let media_type = detect_media_type(&self.first_bytes).into();
        StagedFile::new(self.engine, self.content.finish()?, &self.hasher.finalize(), self.length, media_type)
    }

    /// Completes the file and converts it to an upload. `filename` is the name that the client sent. The content is not
    /// yet written to the disk: until the file is published, a crash may lose it.
    pub(crate) fn into_upload(self, filename: String) -> Result<Upload, StoreError> {
        let (media_type, length) = (detect_media_type(&self.first_bytes).to_owned(), self.length);
        let hash = self.hasher.finalize().into();
        Ok(Upload::new(filename, media_type, length, UploadContent::File(self.into_temporary_file()?), Some(hash)))
    }

    /// Completes the file, and returns its path.
    pub(crate) fn into_temporary_file(self) -> Result<TempPath, StoreError> {
        let content = self.content.finish()?;
        let path = self.engine.content_path(&content).ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported));
        path.and_then(TempPath::try_from_path).map_err(StoreError::io_during("finishing a file"))
    }
}

/// A temporary file whose content is complete and that can be published. Dropping it removes the file.
#[derive(Debug)]
pub struct StagedFile {
    pub(super) engine: Arc<dyn FileEngine>,
    /// The id of the content. Empty after the storage has taken over the content.
    content: String,
    hash: String,
    media_type: Cow<'static, str>,
    info: FileInfo,
}

impl StagedFile {
    pub(super) fn new(
        engine: Arc<dyn FileEngine>,
        content: String,
        hash: &blake3::Hash,
        length: u64,
        media_type: Cow<'static, str>,
    ) -> Result<Self, StoreError> {
        let hash = hash.to_hex().to_string();
        let mut staged = Self { engine, content, hash, media_type, info: FileInfo::default() };
        staged.info = staged.engine.seal(&staged.content, &staged.hash, length)?;
        Ok(staged)
    }

    /// Returns the length, entity tag and modification time of the file. Publishing the file does not change them.
    #[must_use]
    pub fn info(&self) -> &FileInfo {
        &self.info
    }

    /// Returns the BLAKE3 hash of the content as 64 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> String {
        self.hash.clone()
    }

    /// Returns the media type that was detected from the content.
    #[must_use]
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// Returns the id, the hash and the metadata of the content, which the storage then takes over.
    pub(super) fn release(mut self) -> (String, String, FileInfo) {
        let Self { content, hash, info, .. } = &mut self;
        (std::mem::take(content), std::mem::take(hash), std::mem::take(info))
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.content.is_empty() {
            self.engine.discard(&self.content);
        }
    }
}
