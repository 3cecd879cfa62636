//! Contents of files in the staging folder: those that are being written, and complete ones without a name in the
//! store.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use cap_std::fs::OpenOptions;

use super::hash;
use super::staging::Staging;
use crate::store::{ContentWriter, StoreError};
use crate::transfer::FileInfo;

/// A file in the staging folder that is being written. Dropping this value removes the file, unless it is complete.
#[derive(Debug)]
pub(super) struct FolderContent {
    staging: Arc<Staging>,
    /// The name of the file in the staging folder; empty once the file is complete.
    name: String,
    file: File,
}

impl FolderContent {
    pub(super) fn create(staging: &Arc<Staging>) -> Result<Self, StoreError> {
        let name = staging.unique_file_name();
        let file = staging.dir().open_with(&name, OpenOptions::new().write(true).create_new(true));
        let file = file.map_err(StoreError::io_during("creating a file"))?.into_std();
        Ok(Self { staging: Arc::clone(staging), name, file })
    }
}

impl ContentWriter for FolderContent {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.file.write_all(bytes).map_err(StoreError::io_during("writing a file"))
    }

    /// Does not write the file to the disk: [`seal`] does, and an upload need not survive a crash.
    fn finish(mut self: Box<Self>) -> Result<String, StoreError> {
        Ok(std::mem::take(&mut self.name))
    }
}

impl Drop for FolderContent {
    fn drop(&mut self) {
        if !self.name.is_empty() {
            // If this fails, the file will be removed together with the staging folder.
            let _ = self.staging.dir().remove_file(&self.name);
        }
    }
}

/// Writes a complete file to the disk, and stores its hash if the file system supports this.
pub(super) fn seal(staging: &Staging, name: &str, hash: &str) -> Result<FileInfo, StoreError> {
    let io = StoreError::io_during("finishing a file");
    let file = staging.dir().open_with(name, OpenOptions::new().read(true).write(true)).map_err(&io)?.into_std();
    // If the hash cannot be stored, the entity tag will be derived from the file's metadata.
    if let Err(error) = hash::store_hash(&file, hash) {
        log::debug!("the file system cannot store the hash of a file: {error}");
    }
    file.sync_all().map_err(&io)?;
    Ok(hash::file_info(&file, &file.metadata().map_err(&io)?))
}
