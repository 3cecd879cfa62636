//! Copying values from a PostgreSQL server.
//!
//! A query returns a value as many rows, each with a chunk of the value. They are read as fast as they are written to
//! the file. So the server reads and decompresses the value only once; with a query for each chunk, it would repeat
//! that every time. Text is converted to UTF-8 from the encoding of the database; `json` is copied as stored; `jsonb`,
//! numbers, times and other types are copied in the text format of the server; `bytea` is copied as bytes.
//!
//! Each call opens a connection, in a separate runtime on its own thread. So the connection does not depend on another
//! runtime, and writing files between the chunks blocks no other task.

use std::str::FromStr;
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, Row};
use tokio::runtime::Builder;
use tokio::time::timeout;

use super::column::quoted;
use super::{CHUNK, Column, LimitedStore, SourceError};
use rulebook::store::StagedFile;

/// Timeout for connecting, and for each row of a query.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Timeouts on the server, which end the queries of a client that has disappeared.
const SETTINGS: &str = "SET statement_timeout = '10min'; SET lock_timeout = '5s'; \
    SET idle_in_transaction_session_timeout = '1min'";

/// Begins a transaction in which all queries see the same state.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// Sets a savepoint before the lookup of each key.
const SAVEPOINT: &str = "SAVEPOINT keys";
/// Returns to the savepoint after a text that is not valid for the type of the key, so that the transaction can
/// continue.
const ROLLBACK: &str = "ROLLBACK TO SAVEPOINT keys";

/// Selects whether the type of a column, or the base type of its domain, is `bytea`.
const IS_BYTES: &str = "WITH RECURSIVE base AS (
    SELECT t.oid, t.typbasetype FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = to_regclass($1) AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT t.oid, t.typbasetype FROM pg_type t JOIN base ON t.oid = base.typbasetype)
    SELECT oid = 'bytea'::regtype FROM base WHERE typbasetype = 0";

/// Selects the columns of the primary key with their types. The types are without lengths: with a length, a key that is
/// too long would be cut, and could then match another row.
const KEY: &str = "SELECT a.attname::text, format_type(a.atttypid, -1) FROM pg_constraint c
    CROSS JOIN unnest(c.conkey) AS k JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k
    WHERE c.conrelid = to_regclass($1) AND c.contype = 'p'";

/// The queries for one column.
struct Queries {
    /// Selects whether the key $1 has a value.
    has_value: String,
    /// Selects the value of the key $1, in chunks of $2 bytes.
    chunks: String,
}

pub(super) fn copy(
    url: &str,
    column: &Column,
    keys: &[String],
    store: &mut LimitedStore,
) -> Result<Vec<StagedFile>, SourceError> {
    // The error of the parser is not reported, because it could contain parts of the URL, such as the password.
    let options =
        PgConnectOptions::from_str(url).map_err(|_| SourceError::Unavailable("its URL is invalid".to_owned()))?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(SourceError::Runtime)?;
    let copied = runtime.block_on(async {
        let mut connection = with_timeout(options.disable_statement_logging().connect()).await?;
        let copied = copy_all(&mut connection, column, keys, store).await;
        // Closing ends the transaction. If it fails, dropping the connection has the same effect.
        let _ = with_timeout(connection.close()).await;
        copied
    });
    // The runtime does not wait for threads that are still resolving a host name.
    runtime.shutdown_background();
    copied
}

/// Waits for the result of an operation.
///
/// # Errors
/// Fails if the operation fails or takes longer than [`TIMEOUT`].
async fn with_timeout<T>(operation: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, SourceError> {
    match timeout(TIMEOUT, operation).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(SourceError::Unavailable(format!("no response within {} seconds", TIMEOUT.as_secs()))),
    }
}

async fn copy_all(
    connection: &mut PgConnection,
    column: &Column,
    keys: &[String],
    store: &mut LimitedStore,
) -> Result<Vec<StagedFile>, SourceError> {
    with_timeout(connection.execute(SETTINGS)).await?;
    with_timeout(connection.execute(BEGIN)).await?;
    let queries = Queries::prepare(connection, column).await?;
    with_timeout(connection.execute(SAVEPOINT)).await?;
    let mut present = Vec::with_capacity(keys.len());
    for key in keys {
        present.push(queries.has_value(connection, key).await?.then_some(()));
    }
    super::require_all(keys, present)?;
    let mut staged = Vec::with_capacity(keys.len());
    for key in keys {
        staged.push(queries.copy(connection, key, store).await?);
    }
    Ok(staged)
}

