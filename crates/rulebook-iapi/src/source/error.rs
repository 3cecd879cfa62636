//! Errors of reading values from a database and writing them to files.

use rulebook::store::StoreError;
use rulebook_model::call::shorten_text;
use thiserror::Error;

/// Maximum number of row keys that an error message lists.
const MAX_LISTED_KEYS: usize = 10;

/// The reason why no files were written.
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
    NoPrimaryKey(String),
    /// The primary key of the table has several columns, so that a single value does not identify a row.
    #[error("the primary key of the table {table} has several columns: {}", columns.join(", "))]
    CompositePrimaryKey {
        /// The name of the table.
        table: String,
        /// The columns of its primary key.
        columns: Vec<String>,
    },
    /// The table has no row for these keys, or the value in the row is null.
    #[error("there is no value for the keys {}", list_keys(.0))]
    NoValue(Vec<String>),
    /// The values are larger than this number of bytes together.
    #[error("the values are larger than {0} bytes in total")]
    TooLarge(u64),
    /// A value is larger than this number of bytes, and the database cannot return it in chunks.
    #[error("a value is larger than {0} bytes, and the table does not support incremental reading")]
    ValueTooLarge(u64),
    /// The database cannot be used. The text describes the reason and is logged.
    #[error("the database: {0}")]
    Unavailable(String),
    /// The files cannot be written.
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
