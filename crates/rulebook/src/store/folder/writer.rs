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
use crate::store::digest::ContentDigest;
use crate::transfer::FileInfo;

/// A temporary file that is being written. Dropping the writer removes the file.
#[derive(Debug)]
pub(in crate::store) struct Writer {
    file: File,
    temporary: TemporaryFile,
    digest: ContentDigest,
}

/// A temporary file whose content is complete and that can be published. Dropping it removes the file.
#[derive(Debug)]
pub(in crate::store) struct StagedFile {
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
        Ok(Self { file, temporary: TemporaryFile::new(folder, name), digest: ContentDigest::new(max_length) })
    }

    /// Appends bytes to the file.
    pub(in crate::store) fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.digest.check_length(bytes)?;
        self.file.write_all(bytes).map_err(StoreError::io_during("writing a file"))?;
        self.digest.update(bytes);
        Ok(())
    }

    pub(in crate::store) fn length(&self) -> u64 {
        self.digest.length()
    }

    /// Completes the file, and writes its content to the disk.
    pub(in crate::store) fn finish(self) -> Result<StagedFile, StoreError> {
        let Self { file, temporary, digest } = self;
        StagedFile::new(&file, temporary, digest.hash(), digest.media_type().into())
    }

    /// Completes the file and converts it to an upload, without writing it to the disk.
    pub(in crate::store) fn into_upload(self, filename: String) -> Result<Upload, StoreError> {
        let Self { temporary, digest, .. } = self;
        let path = temporary.into_path().map_err(StoreError::io_during("finishing a file"))?;
        let media_type = digest.media_type().to_owned();
        Ok(Upload::new(filename, media_type, digest.length(), Some(path), Some(*digest.hash().as_bytes())))
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

    pub(in crate::store) fn info(&self) -> &FileInfo {
        &self.info
    }

    pub(in crate::store) fn hash(&self) -> String {
        self.hash.to_hex().to_string()
    }

    pub(in crate::store) fn media_type(&self) -> &str {
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
