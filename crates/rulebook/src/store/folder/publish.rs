//! Publishes staged files: renames them from the staging folder to their names in the store.

use super::journal::{self, PlannedRename};
use super::resolve::{self, OpenError};
use super::{Folder, hash};
use crate::store::{FileEngine, FileName, NewFile, StoreError};
use crate::transfer::FileInfo;

const PUBLISH_ACTION: &str = "publishing a file";

impl Folder {
    /// Publishes all of the files or, if an error occurs, none.
    pub(super) fn publish_contents(&self, files: &[NewFile]) -> Result<Vec<FileInfo>, StoreError> {
        let mut is_interrupted = false;
        let published = self.rename_contents(files, &mut is_interrupted);
        if published.is_err() && !is_interrupted {
            files.iter().for_each(|file| self.discard(&file.content));
        }
        published.map(|()| files.iter().map(|file| file.info.clone()).collect())
    }

    /// Renames all of the files or, if an error occurs, none. `is_interrupted` becomes `true` if the next program that
    /// opens the store will complete or revert the renames.
    fn rename_contents(&self, files: &[NewFile], is_interrupted: &mut bool) -> Result<(), StoreError> {
        let lock = self.staging.lock_publishing().map_err(StoreError::io_during(PUBLISH_ACTION))?;
        let mut created = CreatedFolders { folder: self, paths: Vec::new() };
        let mut renames = Vec::with_capacity(files.len());
        for NewFile { content, name, precondition, .. } in files {
            let current = created.create_parents(name)?;
            if !precondition.is_met(current.as_ref()) {
                return Err(StoreError::PreconditionFailed(name.clone()));
            }
            renames.push(PlannedRename::new(content, name, current.is_some()));
        }
        let staging = self.staging.dir();
        let renamed = match renames.as_slice() {
            [] => Ok(()),
            // A single rename is atomic, so that it does not need the journal.
            [rename] => rename.perform_rename(&self.root, staging),
            renames => journal::publish_files(&self.root, staging, &self.staging.unique_file_name(), renames),
        };
        // If the rollback has failed as well, the next program that opens the store will repeat it, and needs the files
        // and folders.
        *is_interrupted = renamed.is_err() && journal::has_journal_records(staging);
        if renamed.is_ok() || *is_interrupted {
            created.paths.clear();
        }
        renamed?;
        // The lock is held until the journal record has been removed, because no program may replace one of the files
        // while the record exists.
        drop(lock);
        match renames.as_slice() {
            [rename] => rename.sync_folder(&self.root),
            _ => Ok(()),
        }
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
