//! Copies values from a database to files. The database is an SQLite file, or it is on a server of PostgreSQL, MySQL
//! or MariaDB.
//!
//! This module finds the rows with the given primary keys, and copies a column of each row to a file. It must not
//! depend on requests or on the names of the files.
//!
//! All values for one call of the handler are read in one transaction, so that they are from the same state of the
//! database. Large values are copied in chunks and are never in memory as a whole.

mod column;
mod error;
mod limited_store;
#[cfg(feature = "servers")]
mod mysql;
#[cfg(feature = "servers")]
mod mysql_column;
#[cfg(feature = "servers")]
mod postgres;
#[cfg(feature = "servers")]
mod server;
mod sqlite;

use std::fmt;
use std::path::PathBuf;

pub(super) use column::Column;
pub(super) use error::SourceError;
pub(super) use limited_store::LimitedStore;

use rulebook::store::StagedFile;

/// Number of bytes of a value that are read at a time.
const CHUNK_SIZE: usize = 1 << 20;

/// The location of a database.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Database {
    /// An SQLite file. It is opened for reading only, and never created.
    Sqlite(PathBuf),
    /// The URL of a database on a PostgreSQL server: `postgres://user:password@host/name`.
    #[cfg(feature = "servers")]
    Postgres(String),
    /// The URL of a database on a MySQL or MariaDB server: `mysql://user:password@host/name`. The scheme `mariadb` is
    /// accepted too.
    #[cfg(feature = "servers")]
    Mysql(String),
}

impl Database {
    /// Copies the value in the row of each key to a file, and returns the files in the order of the keys. This function
    /// waits for the database and the disk, so that async code must call it in a separate thread.
    ///
    /// # Errors
    /// Fails if a key has no value, or the database or the disk fails. All files are then removed.
    pub(super) fn copy_values(
        &self,
        column: &Column,
        keys: &[String],
        store: &mut LimitedStore,
    ) -> Result<Vec<StagedFile>, SourceError> {
        match self {
            Self::Sqlite(file) => sqlite::copy_values(file, column, keys, store),
            #[cfg(feature = "servers")]
            Self::Postgres(url) => postgres::copy_values(url, column, keys, store),
            #[cfg(feature = "servers")]
            Self::Mysql(url) => mysql::copy_values(url, column, keys, store),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => f.debug_tuple("Sqlite").field(file).finish(),
            // The URL may contain a password.
            #[cfg(feature = "servers")]
            Self::Postgres(_) => f.debug_tuple("Postgres").finish_non_exhaustive(),
            #[cfg(feature = "servers")]
            Self::Mysql(_) => f.debug_tuple("Mysql").finish_non_exhaustive(),
        }
    }
}

/// Returns the values, one for each key, if every key has a value.
///
/// # Errors
/// Returns [`SourceError::NoValue`] with all keys that have no value.
fn require_all_values<T>(keys: &[String], values: Vec<Option<T>>) -> Result<Vec<T>, SourceError> {
    let missing: Vec<_> = keys.iter().zip(&values).filter(|(_, value)| value.is_none()).collect();
    if missing.is_empty() {
        return Ok(values.into_iter().flatten().collect());
    }
    Err(SourceError::NoValue(missing.into_iter().map(|(key, _)| key.clone()).collect()))
}
