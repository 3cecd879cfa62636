//! The lock of the data folder.

use std::fs::{self, File, TryLockError};
use std::path::Path;

/// The file in the data folder that a running server locks.
const LOCK_FILE: &str = "server.lock";

/// Locks the data folder, so that no second server uses it by mistake, and creates the folder if it does not exist. A
/// folder that cannot be written needs no lock, because a server cannot change it.
///
/// # Errors
/// Fails if another server has locked the folder and `is_shared` is `false`. The error is a message.
pub(super) fn lock_data_folder(folder: &Path, is_shared: bool) -> Result<Option<File>, String> {
    let opened = fs::create_dir_all(folder)
        .and_then(|()| File::options().create(true).truncate(false).write(true).open(folder.join(LOCK_FILE)));
    let file = match opened {
        Ok(file) => file,
        Err(error) => {
            ::log::warn!("{} cannot be locked: {error}", folder.display());
            return Ok(None);
        }
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) if is_shared => {
            ::log::warn!(
                "another server uses the data folder {}: without shared limits, each counts the requests of keys itself",
                folder.display()
            );
            Ok(None)
        }
        Err(TryLockError::WouldBlock) => Err(format!(
            "--data {}: another server uses this folder; stop it, name another folder, or allow both with --share-data",
            folder.display()
        )),
        Err(TryLockError::Error(error)) => {
            ::log::warn!("{} cannot be locked: {error}", folder.display());
            Ok(None)
        }
    }
}
