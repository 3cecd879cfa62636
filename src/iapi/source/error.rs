//! Why the values of some keys are not there.

use std::fmt;
use std::io;

use crate::call::shortened;
use crate::store::StoreError;

/// How many keys are named in words.
const NAMED: usize = 10;

/// Why nothing was written.
#[derive(Debug)]
pub(in crate::iapi) enum SourceError {
    /// The database has no such table.
    NoTable(String),
    /// The table has no such column.
    NoColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// The table has no primary key by which its rows could be named.
    NoKey(String),
    /// The primary key of the table has several columns, and a key is one value.
    SeveralKeys {
        /// The table.
        table: String,
        /// The columns of its primary key.
        columns: Vec<String>,
    },
    /// These keys have no value: no row has them, or there is nothing in its column.
    NoValue(Vec<String>),
    /// The values have more than so many bytes together.
    TooLong(u64),
    /// A value that the database gives in one piece only has more than so many bytes.
    TooLongAtOnce(u64),
    /// The database does not answer, or no longer. Words for the log.
    Gone(String),
    /// The program cannot ask it.
    Runtime(io::Error),
    /// The files cannot be written.
    Store(StoreError),
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTable(table) => write!(f, "the database has no table {table}"),
            Self::NoColumn { table, column } => write!(f, "the table {table} has no column {column}"),
            Self::NoKey(table) => write!(f, "the table {table} has no primary key"),
            Self::SeveralKeys { table, columns } => {
                write!(f, "the primary key of the table {table} has several columns: {}", columns.join(", "))
            }
            Self::NoValue(keys) => {
                let named: Vec<_> = keys.iter().take(NAMED).map(|key| shortened(key)).collect();
                write!(f, "there is no value at {}", named.join(", "))?;
                if keys.len() > NAMED { write!(f, " and {} more", keys.len() - NAMED) } else { Ok(()) }
            }
            Self::TooLong(most) => write!(f, "the values have more than {most} bytes together"),
            Self::TooLongAtOnce(most) => {
                write!(f, "a value has more than {most} bytes, in a table that is not read in pieces")
            }
            Self::Gone(why) => write!(f, "the database: {why}"),
            Self::Runtime(error) => write!(f, "asking the database: {error}"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SourceError {}
