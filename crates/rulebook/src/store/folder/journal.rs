//! The journal, which makes the publication of several files atomic.
//!
//! A record of the planned renames is written before the first of them is performed. From then on the publication is
//! certain: if the program ends, the next program that opens the store finds the record and performs the remaining
//! renames. If a rename fails, the record becomes a rollback record. Every step can be repeated safely. Replaced files
//! keep a second name (a hard link) until the publication is complete.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind, Write};

use cap_std::fs::{Dir, OpenOptions};
use serde::{Deserialize, Serialize};

use super::resolve::{self, OpenError, unless_not_found};
use crate::store::{FileName, StoreError};

/// Suffix of the names of records whose renames are to be completed.
const COMMIT: &str = ".commit";
/// Suffix of the names of records whose renames are to be reverted.
const UNDO: &str = ".undo";

/// A planned rename of a file from the staging folder to its name in the store.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PlannedRename {
    /// The file's name in the staging folder.
    staged: String,
    /// The name in the store.
    name: String,
    /// If an existing file is replaced: its second name in the staging folder.
    before: Option<String>,
}

impl PlannedRename {
    pub(super) fn new(staged: &str, name: &FileName, replaces: bool) -> Self {
        let before = replaces.then(|| format!("{staged}.before"));
        Self { staged: staged.to_owned(), name: name.as_str().to_owned(), before }
    }

    /// Opens the folder of the name. Returns it with the file's name in that folder.
    fn open_parent(&self, root: &Dir) -> io::Result<(Dir, &str)> {
        let (folders, file) = self.split_name();
        let folder = resolve::open_path(root, folders.split('/').filter(|part| !part.is_empty()));
        let folder = folder.map_err(|error| match error {
            OpenError::Io(error) => error,
            OpenError::NotFound => ErrorKind::NotFound.into(),
            OpenError::WrongType => ErrorKind::NotADirectory.into(),
        })?;
        Ok((folder, file))
    }

    fn split_name(&self) -> (&str, &str) {
        self.name.rsplit_once('/').unwrap_or(("", &self.name))
    }

    /// Renames the file.
    pub(super) fn apply(&self, root: &Dir, staging: &Dir) -> Result<(), StoreError> {
        let renamed = self.open_parent(root).and_then(|(folder, file)| staging.rename(&self.staged, &folder, file));
        renamed.map_err(|error| self.store_error(error))
    }

    /// Syncs the rename to the disk.
    pub(super) fn sync(&self, root: &Dir) -> Result<(), StoreError> {
        let synced = self.open_parent(root).and_then(|(folder, _)| resolve::sync_dir(&folder));
        synced.map_err(|error| self.store_error(error))
    }

    fn store_error(&self, error: io::Error) -> StoreError {
        match (error.kind(), FileName::parse(&self.name)) {
            (ErrorKind::IsADirectory | ErrorKind::NotADirectory | ErrorKind::DirectoryNotEmpty, Ok(name)) => {
                StoreError::NameTaken(name)
            }
            _ => StoreError::io("publishing files")(error),
        }
    }

    /// Returns `true` if the file is still in the staging folder.
    fn is_pending(&self, staging: &Dir) -> io::Result<bool> {
        unless_not_found(staging.symlink_metadata(&self.staged).map(drop))
    }

    /// Creates the second name of the file that is to be replaced.
    fn link_replaced(&self, root: &Dir, staging: &Dir) -> io::Result<()> {
        let Some(before) = &self.before else { return Ok(()) };
        let (folder, file) = self.open_parent(root)?;
        folder.hard_link(file, staging, before)
    }

    fn revert(&self, root: &Dir, staging: &Dir) -> io::Result<()> {
        if self.is_pending(staging)? {
            // The file was never renamed, or the rename has been reverted already.
            return Ok(());
        }
        let reverted = self.open_parent(root).and_then(|(folder, file)| match &self.before {
            Some(before) => staging.rename(before, &folder, file),
            None => folder.rename(file, staging, &self.staged),
        });
        unless_not_found(reverted).map(drop)
    }
}

/// Performs all of the renames or none. `record` is an unused name in the staging folder.
pub(super) fn publish(root: &Dir, staging: &Dir, record: &str, renames: &[PlannedRename]) -> Result<(), StoreError> {
    let io = StoreError::io("publishing files");
    let commit = format!("{record}{COMMIT}");
    let linked = renames.iter().try_for_each(|rename| rename.link_replaced(root, staging)).map_err(&io);
    let recorded = linked.and_then(|()| write_record(staging, record, &commit, renames).map_err(&io));
    let published = recorded.and_then(|()| apply_all(root, staging, renames));
    if published.is_ok() {
        // All renames have been performed, so that a record which cannot be removed has no effect.
        let _ = staging.remove_file(&commit);
    } else {
        roll_back(root, staging, &commit, renames).map_err(&io)?;
    }
    for before in renames.iter().filter_map(|rename| rename.before.as_ref()) {
        // If this fails, the link is removed together with the staging folder.
        let _ = staging.remove_file(before);
    }
    published
}

