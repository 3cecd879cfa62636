//! The lock of the data folder.

use std::fs::{File, TryLockError};
use std::io::Write;

use rulebook::DataFolder;

/// The file in the data folder that a running server locks. It contains the id of its process.
pub(crate) const LOCK_FILE: &str = "server.lock";

/// Whether a server starts although another server uses the same data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DataSharing {
    /// The server does not start.
    Refused,
    /// The server starts, and counts the requests of keys separately from the other one.
    WithSeparateLimits,
    /// The server starts, and counts the requests of keys together with the other one.
    WithSharedLimits,
    /// The server starts, and locks the folder as soon as the other one, which it replaces, has ended.
    WithPredecessor,
}

/// Locks the data folder, so that no second server uses it by mistake, and creates it if it does not exist. A folder
/// that cannot be written needs no lock, because a server cannot change it. Fails if `sharing` refuses another server.
pub(super) fn lock_data_folder(data: &DataFolder, sharing: DataSharing) -> Result<Option<File>, String> {
    let folder = data.path();
    let opened = data
        .create()
        .and_then(|()| File::options().create(true).truncate(false).write(true).open(folder.join(LOCK_FILE)));
    let file = match opened {
        Ok(file) => file,
        Err(error) => {
            ::log::warn!("{} cannot be locked: {error}", folder.display());
            return Ok(None);
        }
    };
    match file.try_lock() {
        Ok(()) => {
            write_process_id(&file);
            Ok(Some(file))
        }
        Err(TryLockError::WouldBlock) => match sharing {
            DataSharing::Refused => Err(format!(
                "--data {}: another server uses this folder; stop it, name another folder, or allow both with \
                 --share-data",
                folder.display()
            )),
            DataSharing::WithPredecessor => {
                let waiting = std::thread::Builder::new().name("lock".to_owned()).spawn(move || {
                    if file.lock().is_ok() {
                        write_process_id(&file);
                        // The lock ends with the process.
                        let _ = Box::leak(Box::new(file));
                    }
                });
                waiting.map(|_| None).map_err(|error| format!("cannot start a thread: {error}"))
            }
            DataSharing::WithSeparateLimits => {
                ::log::warn!(
                    "another server uses the data folder {}: without shared limits, each counts the requests of keys \
                     itself",
                    folder.display()
                );
                Ok(None)
            }
            DataSharing::WithSharedLimits => {
                ::log::info!("another server uses the data folder {}", folder.display());
                Ok(None)
            }
        },
        Err(TryLockError::Error(error)) => {
            ::log::warn!("{} cannot be locked: {error}", folder.display());
            Ok(None)
        }
    }
}

/// Writes the id of this process to the locked file, for programs that send signals to the server.
fn write_process_id(mut file: &File) {
    let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    if let Err(error) = written {
        ::log::warn!("the process id cannot be written: {error}");
    }
}
