//! Where files are until they are published: a folder of each program's own, within the store.
//!
//! A program holds a lock on its own as long as it lives, so that others know whose is left behind.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cap_std::fs::{Dir, OpenOptions};

use super::{journal, way};
use crate::store::StoreError;

/// The folder of all programs' own; no name begins with a dot.
const STAGING: &str = ".staging";
/// Who publishes, or comes, or goes, holds a lock on this.
const TURN: &str = "turn";
/// Who lives holds a lock on this, in its own folder.
const ALIVE: &str = "alive";

/// A program's own folder. It is gone when this is dropped.
#[derive(Debug)]
pub(super) struct Staging {
    all: Dir,
    own: Dir,
    called: String,
    turn: Mutex<File>,
    next: AtomicU64,
    _alive: File,
}

/// Nobody else publishes as long as this is held.
pub(super) struct Turn<'s>(MutexGuard<'s, File>);

impl Staging {
    /// Makes one in the store, and settles what those have left who are no more.
    pub(super) fn start(root: &Dir) -> Result<Self, StoreError> {
        let io = StoreError::io("opening the folder for files on their way");
        let all = make(root, STAGING).map_err(&io)?;
        let turn = lock_file(&all, TURN).map_err(&io)?;
        turn.lock().map_err(&io)?;
        settle(root, &all)?;
        let mut called = [0; 8];
        getrandom::fill(&mut called).map_err(|error| io(io::Error::other(error.to_string())))?;
        let called = hex::encode(called);
        let own = make(&all, &called).map_err(&io)?;
        let alive = lock_file(&own, ALIVE).map_err(&io)?;
        alive.lock().map_err(&io)?;
        // A record is worth nothing where the folder that it is in can be lost.
        way::sync(root).and_then(|()| way::sync(&all)).map_err(&io)?;
        turn.unlock().map_err(&io)?;
        Ok(Self { all, own, called, turn: Mutex::new(turn), next: AtomicU64::new(0), _alive: alive })
    }

    /// The folder.
    pub(super) fn own(&self) -> &Dir {
        &self.own
    }

    /// Where it is below the store.
    pub(super) fn path(&self) -> PathBuf {
        Path::new(STAGING).join(&self.called)
    }

    /// A name that nothing in it has had.
    pub(super) fn name(&self) -> String {
        self.next.fetch_add(1, Ordering::Relaxed).to_string()
    }

    /// Waits until nobody else publishes, in this program or another.
    pub(super) fn turn(&self) -> io::Result<Turn<'_>> {
        // What a thread that panicked has left is a lock like any other.
        let file = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        file.lock()?;
        Ok(Turn(file))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // It is given up with the file at the latest.
        let _ = self.0.unlock();
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Whatever cannot be removed now is settled by whoever comes next.
        if !journal::is_open(&self.own)
            && let Ok(_turn) = self.turn()
        {
            let _ = self.all.remove_dir_all(&self.called);
        }
    }
}

/// Settles what those have left who are no more.
fn settle(root: &Dir, all: &Dir) -> Result<(), StoreError> {
    let io = StoreError::io("looking for what is left of files on their way");
    for entry in all.entries().map_err(&io)? {
        let entry = entry.map_err(&io)?;
        let name = entry.file_name();
        let Some(called) = name.to_str().filter(|_| entry.file_type().is_ok_and(|kind| kind.is_dir())) else {
            continue;
        };
        let left = way::walk(all, [called].into_iter()).map_err(|_| io(io::ErrorKind::NotADirectory.into()))?;
        let alive = lock_file(&left, ALIVE).map_err(&io)?;
        match alive.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => continue,
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        journal::settle(root, &left)?;
        all.remove_dir_all(called).map_err(&io)?;
    }
    Ok(())
}

/// Opens the folder of this name, or makes it.
fn make(folder: &Dir, name: &str) -> io::Result<Dir> {
    match folder.create_dir(name) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    way::enter(folder, name).map_err(|blocked| match blocked {
        way::Blocked::Io(error) => error,
        way::Blocked::Missing => io::ErrorKind::NotFound.into(),
        way::Blocked::Other => io::ErrorKind::NotADirectory.into(),
    })
}

fn lock_file(folder: &Dir, name: &str) -> io::Result<File> {
    use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt};
    let mut options = OpenOptions::new();
    options.write(true).create(true).follow(FollowSymlinks::No);
    Ok(folder.open_with(name, &options)?.into_std())
}
