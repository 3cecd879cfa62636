//! Copies values from a MySQL or MariaDB server to files.
//!
//! A query returns a value in many rows, each with a chunk of the value. Only one row at a time is in memory. The
//! server reads and converts the value once for such a query, and stores it in a temporary table meanwhile; with a
//! separate query for each chunk, it would read the whole value for every chunk.
//!
//! All queries run in one transaction with a consistent snapshot, which applies to tables of the storage engine InnoDB.
//! Text is converted to UTF-8 from the character set of the column; numbers, times, `json` and other types are copied
//! in the text format of the server, with timestamps in UTC; binary types and `bit` are copied as bytes.

use futures_util::TryStreamExt;
use sqlx::mysql::{MySqlArguments, MySqlRow};
use sqlx::query::Query;
use sqlx::{Executor, MySql, MySqlConnection, Row};

use super::column::quote_identifier;
use super::mysql_column::{ColumnInfo, primary_key};
use super::server::{ServerColumn, with_timeout};
use super::{CHUNK_SIZE, Column, LimitedStore, SourceError};
use rulebook::store::StagedFile;

/// Sets a known SQL mode, character set and time zone, and timeouts on the server, which end a query if this program
/// has disappeared. MySQL and MariaDB ignore each other's comments, which contain a setting that the other does not
/// have.
const SETTINGS: &str = "SET NAMES utf8mb4, sql_mode = '', time_zone = '+00:00', lock_wait_timeout = 5, wait_timeout = 60 \
    /*!50708 , max_execution_time = 600000 */ /*M! , max_statement_time = 600 */";

const SET_ISOLATION_LEVEL: &str = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ";

/// Begins a transaction in which all queries read the state that the database has now.
const BEGIN_TRANSACTION: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

/// The number of chunks that a query returns. With many more, the text of the query would be longer than the server
/// accepts if its `max_allowed_packet` is small.
const CHUNKS_PER_QUERY: u64 = 256;

pub(super) struct ColumnQueries {
    /// The number of placeholders for the key in each query.
    key_count: usize,
    /// Selects 1 if the value in the row with a key is not null.
    has_value: String,
    /// Selects chunks of the value in the row with a key. The placeholders before and after those of the key are the
    /// position of the first chunk, counted from 1. Each row contains the position of a chunk, counted from 0 at the
    /// first chunk, and the chunk. There is always a first row; its chunk is empty if the value ends before it.
    chunks: String,
    chunk_length: u64,
}

impl ServerColumn for ColumnQueries {
    type Connection = MySqlConnection;

    async fn begin(connection: &mut MySqlConnection, column: &Column) -> Result<Self, SourceError> {
        for statement in [SETTINGS, SET_ISOLATION_LEVEL, BEGIN_TRANSACTION] {
            with_timeout(connection.execute(statement)).await?;
        }
        Self::prepare(connection, column).await
    }

    async fn has_value(&self, connection: &mut MySqlConnection, key: &str) -> Result<bool, SourceError> {
        let query = self.bind_key(sqlx::query(&self.has_value), key);
        let row = with_timeout(query.fetch_optional(connection)).await?;
        Ok(row.map(|row| row.try_get::<i64, _>(0)).transpose()?.is_some_and(|has_value| has_value != 0))
    }

    async fn copy_value(
        &self,
        connection: &mut MySqlConnection,
        key: &str,
        store: &mut LimitedStore,
    ) -> Result<StagedFile, SourceError> {
        let mut writer = store.new_writer()?;
        let mut is_complete = false;
        while !is_complete {
            let previous = writer.length();
            let query = self.bind_key(sqlx::query(&self.chunks).bind(previous + 1), key).bind(previous + 1);
            let mut rows = query.fetch(&mut *connection);
            while let Some(row) = with_timeout(rows.try_next()).await? {
                let (start, chunk) = parse_chunk_row(&row)?;
                // SQL does not guarantee that the rows with the chunks are in order.
                if previous + start != writer.length() {
                    return Err(SourceError::Unavailable("the chunks of a value are out of order".to_owned()));
                }
                store.append(&mut writer, chunk)?;
                is_complete = (chunk.len() as u64) < self.chunk_length;
            }
            if !is_complete && writer.length() == previous {
                return Err(SourceError::Unavailable("the row with a value has been deleted".to_owned()));
            }
        }
        store.finish(writer)
    }
}

impl ColumnQueries {
    /// Reads the type of the column and the table's primary key, and creates the queries for them.
    async fn prepare(connection: &mut MySqlConnection, column: &Column) -> Result<Self, SourceError> {
        let table = column.quoted_table('`');
        let columns = ColumnInfo::of_table(connection, &table).await?;
        let columns = columns.ok_or_else(|| SourceError::NoTable(column.to_string()))?;
        // MySQL ignores the case of column names.
        let find = |name: &str| columns.iter().find(|other| other.name.to_lowercase() == name.to_lowercase());
        let value = find(&column.name).ok_or_else(|| column.missing(&column.name))?;
        let key = primary_key(connection, column, &table).await?;
        let (condition, key_count) = find(&key).ok_or_else(|| column.missing(&key))?.key_condition();
        let max_packet = sqlx::query_scalar("SELECT @@max_allowed_packet").fetch_one(connection);
        let max_packet: u64 = with_timeout(max_packet).await?;
        // A packet also contains other data besides the chunk.
        let chunk_length = (max_packet / 2).clamp(1, CHUNK_SIZE as u64);
        let starts: Vec<_> =
            (0..CHUNKS_PER_QUERY).map(|number| format!("SELECT {} AS start", number * chunk_length)).collect();
        Ok(Self {
            key_count,
            has_value: format!(
                "SELECT {} IS NOT NULL FROM {table} WHERE {condition}",
                quote_identifier(&value.name, '`')
            ),
            // `LIMIT` prevents the server from merging the subquery into the outer query, which would convert the value
            // for each chunk.
            chunks: format!(
                "SELECT start, SUBSTRING(value, ? + start, {chunk_length})
                 FROM (SELECT {} AS value FROM {table} WHERE {condition} LIMIT 1) AS present
                 CROSS JOIN ({}) AS starts WHERE start = 0 OR ? + start <= LENGTH(value)",
                value.bytes(),
                starts.join(" UNION ALL ")
            ),
            chunk_length,
        })
    }

    fn bind_key<'q>(&self, query: Query<'q, MySql, MySqlArguments>, key: &'q str) -> Query<'q, MySql, MySqlArguments> {
        (0..self.key_count).fold(query, |query, _| query.bind(key))
    }
}

/// Returns the content of a result row: the position of the chunk, counted from 0 at the first chunk of the result, and
/// the bytes of the chunk.
fn parse_chunk_row(row: &MySqlRow) -> Result<(u64, &[u8]), SourceError> {
    let start: i64 = row.try_get(0)?;
    let chunk: Option<&[u8]> = row.try_get_unchecked(1)?;
    // The server returns null instead of a text that is longer than one of its limits.
    let chunk =
        chunk.ok_or_else(|| SourceError::Unavailable("the server cannot convert a value to bytes".to_owned()))?;
    Ok((u64::try_from(start).unwrap_or_default(), chunk))
}
