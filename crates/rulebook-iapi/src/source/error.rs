//! Errors of reading values from a database and writing them to files.

use std::io;

use rulebook::store::StoreError;
use rulebook_model::call::shortened;
use thiserror::Error;

/// Maximum number of keys that a message lists.
const MAX_LISTED: usize = 10;

/// Why no caches were written.
#[derive(Debug, Error)]
pub(crate) enum SourceError {
    /// The database has no such table.
    #[error("the database has no table {0}")]
    NoTable(String),
    /// The table has no such column.
    #[error("the table {table} has no column {column}")]
    NoColumn {
        /// The name of the table.
        table: String,
        /// The name of the column.
        column: String,
    },
    /// The table has no primary key.
    #[error("the table {0} has no primary key")]
    NoKey(String),
    /// The primary key of the table has several columns, so that a single value does not identify a row.
    #[error("the primary key of the table {table} has several columns: {}", columns.join(", "))]
    SeveralKeys {
        /// The name of the table.
        table: String,
        /// The columns of its primary key.
        columns: Vec<String>,
    },
    /// These keys have no value: there is no such row, or the value is null.
    #[error("there is no value for the keys {}", list(.0))]
    NoValue(Vec<String>),
    /// The values are larger than this number of bytes in total.
    #[error("the values are larger than {0} bytes in total")]
    TooLarge(u64),
    /// A value is larger than this number of bytes, and can only be read into memory as a whole.
    #[error("a value is larger than {0} bytes, and the table does not support incremental reading")]
    ValueTooLarge(u64),
    /// The database cannot be used. The text is for the log.
    #[error("the database: {0}")]
    Unavailable(String),
    /// The asynchronous runtime cannot be started.
    #[error("starting a runtime for the database: {0}")]
    Runtime(io::Error),
    /// The files cannot be written.
    #[error(transparent)]
    Store(StoreError),
}

/// Lists keys; at most [`MAX_LISTED`] of them.
fn list(keys: &[String]) -> String {
    let listed: Vec<_> = keys.iter().take(MAX_LISTED).map(|key| shortened(key)).collect();
    let omitted = keys.len() - listed.len();
    if omitted > 0 { format!("{} and {omitted} more", listed.join(", ")) } else { listed.join(", ") }
}
