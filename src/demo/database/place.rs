//! Where the database is: what `DATABASE_URL` says, else the file `demo.db` in the server's folder.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::Trouble;

/// The file of the database in the server's folder.
const FILE: &str = "demo.db";

/// Where PostgreSQL is: `postgres://user:password@host/name`.
const VARIABLE: &str = "DATABASE_URL";

/// What stands for itself in the path of a database's URL.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

/// Where the database is.
pub(super) enum Place {
    Sqlite(PathBuf),
    Postgres(String),
}

/// Which file it is, whatever its name, and whether it may be written: connections that were opened while it
/// might not never write. Nothing tells two files apart where the system numbers none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    number: (u64, u64),
    read_only: bool,
}

impl Place {
    /// Where it is. `folder` is the server's own.
    pub(super) fn find(folder: &Path) -> Result<Self, Trouble> {
        match env::var(VARIABLE) {
            Ok(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => Ok(Self::Postgres(url)),
            Ok(url) if url.is_empty() => Ok(Self::Sqlite(folder.join(FILE))),
            // The URL is not repeated: it may hold a password.
            Ok(_) => Err(Trouble::Url("expected postgres://…".to_owned())),
            Err(env::VarError::NotPresent) => Ok(Self::Sqlite(folder.join(FILE))),
            Err(env::VarError::NotUnicode(_)) => Err(Trouble::Url("expected a text".to_owned())),
        }
    }

    pub(super) fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    pub(super) fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => {
                format!("sqlite:{}?mode=rwc", percent_encode(path.as_os_str().as_encoded_bytes(), PLAIN))
            }
            Self::Postgres(url) => url.clone(),
        }
    }

    /// Makes the folder that the file will stand in.
    pub(super) fn prepare(&self) -> Result<(), Trouble> {
        match self {
            Self::Sqlite(path) => path.parent().map_or(Ok(()), fs::create_dir_all).map_err(Trouble::Folder),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Which file stands there now; none where there is none, and for PostgreSQL.
    pub(super) fn file(&self) -> Result<Option<FileId>, Trouble> {
        let Self::Sqlite(path) = self else { return Ok(None) };
        match fs::metadata(path) {
            Ok(file) => Ok(Some(FileId { number: number(&file), read_only: file.permissions().readonly() })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Trouble::Folder(error)),
        }
    }
}

#[cfg(unix)]
fn number(file: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (file.dev(), file.ino())
}

#[cfg(not(unix))]
fn number(_: &fs::Metadata) -> (u64, u64) {
    (0, 0)
}
