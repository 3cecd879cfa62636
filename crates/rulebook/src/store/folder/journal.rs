//! The journal, which publishes several files atomically: either all of them get their names in the store or none.
//!
//! Publishing a file means to rename it from the staging folder to its name in the store. Before the first rename, a
//! record of all planned renames is written to the staging folder. If the program ends after that, the next program
//! that opens the store finds the record and performs the missing renames. If a rename fails, the record becomes a
//! rollback record, and the performed renames are reverted. A step that was interrupted can be repeated safely. A file
//! that is replaced keeps a second name, a hard link in the staging folder, until all files have been published.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind, Write};

use cap_std::fs::{Dir, OpenOptions};
use serde::{Deserialize, Serialize};

use super::resolve::{self, false_if_not_found};
use crate::store::{FileName, StoreError};

/// The suffix of a record's file name if its renames are to be completed.
const COMMIT_SUFFIX: &str = ".commit";
/// The suffix of a record's file name if its renames are to be reverted.
const ROLLBACK_SUFFIX: &str = ".undo";

/// A planned rename of a file from the staging folder to its name in the store.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PlannedRename {
    #[serde(rename = "staged")]
    staged_name: String,
    name: String,
    /// The second name, in the staging folder, of the file that the rename replaces; `None` if it replaces no file.
    #[serde(rename = "before")]
    replaced_link: Option<String>,
}

impl PlannedRename {
    pub(super) fn new(staged: &str, name: &FileName, replaces_file: bool) -> Self {
        let replaced_link = replaces_file.then(|| format!("{staged}.before"));
        Self { staged_name: staged.to_owned(), name: name.as_str().to_owned(), replaced_link }
    }

    /// Opens the folder in the store to which the file is renamed. Returns the folder and the last segment of the
    /// file's name.
    fn open_parent(&self, root: &Dir) -> io::Result<(Dir, &str)> {
        let (folders, file) = self.split_name();
        let folder = resolve::open_folder_path(root, folders.split('/').filter(|part| !part.is_empty()));
        Ok((folder?, file))
    }

    fn split_name(&self) -> (&str, &str) {
        self.name.rsplit_once('/').unwrap_or(("", &self.name))
    }

    pub(super) fn perform_rename(&self, root: &Dir, staging: &Dir) -> Result<(), StoreError> {
        let renamed =
            self.open_parent(root).and_then(|(folder, file)| staging.rename(&self.staged_name, &folder, file));
        renamed.map_err(|error| self.store_error(error))
    }

    /// Writes the folder that contains the new name to the disk, so that a crash cannot undo the rename.
    pub(super) fn sync_folder(&self, root: &Dir) -> Result<(), StoreError> {
        let synced = self.open_parent(root).and_then(|(folder, _)| resolve::sync_dir(&folder));
        synced.map_err(|error| self.store_error(error))
    }

    fn store_error(&self, error: io::Error) -> StoreError {
        match (error.kind(), FileName::parse(&self.name)) {
            (ErrorKind::IsADirectory | ErrorKind::NotADirectory | ErrorKind::DirectoryNotEmpty, Ok(name)) => {
                StoreError::NameTaken(name)
            }
            _ => StoreError::io_during("publishing files")(error),
        }
    }

    fn is_pending(&self, staging: &Dir) -> io::Result<bool> {
        false_if_not_found(staging.symlink_metadata(&self.staged_name).map(drop))
    }

    /// If the rename replaces a file, gives this file a second name in the staging folder.
    fn link_replaced(&self, root: &Dir, staging: &Dir) -> io::Result<()> {
        let Some(before) = &self.replaced_link else { return Ok(()) };
        let (folder, file) = self.open_parent(root)?;
        folder.hard_link(file, staging, before)
    }

    fn revert_rename(&self, root: &Dir, staging: &Dir) -> io::Result<()> {
        if self.is_pending(staging)? {
            // The rename has not been performed, or it has been reverted already.
            return Ok(());
        }
        let reverted = self.open_parent(root).and_then(|(folder, file)| match &self.replaced_link {
            Some(before) => staging.rename(before, &folder, file),
            None => folder.rename(file, staging, &self.staged_name),
        });
        false_if_not_found(reverted).map(drop)
    }
}

/// Performs all renames or, if one fails, none. `record` is a file name in the staging folder that is not in use.
pub(super) fn publish_files(
    root: &Dir,
    staging: &Dir,
    record: &str,
    renames: &[PlannedRename],
) -> Result<(), StoreError> {
    let io = StoreError::io_during("publishing files");
    let commit = format!("{record}{COMMIT_SUFFIX}");
    let linked = renames.iter().try_for_each(|rename| rename.link_replaced(root, staging)).map_err(&io);
    let recorded = linked.and_then(|()| write_record(staging, record, &commit, renames).map_err(&io));
    let published = recorded.and_then(|()| perform_renames(root, staging, renames));
    if published.is_ok() {
        // An error is ignored: a record whose renames have all been performed has no effect.
        let _ = staging.remove_file(&commit);
    } else {
        roll_back(root, staging, &commit, renames).map_err(&io)?;
    }
    for before in renames.iter().filter_map(|rename| rename.replaced_link.as_ref()) {
        // An error is ignored: the link will be removed together with the staging folder.
        let _ = staging.remove_file(before);
    }
    published
}

