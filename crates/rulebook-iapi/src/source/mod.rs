//! Copies values from a database to files. The database is an SQLite file, or it is on a server of PostgreSQL, MySQL
//! or MariaDB.
//!
//! This module finds the rows with the given primary keys, and copies a column of each row to a file. It must not
//! depend on requests or on the names of the files.
//!
//! All values for one call of the handler are read in one transaction, so that they are from the same state of the
//! database. Large values are copied in chunks and are never in memory as a whole.

#[cfg(feature = "servers")]
mod mysql;
#[cfg(feature = "servers")]
mod postgres;
#[cfg(feature = "servers")]
mod server;
mod sqlite;

use std::fmt;
use std::path::PathBuf;

use rulebook::store::{StagedFile, Store, StoreError, Writer};
use rulebook_model::call::shorten_text;
use thiserror::Error;

type Result<T, E = SourceError> = std::result::Result<T, E>;

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
    pub(super) fn copy_values(
        &self,
        column: &Column,
        keys: &[String],
        store: &mut LimitedStore,
    ) -> Result<Vec<StagedFile>> {
        match self {
            Self::Sqlite(file) => sqlite::copy_values(file, column, keys, store),
            #[cfg(feature = "servers")]
            Self::Postgres(url) => server::copy_values::<postgres::ColumnQueries>(url, column, keys, store),
            #[cfg(feature = "servers")]
            Self::Mysql(url) => server::copy_values::<mysql::ColumnQueries>(url, column, keys, store),
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
fn require_all_values<T>(keys: &[String], values: Vec<Option<T>>) -> Result<Vec<T>> {
    let missing: Vec<_> = keys.iter().zip(&values).filter(|(_, value)| value.is_none()).collect();
    if missing.is_empty() {
        return Ok(values.into_iter().flatten().collect());
    }
    Err(SourceError::NoValue(missing.into_iter().map(|(key, _)| key.clone()).collect()))
}

/// A file store, and the number of bytes that the call may still write to it.
pub(super) struct LimitedStore {
    store: Store,
    max_bytes: u64,
    remaining_bytes: u64,
}

impl LimitedStore {
    pub(super) fn new(store: Store, max_bytes: u64) -> Self {
        Self { store, max_bytes, remaining_bytes: max_bytes }
    }

    /// Returns a writer of a new file. The length of the file is limited to the remaining number of bytes.
    pub(super) fn new_writer(&self) -> Result<Writer> {
        self.store.writer(self.remaining_bytes).map_err(SourceError::Store)
    }

    pub(super) fn append(&self, writer: &mut Writer, bytes: &[u8]) -> Result<()> {
        writer.write(bytes).map_err(|error| match error {
            StoreError::TooLarge(_) => SourceError::TooLarge(self.max_bytes),
            other => SourceError::Store(other),
        })
    }

    /// Completes the file of the writer, and subtracts its length from the remaining number of bytes.
    pub(super) fn finish(&mut self, writer: Writer) -> Result<StagedFile> {
        self.remaining_bytes = self.remaining_bytes.saturating_sub(writer.length());
        writer.finish().map_err(SourceError::Store)
    }
}

const MAX_LISTED_KEYS: usize = 10;

/// The reason why no files were written.
#[derive(Debug, Error)]
pub(super) enum SourceError {
    #[error("the database has no table {0}")]
    NoTable(String),
    #[error("the table {table} has no column {column}")]
    NoColumn { table: String, column: String },
    #[error("the table {0} has no primary key")]
    NoPrimaryKey(String),
    #[error("the primary key of the table {table} has several columns: {}", columns.join(", "))]
    CompositePrimaryKey { table: String, columns: Vec<String> },
    /// The table has no row for these keys, or the value in the row is null.
    #[error("there is no value for the keys {}", list_keys(.0))]
    NoValue(Vec<String>),
    #[error("the values are larger than {0} bytes in total")]
    TooLarge(u64),
    #[error("a value is larger than {0} bytes, and the table does not support incremental reading")]
    ValueTooLarge(u64),
    /// The database cannot be used. The text describes the reason and is logged.
    #[error("the database: {0}")]
    Unavailable(String),
    #[error(transparent)]
    Store(StoreError),
}

/// Returns the keys as text, separated by commas. Of more than [`MAX_LISTED_KEYS`] keys, the text
/// lists the first ones and the number of omitted keys.
fn list_keys(keys: &[String]) -> String {
    let listed: Vec<_> = keys.iter().take(MAX_LISTED_KEYS).map(|key| shorten_text(key)).collect();
    let omitted = keys.len() - listed.len();
    if omitted > 0 { format!("{} and {omitted} more", listed.join(", ")) } else { listed.join(", ") }
}

/// A column of a table: `table.column`, or `schema.table.column`. The database determines whether names are
/// case-sensitive. Names that contain a dot are not supported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    schema: Option<String>,
    table: String,
    name: String,
}

impl Column {
    /// Parses the name of a column; `None` if the text does not have one of the two forms.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (table, name) = text.rsplit_once('.')?;
        let (schema, table) = match table.split_once('.') {
            Some((schema, table)) => (Some(schema), table),
            None => (None, table),
        };
        let parts = [schema.unwrap_or("-"), table, name];
        let is_valid = parts.iter().all(|part| !part.is_empty() && !part.contains(['.', '\0']));
        is_valid.then(|| Self { schema: schema.map(str::to_owned), table: table.to_owned(), name: name.to_owned() })
    }

    fn missing(&self, name: &str) -> SourceError {
        SourceError::NoColumn { table: self.to_string(), column: name.to_owned() }
    }

    /// Returns the only one of the columns of the table's primary key. `name` returns the name of such a column.
    ///
    /// # Errors
    /// Fails unless there is exactly one: only then a single value identifies a row.
    fn single_key<T>(&self, mut keys: Vec<T>, name: impl Fn(&T) -> String) -> Result<T> {
        match (keys.pop(), keys.is_empty()) {
            (None, _) => Err(SourceError::NoPrimaryKey(self.to_string())),
            (Some(key), true) => Ok(key),
            (Some(key), false) => {
                keys.push(key);
                let columns = keys.iter().map(name).collect();
                Err(SourceError::CompositePrimaryKey { table: self.to_string(), columns })
            }
        }
    }

    #[cfg(feature = "servers")]
    fn quoted_table(&self, quote: char) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quote_identifier(schema, quote), quote_identifier(&self.table, quote)),
            None => quote_identifier(&self.table, quote),
        }
    }
}

impl fmt::Display for Column {
    /// Formats the name of the table with its schema, without the name of the column.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.table),
            None => f.write_str(&self.table),
        }
    }
}

/// Quotes an identifier for SQL. `quote` is `"` in standard SQL, which SQLite and PostgreSQL use, and a backtick for
/// MySQL, which accepts it in every SQL mode.
fn quote_identifier(name: &str, quote: char) -> String {
    format!("{quote}{}{quote}", name.replace(quote, &String::from_iter([quote, quote])))
}
