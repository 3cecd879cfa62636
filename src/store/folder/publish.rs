//! Giving files their names.

use std::collections::HashSet;

use super::journal::{self, Move};
use super::way::{self, Blocked};
use super::{Folder, hash};
use crate::store::{Name, Publication, StoreError};
use crate::transfer::Facts;

const PUBLISHING: &str = "publishing a file";

impl Folder {
    /// Gives files their names, all or none.
    pub(in crate::store) fn publish(&self, files: Vec<Publication>) -> Result<Vec<Facts>, StoreError> {
        let mut names = HashSet::new();
        if let Some(twice) = files.iter().find(|file| !names.insert(&file.name)) {
            return Err(StoreError::Twice(twice.name.clone()));
        }
        let turn = self.staging.turn().map_err(StoreError::io(PUBLISHING))?;
        let mut made = Made { folder: self, paths: Vec::new() };
        let mut moves = Vec::with_capacity(files.len());
        for Publication { staged, name, precondition } in &files {
            let there = made.place(name)?;
            if !precondition.holds(there.as_ref()) {
                return Err(StoreError::Precondition(name.clone()));
            }
            moves.push(Move::new(staged.called(), name, there.is_some()));
        }
        let own = self.staging.own();
        let published = match moves.as_slice() {
            [] => Ok(()),
            // Renaming is all or nothing by itself.
            [one] => one.publish(&self.root, own),
            several => journal::publish(&self.root, own, &self.staging.name(), several),
        };
        if let Err(error) = published {
            if journal::is_open(own) {
                // What could not be undone is undone with these at the next start.
                made.paths.clear();
                files.into_iter().for_each(|file| drop(file.staged.leave()));
            }
            return Err(error);
        }
        made.paths.clear();
        // Several are on the disk by now: as long as their record counts, nobody must put a newer file in place of one.
        drop(turn);
        if let [one] = moves.as_slice() {
            one.sync(&self.root)?;
        }
        Ok(files.into_iter().map(|file| file.staged.leave()).collect())
    }
}

/// Folders that have been made for files; removed when this is dropped.
struct Made<'f> {
    folder: &'f Folder,
    paths: Vec<String>,
}

impl Made<'_> {
    /// Makes the folders of a name, and tells what is known of the file that has it.
    fn place(&mut self, name: &Name) -> Result<Option<Facts>, StoreError> {
        let io = StoreError::io(PUBLISHING);
        let refused = |blocked| match blocked {
            Blocked::Io(error) => io(error),
            Blocked::Missing | Blocked::Other => StoreError::Taken(name.clone()),
        };
        let (folders, file) = name.split();
        let mut folder = self.folder.root.try_clone().map_err(&io)?;
        let mut path = String::new();
        for part in folders {
            path.push_str(if path.is_empty() { "" } else { "/" });
            path.push_str(part);
            folder = match way::enter(&folder, part) {
                Ok(inner) => inner,
                Err(Blocked::Missing) => {
                    folder.create_dir(part).map_err(&io)?;
                    self.paths.push(path.clone());
                    // Within the turn: whoever comes next relies on what is there.
                    way::sync(&folder).map_err(&io)?;
                    way::enter(&folder, part).map_err(refused)?
                }
                Err(blocked) => return Err(refused(blocked)),
            };
        }
        match way::open(&folder, file) {
            Ok(there) => Ok(Some(hash::facts(&there.file, &there.kind))),
            Err(Blocked::Missing) => Ok(None),
            Err(blocked) => Err(refused(blocked)),
        }
    }
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        for path in self.paths.iter().rev() {
            let (folders, last) = path.rsplit_once('/').unwrap_or(("", path));
            let folders = folders.split('/').filter(|part| !part.is_empty());
            if let Ok(folder) = way::walk(&self.folder.root, folders) {
                // One that somebody has put something into stays.
                let _ = folder.remove_dir(last);
            }
        }
    }
}
