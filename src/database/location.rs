//! The location of the database: the value of `DATABASE_URL`, or the file `demo.db` in the server's data folder.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::DatabaseError;

/// The name of the SQLite file.
const FILE: &str = "demo.db";

/// The environment variable with the URL of PostgreSQL: `postgres://user:password@host/name`.
const VARIABLE: &str = "DATABASE_URL";

/// Characters to encode in the path of an SQLite URL.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

/// The location of the database.
pub(super) enum Location {
    Sqlite(PathBuf),
    Postgres(String),
}

/// Identifies an SQLite file, independently of its name, and whether it is read-only: connections that were opened
/// while it was read-only never write. On systems without inodes, all files are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    device_and_inode: (u64, u64),
    read_only: bool,
}

impl Location {
    /// Reads the environment variable. `folder` is the server's data folder.
    pub(super) fn from_env(folder: &Path) -> Result<Self, DatabaseError> {
        match env::var(VARIABLE) {
            Ok(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => Ok(Self::Postgres(url)),
            Ok(url) if url.is_empty() => Ok(Self::Sqlite(folder.join(FILE))),
            // The message does not contain the URL, because that may contain a password.
            Ok(_) => Err(DatabaseError::Url("expected postgres://…".to_owned())),
            Err(env::VarError::NotPresent) => Ok(Self::Sqlite(folder.join(FILE))),
            Err(env::VarError::NotUnicode(_)) => Err(DatabaseError::Url("expected UTF-8".to_owned())),
        }
    }

    pub(super) fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    pub(super) fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => {
                format!("sqlite:{}?mode=rwc", percent_encode(path.as_os_str().as_encoded_bytes(), ENCODED))
            }
            Self::Postgres(url) => url.clone(),
        }
    }

    /// Creates the folder of the file.
    pub(super) fn create_folder(&self) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(path) => path.parent().map_or(Ok(()), fs::create_dir_all).map_err(DatabaseError::Folder),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Identifies the file that exists now; `None` if the file does not exist, and for PostgreSQL.
    pub(super) fn file(&self) -> Result<Option<FileId>, DatabaseError> {
        let Self::Sqlite(path) = self else { return Ok(None) };
        match fs::metadata(path) {
            Ok(metadata) => {
                let read_only = metadata.permissions().readonly();
                Ok(Some(FileId { device_and_inode: device_and_inode(&metadata), read_only }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(DatabaseError::Folder(error)),
        }
    }
}

#[cfg(unix)]
fn device_and_inode(file: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (file.dev(), file.ino())
}

#[cfg(not(unix))]
fn device_and_inode(_: &fs::Metadata) -> (u64, u64) {
    (0, 0)
}
