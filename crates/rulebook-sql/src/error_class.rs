//! The causes of errors of a database, as far as responses and repetitions depend on them.

use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;
use sqlx::postgres::PgDatabaseError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorClass {
    Timeout,
    /// The same call may succeed later.
    Temporary,
    /// The connection cannot use its prepared statement any more, because the tables have been changed. The same
    /// statement may succeed when it is prepared again; it had no effect.
    Stale,
    /// The statement does not fit to the tables any more.
    Rejected,
    /// A value cannot be converted to the type of a column or a function. `None` means that the value need not come
    /// from the request, such as in a division by zero.
    Value(Option<Problem>),
    Other,
}

/// The reason why a database rejects a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    TooLong,
    OutOfRange,
    Date,
    Json,
    Other,
}

impl ErrorClass {
    /// Returns the cause of any error.
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        use sqlx::Error::{ColumnDecode, ColumnNotFound, Decode, Encode};
        match error {
            sqlx::Error::Database(error) => Self::of_database(&**error),
            ColumnDecode { .. } | Decode(_) | Encode(_) => Self::Other,
            ColumnNotFound(_) => Self::Rejected,
            _ => Self::Temporary,
        }
    }

    pub(crate) fn of_database(error: &dyn DatabaseError) -> Self {
        let code = error.code().unwrap_or_default();
        if let Some(mysql) = error.try_downcast_ref::<MySqlDatabaseError>() {
            Self::of_mysql(mysql.number())
        } else if error.try_downcast_ref::<PgDatabaseError>().is_some() {
            Self::of_postgres(&code)
        } else {
            // The lower byte of an extended code of SQLite is the primary code.
            match code.parse::<u32>().map(|code| code & 0xff) {
                Ok(1) if is_missing_in_sqlite(error.message()) => Self::Rejected,
                Ok(1) if is_json_error(error.message()) => Self::Value(Some(Problem::Json)),
                Ok(9) => Self::Timeout,
                Ok(17) => Self::Stale,
                // Busy, locked, read only, an error of the disk, a full disk, and a file that cannot be opened.
                Ok(5 | 6 | 8 | 10 | 13 | 14) => Self::Temporary,
                _ => Self::Other,
            }
        }
    }

    fn of_mysql(number: u16) -> Self {
        match number {
            // max_statement_time of MariaDB, max_execution_time of MySQL.
            1969 | 3024 => Self::Timeout,
            // Too many connections, a shutdown, a wait for a lock, a deadlock, a killed statement or connection.
            1040 | 1053 | 1205 | 1213 | 1317 | 1927 | 1290 => Self::Temporary,
            // An unknown statement, one that must be prepared again, and a table that was changed in a transaction.
            1243 | 1412 | 1615 => Self::Stale,
            // An unknown column, table, function or procedure, or a view of one.
            1054 | 1146 | 1305 | 1356 => Self::Rejected,
            1406 => Self::Value(Some(Problem::TooLong)),
            1264 | 1690 => Self::Value(Some(Problem::OutOfRange)),
            3140 | 3141 | 3143 | 4037 | 4038 | 4042 => Self::Value(Some(Problem::Json)),
            // Values that are truncated, or not a number, a date, a text of the character set, a regular expression, or
            // a search: the statement itself was accepted when the program started.
            1064 | 1139 | 1265 | 1292 | 1366 | 1367 | 1411 => Self::Value(Some(Problem::Other)),
            _ => Self::Other,
        }
    }

    fn of_postgres(code: &str) -> Self {
        match code {
            "57014" => Self::Timeout,
            // A serialization failure, a deadlock, a wait for a lock, a transaction that only reads.
            "40001" | "40P01" | "55P03" | "25006" => Self::Temporary,
            // A result of other types than the prepared one, a statement that is unknown, for example since a proxy has
            // changed the server, and a table or type that is gone while the statement is planned.
            "0A000" | "26000" | "XX000" => Self::Stale,
            "22001" => Self::Value(Some(Problem::TooLong)),
            // Also a negative limit, offset or length.
            "22003" | "2201W" | "2201X" | "22011" => Self::Value(Some(Problem::OutOfRange)),
            "22007" | "22008" => Self::Value(Some(Problem::Date)),
            "22P05" => Self::Value(Some(Problem::Json)),
            // Also a regular expression, a pattern or a search, which the database parses in each call.
            "22021" | "22025" | "22026" | "2201B" | "22P02" | "22P03" | "42601" => Self::Value(Some(Problem::Other)),
            code if code.starts_with("22") => Self::Value(None),
            // Errors of the connection, of resources, and of an operator who stops the server.
            code if ["08", "53", "57"].iter().any(|class| code.starts_with(class)) => Self::Temporary,
            // Everything except missing privileges: the statement was accepted when the program started.
            code if code.starts_with("42") && code != "42501" => Self::Rejected,
            _ => Self::Other,
        }
    }
}

/// Returns `true` for the message of a missing table, column or function, which has no code of its own.
fn is_missing_in_sqlite(message: &str) -> bool {
    message.starts_with("no such ") || message.contains(" has no column named ")
}

/// Returns `true` for the message of SQLite about a text that is not JSON, or not a path in JSON.
fn is_json_error(message: &str) -> bool {
    ["malformed JSON", "bad JSON path", "JSON path error"].iter().any(|start| message.starts_with(start))
}

impl Problem {
    /// Describes the values that the database can store.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::TooLong => "a shorter value",
            Self::OutOfRange => "a number in the range of the database",
            Self::Date => "a date that the database can store",
            Self::Json => "a JSON value that the database can store",
            Self::Other => "a value that the database can store",
        }
    }
}
