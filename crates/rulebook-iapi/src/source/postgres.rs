//! Copies values from a PostgreSQL server to files.
//!
//! A single query returns a value in many rows, each with a chunk of the value. Only one row at a time is in memory.
//! The server reads and decompresses the value once; with a separate query for each chunk, it would decompress the
//! value for every chunk. Text is converted to UTF-8 from the encoding of the database; `json` is copied as stored;
//! `jsonb`, numbers, times and other types are copied in the text format of the server; `bytea` is copied as bytes.

use futures_util::TryStreamExt;
use sqlx::error::DatabaseError;
use sqlx::postgres::PgRow;
use sqlx::{Executor, PgConnection, Row};

use super::server::{ServerColumn, with_timeout};
use super::{CHUNK_SIZE, Column, LimitedStore, Result, SourceError, quote_identifier};
use rulebook::store::StagedFile;

/// Sets timeouts on the server. They end a query if this program has disappeared.
const SET_TIMEOUTS: &str = "SET statement_timeout = '10min'; SET lock_timeout = '5s'; \
    SET idle_in_transaction_session_timeout = '1min'";

/// Begins a transaction in which all queries read the same state of the database.
const BEGIN_TRANSACTION: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

const SET_SAVEPOINT: &str = "SAVEPOINT keys";
/// Returns to the savepoint after an error, so that the transaction can continue. An error occurs if the text of a key
/// is not valid for the type of the primary key.
const ROLLBACK_TO_SAVEPOINT: &str = "ROLLBACK TO SAVEPOINT keys";

/// Selects `true` if the type of a column, or the base type of its domain, is `bytea`.
const SELECT_IS_BYTEA: &str = "WITH RECURSIVE base AS (
    SELECT t.oid, t.typbasetype FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = to_regclass($1) AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT t.oid, t.typbasetype FROM pg_type t JOIN base ON t.oid = base.typbasetype)
    SELECT oid = 'bytea'::regtype FROM base WHERE typbasetype = 0";

/// Selects the columns of the primary key, and their types without a maximum length. If a key were converted to a type
/// with a maximum length, a longer key would be cut, and could then match another row.
const SELECT_PRIMARY_KEY: &str = "SELECT a.attname::text, format_type(a.atttypid, -1) FROM pg_constraint c
    CROSS JOIN unnest(c.conkey) AS k JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k
    WHERE c.conrelid = to_regclass($1) AND c.contype = 'p'";

pub(super) struct ColumnQueries {
    /// Selects `true` if the value in the row with the key $1 is not null.
    has_value: String,
    /// Selects the value in the row with the key $1, in chunks of $2 bytes.
    chunks: String,
}

impl ServerColumn for ColumnQueries {
    type Connection = PgConnection;

    async fn begin(connection: &mut PgConnection, column: &Column) -> Result<Self> {
        with_timeout(connection.execute(SET_TIMEOUTS)).await?;
        with_timeout(connection.execute(BEGIN_TRANSACTION)).await?;
        let queries = Self::prepare(connection, column).await?;
        with_timeout(connection.execute(SET_SAVEPOINT)).await?;
        Ok(queries)
    }

    async fn has_value(&self, connection: &mut PgConnection, key: &str) -> Result<bool> {
        let result = sqlx::query_scalar(&self.has_value).bind(key).fetch_optional(&mut *connection);
        match with_timeout(async { Ok(result.await) }).await? {
            Err(error) if is_invalid_key(&error) => {
                with_timeout(connection.execute(ROLLBACK_TO_SAVEPOINT)).await?;
                Ok(false)
            }
            has_value => Ok(has_value?.unwrap_or(false)),
        }
    }

    async fn copy_value(
        &self,
        connection: &mut PgConnection,
        key: &str,
        store: &mut LimitedStore,
    ) -> Result<StagedFile> {
        let length = i32::try_from(CHUNK_SIZE).unwrap_or(i32::MAX);
        let mut chunks = sqlx::query(&self.chunks).bind(key).bind(length).fetch(connection);
        let mut writer = store.new_writer()?;
        while let Some(row) = with_timeout(chunks.try_next()).await? {
            let (first, chunk) = parse_chunk_row(&row)?;
            // SQL does not guarantee that the rows with the chunks are in order.
            if u64::from(first) != writer.length() + 1 {
                return Err(SourceError::Unavailable("the chunks of a value are out of order".to_owned()));
            }
            store.append(&mut writer, chunk)?;
        }
        store.finish(writer)
    }
}

impl ColumnQueries {
    /// Reads the type of the column and the table's primary key, and creates the queries for them.
    async fn prepare(connection: &mut PgConnection, column: &Column) -> Result<Self> {
        let table = column.quoted_table('"');
        let exists = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(&table);
        if !with_timeout(exists.fetch_one(&mut *connection)).await? {
            return Err(SourceError::NoTable(column.to_string()));
        }
        let is_bytea = sqlx::query_scalar(SELECT_IS_BYTEA).bind(&table).bind(&column.name);
        let Some(is_bytea) = with_timeout(is_bytea.fetch_optional(&mut *connection)).await? else {
            return Err(column.missing(&column.name));
        };
        let keys = with_timeout(sqlx::query_as(SELECT_PRIMARY_KEY).bind(&table).fetch_all(connection)).await?;
        let (key, key_type) = column.single_key(keys, |(key, _): &(String, String)| key.clone())?;
        let value = quote_identifier(&column.name, '"');
        let row = format!("FROM {table} WHERE {} = $1::text::{key_type}", quote_identifier(&key, '"'));
        // Both expressions create an uncompressed copy of the value in memory. The time for a substring of the copy is
        // proportional to the length of the substring.
        let bytes = if is_bytea {
            format!("{value}::bytea || ''::bytea")
        } else {
            format!("convert_to({value}::text, 'UTF8')")
        };
        Ok(Self {
            has_value: format!("SELECT {value} IS NOT NULL {row}"),
            // `OFFSET 0` prevents the planner from merging the subquery into the outer query, which would create a copy
            // of the value for each chunk.
            chunks: format!(
                "SELECT first, substring(value FROM first FOR $2) FROM (SELECT {bytes} AS value {row} OFFSET 0) AS present
                 CROSS JOIN LATERAL generate_series(1, length(value), $2) AS first"
            ),
        })
    }
}

/// Returns the content of a result row: the position of the chunk's first byte in the value, counted from 1, and the
/// bytes of the chunk.
fn parse_chunk_row(row: &PgRow) -> Result<(u32, &[u8])> {
    let first: i32 = row.try_get(0)?;
    Ok((u32::try_from(first).unwrap_or_default(), row.try_get(1)?))
}

/// Returns `true` if the text of a key is not valid for the type of the primary key, or for its domain: the classes
/// `Data Exception` and `Integrity Constraint Violation` in the appendix of PostgreSQL's manual.
fn is_invalid_key(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
}
