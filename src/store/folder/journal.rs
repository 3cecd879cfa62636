//! Several files published as one.
//!
//! What is to be renamed is written down first; from then on it counts, and whoever finds the record of a program that
//! is no more goes on with it. Where something is refused in the midst, the record becomes one of what is to be undone.
//! Each step can be done again. Files that are replaced keep a second name until all is over.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind, Write};

use cap_std::fs::{Dir, OpenOptions};
use serde::{Deserialize, Serialize};

use super::way::{self, Blocked, unless_missing};
use crate::store::{Name, StoreError};

/// How records end of what is to be done, and of what is to be undone.
const COMMIT: &str = ".commit";
const UNDO: &str = ".undo";

/// A file that gets its name.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Move {
    /// What it is called among the files on their way.
    staged: String,
    /// The name.
    name: String,
    /// What the file that had the name before is called among those on their way, if there was one.
    before: Option<String>,
}

impl Move {
    pub(super) fn new(staged: &str, name: &Name, replaces: bool) -> Self {
        let before = replaces.then(|| format!("{staged}.before"));
        Self { staged: staged.to_owned(), name: name.as_str().to_owned(), before }
    }

    /// The folder of the name, and what the file is called there.
    fn place(&self, root: &Dir) -> io::Result<(Dir, &str)> {
        let (folders, file) = self.place_parts();
        let folder = way::walk(root, folders.split('/').filter(|part| !part.is_empty()));
        let folder = folder.map_err(|blocked| match blocked {
            Blocked::Io(error) => error,
            Blocked::Missing => ErrorKind::NotFound.into(),
            Blocked::Other => ErrorKind::NotADirectory.into(),
        })?;
        Ok((folder, file))
    }

    fn place_parts(&self) -> (&str, &str) {
        self.name.rsplit_once('/').unwrap_or(("", &self.name))
    }

    /// Renames the file.
    pub(super) fn publish(&self, root: &Dir, own: &Dir) -> Result<(), StoreError> {
        let placed = self.place(root).and_then(|(folder, file)| own.rename(&self.staged, &folder, file));
        placed.map_err(|error| self.told(error))
    }

    /// Brings the renaming to the disk.
    pub(super) fn sync(&self, root: &Dir) -> Result<(), StoreError> {
        let synced = self.place(root).and_then(|(folder, _)| way::sync(&folder));
        synced.map_err(|error| self.told(error))
    }

    fn told(&self, error: io::Error) -> StoreError {
        match (error.kind(), Name::parse(&self.name)) {
            (ErrorKind::IsADirectory | ErrorKind::NotADirectory | ErrorKind::DirectoryNotEmpty, Ok(name)) => {
                StoreError::Taken(name)
            }
            _ => StoreError::io("publishing files")(error),
        }
    }

    /// Whether the file is still among those on their way.
    fn waits(&self, own: &Dir) -> io::Result<bool> {
        unless_missing(own.symlink_metadata(&self.staged).map(drop))
    }

    /// Gives the file that has the name a second one.
    fn keep_before(&self, root: &Dir, own: &Dir) -> io::Result<()> {
        let Some(before) = &self.before else { return Ok(()) };
        let (folder, file) = self.place(root)?;
        folder.hard_link(file, own, before)
    }

    fn undo(&self, root: &Dir, own: &Dir) -> io::Result<()> {
        if self.waits(own)? {
            // It has not been renamed, or has been taken back.
            return Ok(());
        }
        let undone = self.place(root).and_then(|(folder, file)| match &self.before {
            Some(before) => own.rename(before, &folder, file),
            None => folder.rename(file, own, &self.staged),
        });
        unless_missing(undone).map(drop)
    }
}

/// Renames all of them or none. `record` is a name of its own among the files on their way.
pub(super) fn publish(root: &Dir, own: &Dir, record: &str, moves: &[Move]) -> Result<(), StoreError> {
    let io = StoreError::io("publishing files");
    let commit = format!("{record}{COMMIT}");
    let kept = moves.iter().try_for_each(|one| one.keep_before(root, own)).map_err(&io);
    let written = kept.and_then(|()| write(own, record, &commit, moves).map_err(&io));
    let done = written.and_then(|()| rename(root, own, moves));
    if done.is_ok() {
        // All is done already: a record that stays is one of nothing.
        let _ = own.remove_file(&commit);
    } else {
        take_back(root, own, &commit, moves).map_err(&io)?;
    }
    for before in moves.iter().filter_map(|one| one.before.as_ref()) {
        // What is left is removed with the folder.
        let _ = own.remove_file(before);
    }
    done
}

