//! The columns that caches are made from, in an SQLite file or on a PostgreSQL server.
//!
//! In charge of finding the rows of some keys and of bringing their values, piece by piece, to where they are written.
//! Must not know of requests, nor what the files will be called.
//!
//! All values of one call are read in one transaction, so that they are of one state of the database. No value is ever
//! whole in memory, however long it is.

mod column;
mod error;
mod postgres;
mod room;
mod sqlite;

use std::fmt;
use std::path::PathBuf;

pub(super) use column::Column;
pub(super) use error::SourceError;
pub(super) use room::Room;

use crate::store::Staged;

/// How many bytes are read at once.
const PIECE: usize = 1 << 20;

/// Where a database is.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Database {
    /// A file of SQLite. It is opened for reading, and never made.
    Sqlite(PathBuf),
    /// A PostgreSQL server: `postgres://user:password@host/name`.
    Postgres(String),
}

impl Database {
    /// Writes the value of each key into a file of its own, in the order of the keys. It waits for the database and the
    /// disk.
    ///
    /// # Errors
    /// There is nothing to be written for some of the keys, or the database or the disk does not do it. All that was
    /// written is gone then.
    pub(super) fn copy(&self, column: &Column, keys: &[String], room: &mut Room) -> Result<Vec<Staged>, SourceError> {
        match self {
            Self::Sqlite(file) => sqlite::copy(file, column, keys, room),
            Self::Postgres(url) => postgres::copy(url, column, keys, room),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => f.debug_tuple("Sqlite").field(file).finish(),
            // The URL may hold a password.
            Self::Postgres(_) => f.debug_tuple("Postgres").finish_non_exhaustive(),
        }
    }
}

/// How each value is read, if there is one at every key.
fn all<T>(keys: &[String], values: Vec<Option<T>>) -> Result<Vec<T>, SourceError> {
    let without: Vec<_> = keys.iter().zip(&values).filter(|(_, value)| value.is_none()).collect();
    if without.is_empty() {
        return Ok(values.into_iter().flatten().collect());
    }
    Err(SourceError::NoValue(without.into_iter().map(|(key, _)| key.clone()).collect()))
}
