//! Publishes files: their contents are written to the staging folder, and renamed to their names in the store. A
//! journal makes this atomic for several files.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cap_std::fs::{Dir, OpenOptions};
use serde::{Deserialize, Serialize};

use super::{
    Folder, OpenError, false_if_not_found, file_info, open_dir, open_file, open_folder_path, store_hash, sync_dir,
};
use crate::store::{ContentWriter, FileEngine, FileName, NewFile, StoreError};
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
        let staging = &self.staging.dir;
        let renamed = match renames.as_slice() {
            [] => Ok(()),
            // A single rename is atomic, so that it does not need the journal.
            [rename] => rename.perform_rename(&self.root, staging),
            renames => publish_files(&self.root, staging, &self.staging.unique_file_name(), renames),
        };
        // If the rollback has failed as well, the next program that opens the store will repeat it, and needs the files
        // and folders.
        *is_interrupted = renamed.is_err() && has_journal_records(staging);
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
            folder = match open_dir(&folder, part) {
                Ok(inner) => inner,
                Err(OpenError::NotFound) => {
                    folder.create_dir(part).map_err(&io)?;
                    self.paths.push(path.clone());
                    // The folder is written to the disk while the lock is held: another program that publishes a file
                    // in the folder later finds it there and does not write it to the disk again.
                    sync_dir(&folder).map_err(&io)?;
                    open_dir(&folder, part).map_err(write_error)?
                }
                Err(error) => return Err(write_error(error)),
            };
        }
        match open_file(&folder, file) {
            Ok(current) => Ok(Some(file_info(&current.file, &current.metadata))),
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
            if let Ok(folder) = open_folder_path(&self.folder.root, folders) {
                // If another program has put a file into the folder, this fails, and the folder is kept as intended.
                let _ = folder.remove_dir(last);
            }
        }
    }
}

// The staging folder, which contains the files that have not been published yet. Each program that opens a store
// creates a staging folder for itself, within the folder of the store.
//
// While a program runs, it holds a lock on a file in its staging folder. If another program can get this lock, the
// first program has ended. The next program that opens the store then finishes its publications and removes its
// staging folder.

/// The folder in the store that contains the staging folders of all programs. No stored file can have this name,
/// because the name of a stored file does not begin with a dot.
const STAGING_FOLDER: &str = ".staging";
/// The name of a lock file in [`STAGING_FOLDER`]. A program holds the lock while it publishes files, and while it
/// creates or removes its staging folder.
const PUBLISH_LOCK_FILE: &str = "turn";
/// The name of a lock file in each staging folder. The program that created the folder holds the lock until it ends.
const ALIVE_LOCK_FILE: &str = "alive";

/// The staging folder of this program. Dropping this value removes the folder.
#[derive(Debug)]
pub(super) struct Staging {
    staging_root: Dir,
    pub(super) dir: Dir,
    name: String,
    publish_lock: Mutex<File>,
    next_name: AtomicU64,
    _alive_lock: File,
}

/// The lock for publishing files in a store. While this value exists, no other thread or program publishes files in the
/// store.
struct PublishLock<'s>(MutexGuard<'s, File>);

