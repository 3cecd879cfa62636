//! The staging folder, which contains files until they are published. Each program has its own staging folder within
//! the store.
//!
//! While a program runs, it holds a lock on a file in its staging folder. If the lock is free, the program has ended,
//! and the next program that opens the store recovers and removes the folder.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cap_std::fs::{Dir, OpenOptions};

use super::{journal, resolve};
use crate::store::StoreError;

/// The folder that contains all staging folders. No stored file can have this name, because names of stored files do
/// not begin with a dot.
const STAGING: &str = ".staging";
/// A lock file in [`STAGING`]. A program holds the lock while it publishes, or creates or removes its staging folder.
const PUBLISH_LOCK: &str = "turn";
/// A lock file in each staging folder. Its program holds the lock until it ends.
const ALIVE_LOCK: &str = "alive";

/// The staging folder of this program. Dropping it removes the folder.
#[derive(Debug)]
pub(super) struct Staging {
    parent: Dir,
    dir: Dir,
    name: String,
    publish_lock: Mutex<File>,
    next: AtomicU64,
    _alive: File,
}

/// The lock for publishing in a store: while it exists, no other thread or program publishes.
pub(super) struct PublishLock<'s>(MutexGuard<'s, File>);

impl Staging {
    /// Creates the staging folder of this program. Recovers the staging folders of programs that have ended first.
    pub(super) fn create(root: &Dir) -> Result<Self, StoreError> {
        let io = StoreError::io("opening the folder for temporary files");
        let parent = open_or_create(root, STAGING).map_err(&io)?;
        let publish_lock = open_lock_file(&parent, PUBLISH_LOCK).map_err(&io)?;
        publish_lock.lock().map_err(&io)?;
        recover_abandoned(root, &parent)?;
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| io(io::Error::other(error.to_string())))?;
        let name = hex::encode(random);
        let dir = open_or_create(&parent, &name).map_err(&io)?;
        let alive = open_lock_file(&dir, ALIVE_LOCK).map_err(&io)?;
        alive.lock().map_err(&io)?;
        // The folder is synced, because journal records in it must survive a crash.
        resolve::sync_dir(root).and_then(|()| resolve::sync_dir(&parent)).map_err(&io)?;
        publish_lock.unlock().map_err(&io)?;
        Ok(Self { parent, dir, name, publish_lock: Mutex::new(publish_lock), next: AtomicU64::new(0), _alive: alive })
    }

    /// Returns the folder.
    pub(super) fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Returns the folder's path, relative to the store.
    pub(super) fn path(&self) -> PathBuf {
        Path::new(STAGING).join(&self.name)
    }

    /// Returns a name that no file in the folder has or had.
    pub(super) fn unique_name(&self) -> String {
        self.next.fetch_add(1, Ordering::Relaxed).to_string()
    }

    /// Waits for the publishing lock, which excludes other threads and other programs.
    pub(super) fn lock(&self) -> io::Result<PublishLock<'_>> {
        // A panic in another thread does not invalidate the lock file.
        let file = self.publish_lock.lock().unwrap_or_else(PoisonError::into_inner);
        file.lock()?;
        Ok(PublishLock(file))
    }
}

impl Drop for PublishLock<'_> {
    fn drop(&mut self) {
        // If this fails, the lock is released when the file is closed.
        let _ = self.0.unlock();
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // If the folder cannot be removed now, the next program that opens the store recovers it.
        if !journal::has_records(&self.dir)
            && let Ok(_lock) = self.lock()
        {
            let _ = self.parent.remove_dir_all(&self.name);
        }
    }
}

/// Recovers and removes the staging folders of programs that have ended.
fn recover_abandoned(root: &Dir, parent: &Dir) -> Result<(), StoreError> {
    let io = StoreError::io("looking for temporary files of earlier programs");
    for entry in parent.entries().map_err(&io)? {
        let entry = entry.map_err(&io)?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|_| entry.file_type().is_ok_and(|kind| kind.is_dir())) else {
            continue;
        };
        let abandoned = resolve::open_dir(parent, name).map_err(|_| io(io::ErrorKind::NotADirectory.into()))?;
        let alive = open_lock_file(&abandoned, ALIVE_LOCK).map_err(&io)?;
        match alive.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => continue,
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        journal::recover(root, &abandoned)?;
        parent.remove_dir_all(name).map_err(&io)?;
    }
    Ok(())
}

/// Opens the folder `name`, and creates it if it does not exist.
fn open_or_create(folder: &Dir, name: &str) -> io::Result<Dir> {
    match folder.create_dir(name) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    resolve::open_dir(folder, name).map_err(|error| match error {
        resolve::OpenError::Io(error) => error,
        resolve::OpenError::NotFound => io::ErrorKind::NotFound.into(),
        resolve::OpenError::WrongType => io::ErrorKind::NotADirectory.into(),
    })
}

fn open_lock_file(folder: &Dir, name: &str) -> io::Result<File> {
    use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt};
    let mut options = OpenOptions::new();
    options.write(true).create(true).follow(FollowSymlinks::No);
    Ok(folder.open_with(name, &options)?.into_std())
}
