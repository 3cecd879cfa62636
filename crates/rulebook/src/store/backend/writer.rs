//! Files of a store that are being written, or that are complete and not published yet.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::call::{ETag, Upload};
use crate::store::digest::ContentDigest;
use crate::store::engine::{ContentWriter, FileEngine};
use crate::store::{StoreError, folder};
use crate::transfer::FileInfo;

/// A temporary file that is being written. Dropping the writer removes the file.
#[derive(Debug)]
pub struct Writer(pub(super) WriterTarget);

#[derive(Debug)]
pub(super) enum WriterTarget {
    Folder(folder::Writer),
    Engine { engine: Arc<dyn FileEngine>, content: Box<dyn ContentWriter>, digest: ContentDigest },
}

impl Writer {
    /// Appends bytes to the file. In a folder, the writer has no buffer: each call writes to the file, so that few
    /// calls with many bytes are faster than many calls with few bytes.
    ///
    /// # Errors
    /// Returns [`StoreError::TooLarge`] if the file would become longer than its maximum length, or the error of the
    /// storage. After an error, the file is incomplete, and the caller must drop the writer.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        match &mut self.0 {
            WriterTarget::Folder(writer) => writer.write(bytes),
            WriterTarget::Engine { content, digest, .. } => {
                digest.check_length(bytes)?;
                content.write(bytes)?;
                digest.update(bytes);
                Ok(())
            }
        }
    }

    /// Returns the number of bytes that have been written.
    #[must_use]
    pub fn length(&self) -> u64 {
        match &self.0 {
            WriterTarget::Folder(writer) => writer.length(),
            WriterTarget::Engine { digest, .. } => digest.length(),
        }
    }

    /// Completes the file, and stores its content durably.
    ///
    /// # Errors
    /// Fails if the content cannot be written to the storage.
    pub fn finish(self) -> Result<StagedFile, StoreError> {
        match self.0 {
            WriterTarget::Folder(writer) => writer.finish().map(|staged| StagedFile(StagedTarget::Folder(staged))),
            WriterTarget::Engine { engine, content, digest } => {
                let content = content.finish()?;
                let hash = digest.hash().to_hex().to_string();
                let info = FileInfo {
                    length: Some(digest.length()),
                    accepts_ranges: true,
                    etag: Some(ETag::strong(&hash)),
                    modified: Some(now_in_milliseconds()),
                };
                let media_type = digest.media_type();
                Ok(StagedFile(StagedTarget::Engine(StagedContent { engine, content, hash, media_type, info })))
            }
        }
    }

    /// Completes the file and converts it to an upload. `filename` is the name that the client sent. The content is not
    /// yet written to the disk: until the file is published, a crash may lose it.
    ///
    /// # Errors
    /// Fails if the absolute path of the file cannot be determined, or if the file is not in a folder: uploads are
    /// files on the disk.
    pub(crate) fn into_upload(self, filename: String) -> Result<Upload, StoreError> {
        match self.0 {
            WriterTarget::Folder(writer) => writer.into_upload(filename),
            WriterTarget::Engine { .. } => {
                Err(StoreError::io_during("finishing a file")(io::ErrorKind::Unsupported.into()))
            }
        }
    }
}

/// Returns the current time in whole milliseconds.
fn now_in_milliseconds() -> SystemTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A temporary file whose content is complete and that can be published. Dropping it removes the file.
#[derive(Debug)]
pub struct StagedFile(pub(super) StagedTarget);

#[derive(Debug)]
pub(super) enum StagedTarget {
    Folder(folder::StagedFile),
    Engine(StagedContent),
}

/// A complete content of another storage, to which no name refers.
#[derive(Debug)]
pub(super) struct StagedContent {
    pub(super) engine: Arc<dyn FileEngine>,
    /// The id of the content. Empty after the storage has taken over the content.
    content: String,
    hash: String,
    media_type: &'static str,
    info: FileInfo,
}

impl StagedContent {
    /// Returns the id, the hash and the metadata of the content, which the storage then takes over.
    pub(super) fn release(mut self) -> (String, String, FileInfo) {
        let Self { content, hash, info, .. } = &mut self;
        (std::mem::take(content), std::mem::take(hash), std::mem::take(info))
    }
}

impl Drop for StagedContent {
    fn drop(&mut self) {
        if !self.content.is_empty() {
            self.engine.discard(&self.content);
        }
    }
}

impl StagedFile {
    /// Returns the length, entity tag and modification time of the file. Publishing the file does not change them.
    #[must_use]
    pub fn info(&self) -> &FileInfo {
        match &self.0 {
            StagedTarget::Folder(staged) => staged.info(),
            StagedTarget::Engine(staged) => &staged.info,
        }
    }

    /// Returns the BLAKE3 hash of the content as 64 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> String {
        match &self.0 {
            StagedTarget::Folder(staged) => staged.hash(),
            StagedTarget::Engine(staged) => staged.hash.clone(),
        }
    }

    /// Returns the media type that was detected from the content.
    #[must_use]
    pub fn media_type(&self) -> &str {
        match &self.0 {
            StagedTarget::Folder(staged) => staged.media_type(),
            StagedTarget::Engine(staged) => staged.media_type,
        }
    }
}