impl Staging {
    /// Creates the staging folder of this program, after it has finished the publications of programs that have ended.
    pub(super) fn create(root: &Dir) -> Result<Self, StoreError> {
        let io = StoreError::io_during("opening the folder for temporary files");
        let parent = open_or_create_dir(root, STAGING_FOLDER).map_err(&io)?;
        let publish_lock = open_lock_file(&parent, PUBLISH_LOCK_FILE).map_err(&io)?;
        publish_lock.lock().map_err(&io)?;
        recover_abandoned(root, &parent)?;
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| io(io::Error::other(error.to_string())))?;
        let name = hex::encode(random);
        let dir = open_or_create_dir(&parent, &name).map_err(&io)?;
        let alive = open_lock_file(&dir, ALIVE_LOCK_FILE).map_err(&io)?;
        alive.lock().map_err(&io)?;
        // The folders are written to the disk, because the journal records in them must survive a crash.
        sync_dir(root).and_then(|()| sync_dir(&parent)).map_err(&io)?;
        publish_lock.unlock().map_err(&io)?;
        Ok(Self {
            staging_root: parent,
            dir,
            name,
            publish_lock: Mutex::new(publish_lock),
            next_name: AtomicU64::new(0),
            _alive_lock: alive,
        })
    }

    pub(super) fn path(&self) -> PathBuf {
        Path::new(STAGING_FOLDER).join(&self.name)
    }

    /// Returns a file name that no file in the staging folder has or had.
    fn unique_file_name(&self) -> String {
        self.next_name.fetch_add(1, Ordering::Relaxed).to_string()
    }

    /// Waits for the lock for publishing, which only one thread of one program can hold.
    fn lock_publishing(&self) -> io::Result<PublishLock<'_>> {
        // If another thread has panicked while it held the lock, the lock file is still valid.
        let file = self.publish_lock.lock().unwrap_or_else(PoisonError::into_inner);
        file.lock()?;
        Ok(PublishLock(file))
    }
}

impl Drop for PublishLock<'_> {
    fn drop(&mut self) {
        // If this fails, the operating system releases the lock when the file is closed.
        let _ = self.0.unlock();
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // If the folder cannot be removed now, the next program that opens the store removes it.
        if !has_journal_records(&self.dir)
            && let Ok(_lock) = self.lock_publishing()
        {
            let _ = self.staging_root.remove_dir_all(&self.name);
        }
    }
}

/// Finishes the publications of programs that have ended, and removes their staging folders.
fn recover_abandoned(root: &Dir, parent: &Dir) -> Result<(), StoreError> {
    let io = StoreError::io_during("looking for temporary files of earlier programs");
    for entry in parent.entries().map_err(&io)? {
        let entry = entry.map_err(&io)?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|_| entry.file_type().is_ok_and(|kind| kind.is_dir())) else {
            continue;
        };
        let abandoned = open_dir(parent, name).map_err(|_| io(io::ErrorKind::NotADirectory.into()))?;
        let alive = open_lock_file(&abandoned, ALIVE_LOCK_FILE).map_err(&io)?;
        match alive.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => continue,
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        recover_publications(root, &abandoned)?;
        parent.remove_dir_all(name).map_err(&io)?;
    }
    Ok(())
}

fn open_or_create_dir(folder: &Dir, name: &str) -> io::Result<Dir> {
    match folder.create_dir(name) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    Ok(open_dir(folder, name)?)
}

fn open_lock_file(folder: &Dir, name: &str) -> io::Result<File> {
    use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt};
    let mut options = OpenOptions::new();
    options.write(true).create(true).follow(FollowSymlinks::No);
    Ok(folder.open_with(name, &options)?.into_std())
}

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
        let file = staging.dir.open_with(&name, OpenOptions::new().write(true).create_new(true));
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
            let _ = self.staging.dir.remove_file(&self.name);
        }
    }
}

/// Writes a complete file to the disk, and stores its hash if the file system supports this.
pub(super) fn seal(staging: &Staging, name: &str, hash: &str) -> Result<FileInfo, StoreError> {
    let io = StoreError::io_during("finishing a file");
    let file = staging.dir.open_with(name, OpenOptions::new().read(true).write(true)).map_err(&io)?.into_std();
    // If the hash cannot be stored, the entity tag will be derived from the file's metadata.
    if let Err(error) = store_hash(&file, hash) {
        log::debug!("the file system cannot store the hash of a file: {error}");
    }
    file.sync_all().map_err(&io)?;
    Ok(file_info(&file, &file.metadata().map_err(&io)?))
}