/// Reverts the renames in a record. Does nothing if the record does not exist, because then no file has been renamed.
fn roll_back(root: &Dir, staging: &Dir, commit: &str, renames: &[PlannedRename]) -> io::Result<()> {
    // The record becomes a rollback record before the first rename is reverted: after a crash, a partly reverted
    // publication must not be completed.
    let record = commit.replace(COMMIT_SUFFIX, ROLLBACK_SUFFIX);
    if false_if_not_found(staging.rename(commit, staging, &record))? {
        resolve::sync_dir(staging)?;
        revert_renames(root, staging, renames)?;
        remove_record(staging, &record)?;
    }
    Ok(())
}

/// Removes a rollback record, and writes the folder to the disk. If the record reappeared after a crash, it would
/// revert renames of files that have the same names by then.
fn remove_record(staging: &Dir, record: &str) -> io::Result<()> {
    staging.remove_file(record)?;
    resolve::sync_dir(staging)
}

/// Returns `true` if the staging folder contains a record: a publication has been neither completed nor reverted.
pub(super) fn has_journal_records(staging: &Dir) -> bool {
    record_names(staging).is_ok_and(|records| !records.is_empty())
}

/// Completes or reverts the publications that a program has not finished. `abandoned` is the staging folder of this
/// program, which contains the records.
pub(super) fn recover_publications(root: &Dir, abandoned: &Dir) -> Result<(), StoreError> {
    let io = StoreError::io_during("recovering interrupted publications");
    for record in record_names(abandoned).map_err(&io)? {
        let renames: Vec<PlannedRename> =
            serde_json::from_slice(&abandoned.read(&record).map_err(&io)?).map_err(|_| {
                let error = io::Error::new(ErrorKind::InvalidData, format!("{record} is not a journal record"));
                io(error)
            })?;
        // Only this program writes records, but the names in a record are checked: a forged record must not change
        // files outside of the store.
        if renames.iter().any(|rename| FileName::parse(&rename.name).is_err()) {
            return Err(io(ErrorKind::InvalidData.into()));
        }
        if record.ends_with(ROLLBACK_SUFFIX) {
            revert_renames(root, abandoned, &renames).and_then(|()| remove_record(abandoned, &record)).map_err(&io)?;
        } else if perform_pending_renames(root, abandoned, &renames).is_err() {
            roll_back(root, abandoned, &record, &renames).map_err(&io)?;
        }
    }
    Ok(())
}

fn perform_renames(root: &Dir, staging: &Dir, renames: &[PlannedRename]) -> Result<(), StoreError> {
    renames.iter().try_for_each(|rename| rename.perform_rename(root, staging))?;
    sync_folders(root, staging, renames).map_err(StoreError::io_during("publishing files"))
}

/// Performs those of the renames that have not been performed yet.
fn perform_pending_renames(root: &Dir, staging: &Dir, renames: &[PlannedRename]) -> Result<(), StoreError> {
    for rename in renames {
        if rename.is_pending(staging).map_err(StoreError::io_during("publishing files"))? {
            rename.perform_rename(root, staging)?;
        }
    }
    sync_folders(root, staging, renames).map_err(StoreError::io_during("publishing files"))
}

fn revert_renames(root: &Dir, staging: &Dir, renames: &[PlannedRename]) -> io::Result<()> {
    renames.iter().rev().try_for_each(|rename| rename.revert_rename(root, staging))?;
    sync_folders(root, staging, renames)
}

/// Writes each folder that a rename changes to the disk, once per folder.
fn sync_folders(root: &Dir, staging: &Dir, renames: &[PlannedRename]) -> io::Result<()> {
    let mut synced = BTreeSet::new();
    for rename in renames {
        if synced.insert(rename.split_name().0) {
            // If another program has removed the folder in the meantime, there is nothing to write.
            false_if_not_found(rename.open_parent(root).and_then(|(folder, _)| resolve::sync_dir(&folder)))?;
        }
    }
    resolve::sync_dir(staging)
}

/// Writes a record of the planned renames. On success, the record is on the disk; on an error, no record exists.
fn write_record(staging: &Dir, record: &str, commit: &str, renames: &[PlannedRename]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let mut file = staging.open_with(record, &options)?;
    let written = file.write_all(&serde_json::to_vec(renames)?).and_then(|()| file.sync_all());
    drop(file);
    let renamed = written.and_then(|()| staging.rename(record, staging, commit));
    if renamed.is_err() {
        let _ = staging.remove_file(record);
    }
    renamed?;
    resolve::sync_dir(staging)
}

/// Returns the file names of all records in a staging folder, sorted.
fn record_names(staging: &Dir) -> io::Result<Vec<String>> {
    let mut records = Vec::new();
    for entry in staging.entries()? {
        if let Some(name) =
            entry?.file_name().to_str().filter(|name| name.ends_with(COMMIT_SUFFIX) || name.ends_with(ROLLBACK_SUFFIX))
        {
            records.push(name.to_owned());
        }
    }
    records.sort();
    Ok(records)
}