/// Undoes what has been done of a record. There is none yet where writing it was refused, and nothing to be undone.
fn take_back(root: &Dir, own: &Dir, commit: &str, moves: &[Move]) -> io::Result<()> {
    // First of all it must not count any more: what is half undone cannot be finished.
    let record = commit.replace(COMMIT, UNDO);
    if unless_missing(own.rename(commit, own, &record))? {
        way::sync(own)?;
        undo(root, own, moves)?;
        forget(own, &record)?;
    }
    Ok(())
}

/// Removes a record of what has been undone. It must not come back: by then its names may be those of other files.
fn forget(own: &Dir, record: &str) -> io::Result<()> {
    own.remove_file(record)?;
    way::sync(own)
}

/// Whether something has been begun that is neither finished nor undone.
pub(super) fn is_open(own: &Dir) -> bool {
    records(own).is_ok_and(|records| !records.is_empty())
}

/// Finishes or undoes what was begun in the folder of a program that is no more.
pub(super) fn settle(root: &Dir, left: &Dir) -> Result<(), StoreError> {
    let io = StoreError::io("settling what was begun before");
    for record in records(left).map_err(&io)? {
        let moves: Vec<Move> = serde_json::from_slice(&left.read(&record).map_err(&io)?).map_err(|_| {
            let error = io::Error::new(ErrorKind::InvalidData, format!("{record} is no record of files"));
            io(error)
        })?;
        // A record is written by a store, and yet nothing is done by it that a client could not ask for.
        if moves.iter().any(|one| Name::parse(&one.name).is_err()) {
            return Err(io(ErrorKind::InvalidData.into()));
        }
        if record.ends_with(UNDO) {
            undo(root, left, &moves).and_then(|()| forget(left, &record)).map_err(&io)?;
        } else if finish(root, left, &moves).is_err() {
            take_back(root, left, &record, &moves).map_err(&io)?;
        }
    }
    Ok(())
}

/// Renames the files.
fn rename(root: &Dir, own: &Dir, moves: &[Move]) -> Result<(), StoreError> {
    moves.iter().try_for_each(|one| one.publish(root, own))?;
    sync(root, own, moves).map_err(StoreError::io("publishing files"))
}

/// Renames those that have not been renamed before.
fn finish(root: &Dir, own: &Dir, moves: &[Move]) -> Result<(), StoreError> {
    for one in moves {
        if one.waits(own).map_err(StoreError::io("publishing files"))? {
            one.publish(root, own)?;
        }
    }
    sync(root, own, moves).map_err(StoreError::io("publishing files"))
}

fn undo(root: &Dir, own: &Dir, moves: &[Move]) -> io::Result<()> {
    moves.iter().rev().try_for_each(|one| one.undo(root, own))?;
    sync(root, own, moves)
}

/// Brings to the disk what has been renamed, each folder once.
fn sync(root: &Dir, own: &Dir, moves: &[Move]) -> io::Result<()> {
    let mut synced = BTreeSet::new();
    for one in moves {
        if synced.insert(one.place_parts().0) {
            // Somebody may have removed the folder since.
            unless_missing(one.place(root).and_then(|(folder, _)| way::sync(&folder)))?;
        }
    }
    way::sync(own)
}

/// Writes down what is to be done. It counts when this returns, or it is not there.
fn write(own: &Dir, record: &str, commit: &str, moves: &[Move]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let mut file = own.open_with(record, &options)?;
    let written = file.write_all(&serde_json::to_vec(moves)?).and_then(|()| file.sync_all());
    drop(file);
    let renamed = written.and_then(|()| own.rename(record, own, commit));
    if renamed.is_err() {
        let _ = own.remove_file(record);
    }
    renamed?;
    way::sync(own)
}

/// The records in a folder, in the order of their names.
fn records(own: &Dir) -> io::Result<Vec<String>> {
    let mut records = Vec::new();
    for entry in own.entries()? {
        if let Some(name) = entry?.file_name().to_str().filter(|name| name.ends_with(COMMIT) || name.ends_with(UNDO)) {
            records.push(name.to_owned());
        }
    }
    records.sort();
    Ok(records)
}
