//! The location of the database: the value of `DATABASE_URL`, or the file `demo.db` in the server's data folder.

use std::fs::DirBuilder;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::DatabaseError;
use super::dialect::Dialect;

/// The name of the SQLite file in the data folder.
const SQLITE_FILE_NAME: &str = "demo.db";

/// The environment variable with the URL of a database on a server: `postgres://user:password@host/name`, or the same
/// with the scheme `mysql` or `mariadb`.
const URL_VARIABLE: &str = "DATABASE_URL";

/// The characters to percent-encode in the path of an SQLite URL.
const ENCODED_CHARACTERS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

/// The location of the database.
pub(super) enum Location {
    Sqlite(PathBuf),
    Postgres(String),
    Mysql(String),
}

/// Identifies an SQLite file independently of its name. The value also changes if the file becomes writable, because a
/// connection that was opened to a read-only file can never write. On systems without inodes, all files are considered
/// the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    device_and_inode: (u64, u64),
    is_read_only: bool,
}

impl Location {
    /// Reads the location from the environment variable. `folder` is the server's data folder.
    pub(super) fn from_env(folder: &Path) -> Result<Self, DatabaseError> {
        match env::var(URL_VARIABLE) {
            Ok(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => Ok(Self::Postgres(url)),
            Ok(url) if url.starts_with("mysql://") || url.starts_with("mariadb://") => Ok(Self::Mysql(url)),
            Ok(url) if url.is_empty() => Ok(Self::Sqlite(folder.join(SQLITE_FILE_NAME))),
            // The error message does not contain the URL, because a URL may contain a password.
            Ok(_) => Err(DatabaseError::Url("expected postgres://…, mysql://… or mariadb://…".to_owned())),
            Err(env::VarError::NotPresent) => Ok(Self::Sqlite(folder.join(SQLITE_FILE_NAME))),
            Err(env::VarError::NotUnicode(_)) => Err(DatabaseError::Url("expected UTF-8".to_owned())),
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
            Self::Mysql(_) => Dialect::Mysql,
        }
    }

    pub(super) fn connection_url(&self) -> String {
        match self {
            Self::Sqlite(path) => {
                format!("sqlite:{}?mode=rwc", percent_encode(path.as_os_str().as_encoded_bytes(), ENCODED_CHARACTERS))
            }
            Self::Postgres(url) | Self::Mysql(url) => url.clone(),
        }
    }

    /// Creates the folder of the SQLite file, if it does not exist.
    pub(super) fn create_folder(&self) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(path) => path.parent().map_or(Ok(()), create_private_folder).map_err(DatabaseError::Folder),
            Self::Postgres(_) | Self::Mysql(_) => Ok(()),
        }
    }

    /// Returns the identity of the SQLite file that exists now; `None` if no file exists, or the database is
    /// on a server.
    pub(super) fn current_file(&self) -> Result<Option<FileId>, DatabaseError> {
        let Self::Sqlite(path) = self else { return Ok(None) };
        match fs::metadata(path) {
            Ok(metadata) => {
                let is_read_only = metadata.permissions().readonly();
                Ok(Some(FileId { device_and_inode: device_and_inode(&metadata), is_read_only }))
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

/// Creates a folder that only the user of this process can read, because the database contains hashes of passwords.
fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
