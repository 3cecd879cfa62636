//! Files that are being written and have not been published.

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
use crate::transfer::{FileInfo, sniff};

/// A file that is being written. Dropping the writer removes the file.
#[derive(Debug)]
pub struct Writer {
    file: File,
    temporary: TemporaryFile,
    hasher: blake3::Hasher,
    length: u64,
    limit: u64,
    /// The first bytes, from which the media type is detected: at most one more than [`SAMPLE_LEN`].
    sample: Vec<u8>,
}

/// A complete file that has not been published. Dropping it removes the file.
#[derive(Debug)]
pub struct StagedFile {
    temporary: TemporaryFile,
    hash: blake3::Hash,
    media_type: Cow<'static, str>,
    info: FileInfo,
}

/// A file in the staging folder. Dropping this removes the file, unless it has been moved out of the folder.
#[derive(Debug)]
pub(super) struct TemporaryFile {
    folder: Arc<Folder>,
    name: String,
    released: bool,
}

impl Writer {
    pub(in crate::store) fn new(folder: &Arc<Folder>, limit: u64) -> Result<Self, StoreError> {
        let name = folder.staging.unique_name();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let file = folder.staging.dir().open_with(&name, &options);
        let file = file.map_err(StoreError::io("creating a file"))?.into_std();
        Ok(Self {
            file,
            temporary: TemporaryFile::new(folder, name),
            hasher: blake3::Hasher::new(),
            length: 0,
            limit,
            sample: Vec::new(),
        })
    }

    /// Appends bytes. There is no buffer: each call writes to the file, so that a few large pieces cost less than many
    /// small ones.
    ///
    /// # Errors
    /// Returns [`StoreError::TooLarge`] if the file would exceed its limit, or the error of the disk. The file is
    /// incomplete then, and the writer must be dropped.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let length = self.length.saturating_add(bytes.len() as u64);
        if length > self.limit {
            return Err(StoreError::TooLarge(self.limit));
        }
        self.file.write_all(bytes).map_err(StoreError::io("writing a file"))?;
        let sampled = bytes.len().min((SAMPLE_LEN + 1).saturating_sub(self.sample.len()));
        self.sample.extend_from_slice(&bytes[..sampled]);
        self.hasher.update(bytes);
        self.length = length;
        Ok(())
    }

    /// Returns the number of bytes written so far.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Completes the file and syncs it to the disk.
    ///
    /// # Errors
    /// Fails if the file cannot be synced.
    pub fn finish(self) -> Result<StagedFile, StoreError> {
        let Self { file, temporary, hasher, sample, .. } = self;
        StagedFile::new(&file, temporary, hasher.finalize(), sniff(&sample).into())
    }

    /// Completes the file as an upload. `filename` is the name that the client sent. The content is not synced: until
    /// the file is published, a crash may lose it.
    ///
    /// # Errors
    /// Fails if the path of the file cannot be made absolute.
    pub(crate) fn into_upload(self, filename: String) -> Result<Upload, StoreError> {
        let Self { temporary, hasher, sample, length, .. } = self;
        let path = temporary.into_path().map_err(StoreError::io("finishing a file"))?;
        Ok(Upload::with_hash(filename, sniff(&sample).to_owned(), length, path, *hasher.finalize().as_bytes()))
    }
}

impl StagedFile {
    /// Syncs a completely written file to the disk.
    pub(super) fn new(
        file: &File,
        temporary: TemporaryFile,
        hash: blake3::Hash,
        media_type: Cow<'static, str>,
    ) -> Result<Self, StoreError> {
        let io = StoreError::io("finishing a file");
        // Without a stored hash, the entity tag is derived from the file's metadata.
        if let Err(error) = hash::store_hash(file, hash.to_hex().as_str()) {
            log::debug!("the file system cannot store the hash of a file: {error}");
        }
        file.sync_all().map_err(&io)?;
        let info = hash::file_info(file, &file.metadata().map_err(&io)?);
        Ok(Self { temporary, hash, media_type, info })
    }

    /// Returns the length, entity tag and modification time. Publishing does not change them.
    #[must_use]
    pub fn info(&self) -> &FileInfo {
        &self.info
    }

    /// Returns the BLAKE3 hash of the content as 64 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> String {
        self.hash.to_hex().to_string()
    }

    /// Returns the media type detected from the content.
    #[must_use]
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// Returns the name in the staging folder.
    pub(super) fn staging_name(&self) -> &str {
        &self.temporary.name
    }

    /// Drops this value without removing the file, which has been renamed or is needed for recovery.
    pub(super) fn release(mut self) -> FileInfo {
        self.temporary.released = true;
        self.info
    }
}

impl TemporaryFile {
    pub(super) fn new(folder: &Arc<Folder>, name: String) -> Self {
        Self { folder: Arc::clone(folder), name, released: false }
    }

    /// Converts this to a path. Dropping the path removes the file.
    fn into_path(mut self) -> io::Result<TempPath> {
        let path = TempPath::try_from_path(self.folder.path.join(self.folder.staging.path()).join(&self.name))?;
        self.released = true;
        Ok(path)
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if !self.released {
            // If this fails, the file is removed together with the staging folder.
            let _ = self.folder.staging.dir().remove_file(&self.name);
        }
    }
}