/// Reverts the renames of a record. Does nothing if the record could not be written.
fn roll_back(root: &Dir, staging: &Dir, commit: &str, renames: &[PlannedRename]) -> io::Result<()> {
    // The record becomes a rollback record first, because a publication that is partly reverted must not be completed
    // after a crash.
    let record = commit.replace(COMMIT, UNDO);
    if unless_not_found(staging.rename(commit, staging, &record))? {
        resolve::sync_dir(staging)?;
        revert_all(root, staging, renames)?;
        remove_record(staging, &record)?;
    }
    Ok(())
}

/// Removes the record of reverted renames, and syncs the folder. The record must not reappear after a crash, because
/// other files may have its names by then.
fn remove_record(staging: &Dir, record: &str) -> io::Result<()> {
    staging.remove_file(record)?;
    resolve::sync_dir(staging)
}

/// Returns `true` if a publication was started and neither completed nor reverted.
pub(super) fn has_records(staging: &Dir) -> bool {
    records(staging).is_ok_and(|records| !records.is_empty())
}

/// Completes or reverts the publications of a program that has ended, by the records in its staging folder.
pub(super) fn recover(root: &Dir, abandoned: &Dir) -> Result<(), StoreError> {
    let io = StoreError::io("recovering interrupted publications");
    for record in records(abandoned).map_err(&io)? {
        let renames: Vec<PlannedRename> =
            serde_json::from_slice(&abandoned.read(&record).map_err(&io)?).map_err(|_| {
                let error = io::Error::new(ErrorKind::InvalidData, format!("{record} is not a journal record"));
                io(error)
            })?;
        // Only stores write records. The names are still checked, so that no record can change files outside of the
        // store.
        if renames.iter().any(|rename| FileName::parse(&rename.name).is_err()) {
            return Err(io(ErrorKind::InvalidData.into()));
        }
        if record.ends_with(UNDO) {
            revert_all(root, abandoned, &renames).and_then(|()| remove_record(abandoned, &record)).map_err(&io)?;
        } else if resume(root, abandoned, &renames).is_err() {
            roll_back(root, abandoned, &record, &renames).map_err(&io)?;
        }
    }
    Ok(())
}

fn apply_all(root: &Dir, staging: &Dir, renames: &[PlannedRename]) -> Result<(), StoreError> {
    renames.iter().try_for_each(|rename| rename.apply(root, staging))?;
    sync_all(root, staging, renames).map_err(StoreError::io("publishing files"))
}

/// Performs the renames that have not been performed yet.
fn resume(root: &Dir, staging: &Dir, renames: &[PlannedRename]) -> Result<(), StoreError> {
    for rename in renames {
        if rename.is_pending(staging).map_err(StoreError::io("publishing files"))? {
            rename.apply(root, staging)?;
        }
    }
    sync_all(root, staging, renames).map_err(StoreError::io("publishing files"))
}

fn revert_all(root: &Dir, staging: &Dir, renames: &[PlannedRename]) -> io::Result<()> {
    renames.iter().rev().try_for_each(|rename| rename.revert(root, staging))?;
    sync_all(root, staging, renames)
}

/// Syncs each folder that the renames change to the disk, once.
fn sync_all(root: &Dir, staging: &Dir, renames: &[PlannedRename]) -> io::Result<()> {
    let mut synced = BTreeSet::new();
    for rename in renames {
        if synced.insert(rename.split_name().0) {
            // Another program may have removed the folder since.
            unless_not_found(rename.open_parent(root).and_then(|(folder, _)| resolve::sync_dir(&folder)))?;
        }
    }
    resolve::sync_dir(staging)
}

/// Writes the record of the renames. When this returns, the record is on the disk; if it fails, there is no record.
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

/// Returns the names of the records in a staging folder, sorted.
fn records(staging: &Dir) -> io::Result<Vec<String>> {
    let mut records = Vec::new();
    for entry in staging.entries()? {
        if let Some(name) = entry?.file_name().to_str().filter(|name| name.ends_with(COMMIT) || name.ends_with(UNDO)) {
            records.push(name.to_owned());
        }
    }
    records.sort();
    Ok(records)
}
