//! Publishes staged files: renames them from the staging folder to their names in the store.

use super::journal::{self, PlannedRename};
use super::resolve::{self, OpenError};
use super::{Folder, StagedFile, hash};
use crate::store::{FileName, StoreError};
use crate::transfer::{FileInfo, Precondition};

const PUBLISH_ACTION: &str = "publishing a file";

/// A file to be published, whose name no other file of the same call has.
pub(in crate::store) struct PublishedFile {
    pub(in crate::store) staged: StagedFile,
    pub(in crate::store) name: FileName,
    pub(in crate::store) precondition: Precondition,
}

impl Folder {
    /// Publishes all of the files or, if an error occurs, none.
    pub(in crate::store) fn publish(&self, files: Vec<PublishedFile>) -> Result<Vec<FileInfo>, StoreError> {
        let lock = self.staging.lock_publishing().map_err(StoreError::io_during(PUBLISH_ACTION))?;
        let mut created = CreatedFolders { folder: self, paths: Vec::new() };
        let mut renames = Vec::with_capacity(files.len());
        for PublishedFile { staged, name, precondition } in &files {
            let current = created.create_parents(name)?;
            if !precondition.is_met(current.as_ref()) {
                return Err(StoreError::PreconditionFailed(name.clone()));
            }
            renames.push(PlannedRename::new(staged.staging_name(), name, current.is_some()));
        }
        let staging = self.staging.dir();
        let published = match renames.as_slice() {
            [] => Ok(()),
            // A single rename is atomic, so that it does not need the journal.
            [rename] => rename.perform_rename(&self.root, staging),
            renames => journal::publish_files(&self.root, staging, &self.staging.unique_file_name(), renames),
        };
        if let Err(error) = published {
            if journal::has_journal_records(staging) {
                // The rollback has failed as well. The next program that opens the store will repeat it, and needs
                // these files.
                created.paths.clear();
                files.into_iter().for_each(|file| drop(file.staged.release()));
            }
            return Err(error);
        }
        created.paths.clear();
        // The lock is held until the journal record has been removed, because no program may replace one of the files
        // while the record exists.
        drop(lock);
        if let [rename] = renames.as_slice() {
            rename.sync_folder(&self.root)?;
        }
        Ok(files.into_iter().map(|file| file.staged.release()).collect())
    }
}

/// The folders that were created for new files. Dropping this value removes the folders, unless `paths` was cleared.
struct CreatedFolders<'f> {
    folder: &'f Folder,
    paths: Vec<String>,
}

impl CreatedFolders<'_> {
    /// Creates the missing folders in a name. Returns the metadata of the existing file with this name; `None` if no
    /// file has the name.
    fn create_parents(&mut self, name: &FileName) -> Result<Option<FileInfo>, StoreError> {
        let io = StoreError::io_during(PUBLISH_ACTION);
        let write_error = |error| match error {
            OpenError::Io(error) => io(error),
            OpenError::NotFound | OpenError::WrongType => StoreError::NameTaken(name.clone()),
        };
        let (folders, file) = name.folders_and_last_part();
        let mut folder = self.folder.root.try_clone().map_err(&io)?;
        let mut path = String::new();
        for part in folders {
            path.push_str(if path.is_empty() { "" } else { "/" });
            path.push_str(part);
            folder = match resolve::open_dir(&folder, part) {
                Ok(inner) => inner,
                Err(OpenError::NotFound) => {
                    folder.create_dir(part).map_err(&io)?;
                    self.paths.push(path.clone());
                    // The folder is written to the disk while the lock is held: another program that publishes a file
                    // in the folder later finds it there and does not write it to the disk again.
                    resolve::sync_dir(&folder).map_err(&io)?;
                    resolve::open_dir(&folder, part).map_err(write_error)?
                }
                Err(error) => return Err(write_error(error)),
            };
        }
        match resolve::open_file(&folder, file) {
            Ok(current) => Ok(Some(hash::file_info(&current.file, &current.metadata))),
            Err(OpenError::NotFound) => Ok(None),
            Err(error) => Err(write_error(error)),
        }
    }
}

impl Drop for CreatedFolders<'_> {
    fn drop(&mut self) {
        for path in self.paths.iter().rev() {
            let (folders, last) = path.rsplit_once('/').unwrap_or(("", path));
            let folders = folders.split('/').filter(|part| !part.is_empty());
            if let Ok(folder) = resolve::open_folder_path(&self.folder.root, folders) {
                // If another program has put a file into the folder, this fails, and the folder is kept as intended.
                let _ = folder.remove_dir(last);
            }
        }
    }
}
