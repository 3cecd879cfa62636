//! Temporary files of the store: files that are being written, and complete files that have not been published.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use cap_std::fs::OpenOptions;
use tempfile::TempPath;

use super::{Folder, hash};
use crate::call::Upload;
use crate::store::StoreError;
use crate::transfer::sniff::SAMPLE_LEN;
use crate::transfer::{FileInfo, detect_media_type};

/// A temporary file that is being written. Dropping the writer removes the file.
#[derive(Debug)]
pub struct Writer {
    file: File,
    temporary: TemporaryFile,
    hasher: blake3::Hasher,
    length: u64,
    max_length: u64,
    /// The first bytes of the file, from which its media type is detected: at most [`SAMPLE_LEN`] + 1 bytes.
    first_bytes: Vec<u8>,
}

/// A temporary file whose content is complete and that can be published. Dropping it removes the file.
#[derive(Debug)]
pub struct StagedFile {
    temporary: TemporaryFile,
    hash: blake3::Hash,
    media_type: Cow<'static, str>,
    info: FileInfo,
}

/// A file in the staging folder. Dropping this value removes the file, unless it has been is_released.
#[derive(Debug)]
pub(super) struct TemporaryFile {
    folder: Arc<Folder>,
    name: String,
    is_released: bool,
}

impl Writer {
    pub(in crate::store) fn new(folder: &Arc<Folder>, max_length: u64) -> Result<Self, StoreError> {
        let name = folder.staging.unique_file_name();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let file = folder.staging.dir().open_with(&name, &options);
        let file = file.map_err(StoreError::io_during("creating a file"))?.into_std();
        Ok(Self {
            file,
            temporary: TemporaryFile::new(folder, name),
            hasher: blake3::Hasher::new(),
            length: 0,
            max_length,
            first_bytes: Vec::new(),
        })
    }

    /// Appends bytes to the file. The writer has no buffer: each call writes to the file, so that few calls with many
    /// bytes are faster than many calls with few bytes.
    ///
    /// # Errors
    /// Returns [`StoreError::TooLarge`] if the file would become longer than its maximum length, or the error of the
    /// disk. After an error, the file is incomplete, and the caller must drop the writer.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let length = self.length.saturating_add(bytes.len() as u64);
        if length > self.max_length {
            return Err(StoreError::TooLarge(self.max_length));
        }
        self.file.write_all(bytes).map_err(StoreError::io_during("writing a file"))?;
        let sampled = bytes.len().min((SAMPLE_LEN + 1).saturating_sub(self.first_bytes.len()));
        self.first_bytes.extend_from_slice(&bytes[..sampled]);
        self.hasher.update(bytes);
        self.length = length;
        Ok(())
    }

    /// Returns the number of bytes that have been written.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Completes the file, and writes its content to the disk.
    ///
    /// # Errors
    /// Fails if the content cannot be written to the disk.
    pub fn finish(self) -> Result<StagedFile, StoreError> {
        let Self { file, temporary, hasher, first_bytes, .. } = self;
        StagedFile::new(&file, temporary, hasher.finalize(), detect_media_type(&first_bytes).into())
    }

    /// Completes the file and converts it to an upload. `filename` is the name that the client sent. The content is not
    /// yet written to the disk: until the file is published, a crash may lose it.
    ///
    /// # Errors
    /// Fails if the absolute path of the file cannot be determined.
    pub(crate) fn into_upload(self, filename: String) -> Result<Upload, StoreError> {
        let Self { temporary, hasher, first_bytes, length, .. } = self;
        let path = temporary.into_path().map_err(StoreError::io_during("finishing a file"))?;
        Ok(Upload::with_hash(
            filename,
            detect_media_type(&first_bytes).to_owned(),
            length,
            path,
            *hasher.finalize().as_bytes(),
        ))
    }
}

impl StagedFile {
    /// Writes the content of a complete file to the disk, and stores its hash if the file system supports this.
    pub(super) fn new(
        file: &File,
        temporary: TemporaryFile,
        hash: blake3::Hash,
        media_type: Cow<'static, str>,
    ) -> Result<Self, StoreError> {
        let io = StoreError::io_during("finishing a file");
        // If the hash cannot be stored, the entity tag will be derived from the file's metadata.
        if let Err(error) = hash::store_hash(file, hash.to_hex().as_str()) {
            log::debug!("the file system cannot store the hash of a file: {error}");
        }
        file.sync_all().map_err(&io)?;
        let info = hash::file_info(file, &file.metadata().map_err(&io)?);
        Ok(Self { temporary, hash, media_type, info })
    }

    /// Returns the length, entity tag and modification time of the file. Publishing the file does not change them.
    #[must_use]
    pub fn info(&self) -> &FileInfo {
        &self.info
    }

    /// Returns the BLAKE3 hash of the content as 64 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> String {
        self.hash.to_hex().to_string()
    }

    /// Returns the media type that was detected from the content.
    #[must_use]
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// Returns the name of the file in the staging folder.
    pub(super) fn staging_name(&self) -> &str {
        &self.temporary.name
    }

    /// Drops this value without removing the file, which has been renamed or is still needed to recover a publication.
    pub(super) fn release(mut self) -> FileInfo {
        self.temporary.is_released = true;
        self.info
    }
}

impl TemporaryFile {
    pub(super) fn new(folder: &Arc<Folder>, name: String) -> Self {
        Self { folder: Arc::clone(folder), name, is_released: false }
    }

    /// Converts this value to a path. Dropping the path removes the file.
    fn into_path(mut self) -> io::Result<TempPath> {
        let path = TempPath::try_from_path(self.folder.path.join(self.folder.staging.path()).join(&self.name))?;
        self.is_released = true;
        Ok(path)
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if !self.is_released {
            // If this fails, the file will be removed together with the staging folder.
            let _ = self.folder.staging.dir().remove_file(&self.name);
        }
    }
}