impl Queries {
    /// Reads the schema of the column, and writes the queries.
    async fn prepare(connection: &mut PgConnection, column: &Column) -> Result<Self, SourceError> {
        let table = column.quoted_table();
        let exists = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(&table);
        if !with_timeout(exists.fetch_one(&mut *connection)).await? {
            return Err(SourceError::NoTable(column.to_string()));
        }
        let is_bytes = sqlx::query_scalar(IS_BYTES).bind(&table).bind(&column.name);
        let Some(is_bytes) = with_timeout(is_bytes.fetch_optional(&mut *connection)).await? else {
            return Err(SourceError::NoColumn { table: column.to_string(), column: column.name.clone() });
        };
        let keys = with_timeout(sqlx::query_as(KEY).bind(&table).fetch_all(connection)).await?;
        let (key, key_type): &(String, String) = match &keys[..] {
            [] => return Err(SourceError::NoKey(column.to_string())),
            [key] => key,
            _ => {
                let columns = keys.into_iter().map(|(key, _)| key).collect();
                return Err(SourceError::SeveralKeys { table: column.to_string(), columns });
            }
        };
        let value = quoted(&column.name);
        let row = format!("FROM {table} WHERE {} = $1::text::{key_type}", quoted(key));
        // Both expressions create a new, uncompressed value in memory, so that the cost of a substring is proportional
        // to its length.
        let bytes = if is_bytes {
            format!("{value}::bytea || ''::bytea")
        } else {
            format!("convert_to({value}::text, 'UTF8')")
        };
        Ok(Self {
            has_value: format!("SELECT {value} IS NOT NULL {row}"),
            // OFFSET prevents the planner from merging the subquery into the outer query, which would create the value
            // for each chunk.
            chunks: format!(
                "SELECT first, substring(value FROM first FOR $2) FROM (SELECT {bytes} AS value {row} OFFSET 0) AS present
                 CROSS JOIN LATERAL generate_series(1, length(value), $2) AS first"
            ),
        })
    }

    /// Returns `true` if the key has a value.
    async fn has_value(&self, connection: &mut PgConnection, key: &str) -> Result<bool, SourceError> {
        let result = sqlx::query_scalar(&self.has_value).bind(key).fetch_optional(&mut *connection);
        match with_timeout(async { Ok(result.await) }).await? {
            Err(error) if is_invalid_key(&error) => {
                with_timeout(connection.execute(ROLLBACK)).await?;
                Ok(false)
            }
            has_value => Ok(has_value?.unwrap_or(false)),
        }
    }

    async fn copy(
        &self,
        connection: &mut PgConnection,
        key: &str,
        store: &mut LimitedStore,
    ) -> Result<StagedFile, SourceError> {
        let length = i32::try_from(CHUNK).unwrap_or(i32::MAX);
        let mut chunks = sqlx::query(&self.chunks).bind(key).bind(length).fetch(connection);
        let mut writer = store.writer()?;
        while let Some(row) = with_timeout(chunks.try_next()).await? {
            let (first, chunk) = chunk(&row)?;
            // SQL does not guarantee that the chunks are in order.
            if u64::from(first) != writer.length() + 1 {
                return Err(SourceError::Unavailable("the chunks of a value are out of order".to_owned()));
            }
            store.write(&mut writer, chunk)?;
        }
        store.finish(writer)
    }
}

/// Returns the position of a chunk's first byte, counted from 1, and the chunk.
fn chunk(row: &PgRow) -> Result<(u32, &[u8]), SourceError> {
    let first: i32 = row.try_get(0)?;
    Ok((u32::try_from(first).unwrap_or_default(), row.try_get(1)?))
}

/// Returns `true` if the text of a key is not valid for the type of the primary key, or for its domain: the classes
/// `Data Exception` and `Integrity Constraint Violation` in the appendix of PostgreSQL's manual.
fn is_invalid_key(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
}

impl From<sqlx::Error> for SourceError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}