// The journal, which publishes several files atomically: either all of them get their names in the store or none.
//
// Publishing a file means to rename it from the staging folder to its name in the store. Before the first rename, a
// record of all planned renames is written to the staging folder. If the program ends after that, the next program
// that opens the store finds the record and performs the missing renames. If a rename fails, the record becomes a
// rollback record, and the performed renames are reverted. A step that was interrupted can be repeated safely. A file
// that is replaced keeps a second name, a hard link in the staging folder, until all files have been published.

/// The suffix of a record's file name if its renames are to be completed.
const COMMIT_SUFFIX: &str = ".commit";
/// The suffix of a record's file name if its renames are to be reverted.
const ROLLBACK_SUFFIX: &str = ".undo";

/// A planned rename of a file from the staging folder to its name in the store.
#[derive(Debug, Serialize, Deserialize)]
struct PlannedRename {
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
        let folder = open_folder_path(root, folders.split('/').filter(|part| !part.is_empty()));
        Ok((folder?, file))
    }

    fn split_name(&self) -> (&str, &str) {
        self.name.rsplit_once('/').unwrap_or(("", &self.name))
    }

    fn perform_rename(&self, root: &Dir, staging: &Dir) -> Result<(), StoreError> {
        let renamed =
            self.open_parent(root).and_then(|(folder, file)| staging.rename(&self.staged_name, &folder, file));
        renamed.map_err(|error| self.store_error(error))
    }

    /// Writes the folder that contains the new name to the disk, so that a crash cannot undo the rename.
    pub(super) fn sync_folder(&self, root: &Dir) -> Result<(), StoreError> {
        let synced = self.open_parent(root).and_then(|(folder, _)| sync_dir(&folder));
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
fn publish_files(root: &Dir, staging: &Dir, record: &str, renames: &[PlannedRename]) -> Result<(), StoreError> {
    let io = StoreError::io_during("publishing files");
    let commit = format!("{record}{COMMIT_SUFFIX}");
    let linked = renames.iter().try_for_each(|rename| rename.link_replaced(root, staging)).map_err(&io);
    let recorded = linked.and_then(|()| write_record(staging, record, &commit, renames).map_err(&io));
    let published = recorded.and_then(|()| perform_renames(root, staging, renames, false));
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
        sync_dir(staging)?;
        revert_renames(root, staging, renames)?;
        remove_record(staging, &record)?;
    }
    Ok(())
}

/// Removes a rollback record, and writes the folder to the disk. If the record reappeared after a crash, it would
/// revert renames of files that have the same names by then.
fn remove_record(staging: &Dir, record: &str) -> io::Result<()> {
    staging.remove_file(record)?;
    sync_dir(staging)
}

/// Returns `true` if the staging folder contains a record: a publication has been neither completed nor reverted.
fn has_journal_records(staging: &Dir) -> bool {
    record_names(staging).is_ok_and(|records| !records.is_empty())
}

/// Completes or reverts the publications that a program has not finished. `abandoned` is the staging folder of this
/// program, which contains the records.
fn recover_publications(root: &Dir, abandoned: &Dir) -> Result<(), StoreError> {
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
        } else if perform_renames(root, abandoned, &renames, true).is_err() {
            roll_back(root, abandoned, &record, &renames).map_err(&io)?;
        }
    }
    Ok(())
}

/// With `only_pending`, some of the renames may have been performed before.
fn perform_renames(root: &Dir, staging: &Dir, renames: &[PlannedRename], only_pending: bool) -> Result<(), StoreError> {
    let io = StoreError::io_during("publishing files");
    for rename in renames {
        if !only_pending || rename.is_pending(staging).map_err(&io)? {
            rename.perform_rename(root, staging)?;
        }
    }
    sync_folders(root, staging, renames).map_err(&io)
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
            false_if_not_found(rename.open_parent(root).and_then(|(folder, _)| sync_dir(&folder)))?;
        }
    }
    sync_dir(staging)
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
    sync_dir(staging)
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
