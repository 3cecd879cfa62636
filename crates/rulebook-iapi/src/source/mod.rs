//! The databases from which caches are written: SQLite files and PostgreSQL servers.
//!
//! This module finds the rows of the given keys and copies their values in chunks to files. It must not depend on
//! requests or on the names of the files.
//!
//! All values of one call are read in one transaction, so that they belong to the same state of the database. Large
//! values are never held in memory as a whole.

mod column;
mod error;
mod limited_store;
mod postgres;
mod sqlite;

use std::fmt;
use std::path::PathBuf;

pub(super) use column::Column;
pub(super) use error::SourceError;
pub(super) use limited_store::LimitedStore;

use rulebook::store::StagedFile;

/// Number of bytes that are read at a time.
const CHUNK: usize = 1 << 20;

/// The location of a database.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Database {
    /// An SQLite file. It is opened for reading only, and never created.
    Sqlite(PathBuf),
    /// The URL of a database on a PostgreSQL server: `postgres://user:password@host/name`.
    Postgres(String),
}

impl Database {
    /// Copies the value of each key to a file, in the order of the keys. This blocks on the database and the disk.
    ///
    /// # Errors
    /// Fails if a key has no value, or the database or the disk fails. All files are then removed.
    pub(super) fn copy(
        &self,
        column: &Column,
        keys: &[String],
        store: &mut LimitedStore,
    ) -> Result<Vec<StagedFile>, SourceError> {
        match self {
            Self::Sqlite(file) => sqlite::copy(file, column, keys, store),
            Self::Postgres(url) => postgres::copy(url, column, keys, store),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => f.debug_tuple("Sqlite").field(file).finish(),
            // The URL may contain a password.
            Self::Postgres(_) => f.debug_tuple("Postgres").finish_non_exhaustive(),
        }
    }
}

/// Returns the values if every key has one.
///
/// # Errors
/// Returns [`SourceError::NoValue`] with all keys that have no value.
fn require_all<T>(keys: &[String], values: Vec<Option<T>>) -> Result<Vec<T>, SourceError> {
    let missing: Vec<_> = keys.iter().zip(&values).filter(|(_, value)| value.is_none()).collect();
    if missing.is_empty() {
        return Ok(values.into_iter().flatten().collect());
    }
    Err(SourceError::NoValue(missing.into_iter().map(|(key, _)| key.clone()).collect()))
}
