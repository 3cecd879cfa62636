//! The staging folder, which contains the files that have not been published yet. Each program that opens a store
//! creates a staging folder for itself, within the folder of the store.
//!
//! While a program runs, it holds a lock on a file in its staging folder. If another program can get this lock, the
//! first program has ended. The next program that opens the store then finishes its publications and removes its
//! staging folder.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cap_std::fs::{Dir, OpenOptions};

use super::{journal, resolve};
use crate::store::StoreError;

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
    dir: Dir,
    name: String,
    publish_lock: Mutex<File>,
    next_name: AtomicU64,
    _alive_lock: File,
}

/// The lock for publishing files in a store. While this value exists, no other thread or program publishes files in the
/// store.
pub(super) struct PublishLock<'s>(MutexGuard<'s, File>);

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
        resolve::sync_dir(root).and_then(|()| resolve::sync_dir(&parent)).map_err(&io)?;
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

    pub(super) fn dir(&self) -> &Dir {
        &self.dir
    }

    pub(super) fn path(&self) -> PathBuf {
        Path::new(STAGING_FOLDER).join(&self.name)
    }

    /// Returns a file name that no file in the staging folder has or had.
    pub(super) fn unique_file_name(&self) -> String {
        self.next_name.fetch_add(1, Ordering::Relaxed).to_string()
    }

    /// Waits for the lock for publishing, which only one thread of one program can hold.
    pub(super) fn lock_publishing(&self) -> io::Result<PublishLock<'_>> {
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
        if !journal::has_journal_records(&self.dir)
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
        let abandoned = resolve::open_dir(parent, name).map_err(|_| io(io::ErrorKind::NotADirectory.into()))?;
        let alive = open_lock_file(&abandoned, ALIVE_LOCK_FILE).map_err(&io)?;
        match alive.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => continue,
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        journal::recover_publications(root, &abandoned)?;
        parent.remove_dir_all(name).map_err(&io)?;
    }
    Ok(())
}

fn open_or_create_dir(folder: &Dir, name: &str) -> io::Result<Dir> {
    match folder.create_dir(name) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    Ok(resolve::open_dir(folder, name)?)
}

fn open_lock_file(folder: &Dir, name: &str) -> io::Result<File> {
    use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt};
    let mut options = OpenOptions::new();
    options.write(true).create(true).follow(FollowSymlinks::No);
    Ok(folder.open_with(name, &options)?.into_std())
}
