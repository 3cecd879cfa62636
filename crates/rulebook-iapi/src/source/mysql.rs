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
use sqlx::mysql::{MySqlArguments, MySqlDatabaseError, MySqlRow};
use sqlx::query::Query;
use sqlx::{Executor, MySql, MySqlConnection, Row};

use super::server::{ServerColumn, with_timeout};
use super::{CHUNK_SIZE, Column, LimitedStore, Result, SourceError, quote_identifier};
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

/// The numbers of the errors for a name that no table can have, and for a table or a database that does not exist.
const NO_TABLE_ERRORS: [u16; 5] = [1049, 1059, 1102, 1103, 1146];

const INTEGER_TYPES: [&str; 6] = ["tinyint", "smallint", "mediumint", "int", "integer", "bigint"];

const BYTE_STRING_TYPES: [&str; 6] = ["binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"];

/// Further types whose values the server returns as bytes.
const OTHER_BINARY_TYPES: &str = "bit geometry point linestring polygon multipoint multilinestring multipolygon \
                                  geometrycollection geomcollection vector";

pub(super) struct ColumnQueries {
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

    async fn begin(connection: &mut MySqlConnection, column: &Column) -> Result<Self> {
        for statement in [SETTINGS, SET_ISOLATION_LEVEL, BEGIN_TRANSACTION] {
            with_timeout(connection.execute(statement)).await?;
        }
        Self::prepare(connection, column).await
    }

    async fn has_value(&self, connection: &mut MySqlConnection, key: &str) -> Result<bool> {
        let query = self.bind_key(sqlx::query(&self.has_value), key);
        let row = with_timeout(query.fetch_optional(connection)).await?;
        Ok(row.map(|row| row.try_get::<i64, _>(0)).transpose()?.is_some_and(|has_value| has_value != 0))
    }

    async fn copy_value(
        &self,
        connection: &mut MySqlConnection,
        key: &str,
        store: &mut LimitedStore,
    ) -> Result<StagedFile> {
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
    async fn prepare(connection: &mut MySqlConnection, column: &Column) -> Result<Self> {
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
fn parse_chunk_row(row: &MySqlRow) -> Result<(u64, &[u8])> {
    let start: i64 = row.try_get(0)?;
    let chunk: Option<&[u8]> = row.try_get_unchecked(1)?;
    // The server returns null instead of a text that is longer than one of its limits.
    let chunk =
        chunk.ok_or_else(|| SourceError::Unavailable("the server cannot convert a value to bytes".to_owned()))?;
    Ok((u64::try_from(start).unwrap_or_default(), chunk))
}

struct ColumnInfo {
    name: String,
    /// The name of the type in lowercase, without its length and attributes.
    base_type: String,
    /// The collation of a text; `None` for other types.
    collation: Option<String>,
}

impl ColumnInfo {
    /// Reads the columns of a table. Returns `None` if the table does not exist.
    async fn of_table(connection: &mut MySqlConnection, table: &str) -> Result<Option<Vec<Self>>> {
        let show = format!("SHOW FULL COLUMNS FROM {table}");
        let rows = connection.fetch(&*show).try_collect::<Vec<_>>();
        match with_timeout(async { Ok(rows.await) }).await? {
            Err(error) if is_no_table(&error) => Ok(None),
            rows => Ok(Some(rows?.iter().map(Self::parse).collect::<Result<_, _>>()?)),
        }
    }

    fn parse(row: &MySqlRow) -> Result<Self, sqlx::Error> {
        let declared_type: String = row.try_get_unchecked("Type")?;
        let end = declared_type.find(|char: char| !char.is_ascii_alphanumeric()).unwrap_or(declared_type.len());
        Ok(Self {
            name: row.try_get_unchecked("Field")?,
            base_type: declared_type[..end].to_ascii_lowercase(),
            collation: row.try_get_unchecked("Collation")?,
        })
    }

    /// Returns an SQL expression for the value of the column as bytes. The result of `CAST` would be null if it were
    /// longer than `max_allowed_packet`.
    fn bytes(&self) -> String {
        let name = quote_identifier(&self.name, '`');
        let base_type = &*self.base_type;
        if BYTE_STRING_TYPES.contains(&base_type) || OTHER_BINARY_TYPES.split(' ').any(|other| other == base_type) {
            format!("CONVERT({name} USING binary)")
        } else {
            format!("CONVERT(CONVERT({name} USING utf8mb4) USING binary)")
        }
    }

    /// Returns an SQL condition for the row with a key, and the number of its placeholders for the text of the key.
    ///
    /// MySQL compares texts in the collation of a column, which may ignore case and trailing blanks, and it converts a
    /// text to a number when it compares the two, so that `'1abc' = 1` is true. Here, a text is the key of a row only
    /// if it equals the text of the key byte for byte. The operator of MySQL is used too, because it uses the index.
    fn key_condition(&self) -> (String, usize) {
        let name = quote_identifier(&self.name, '`');
        if INTEGER_TYPES.contains(&&*self.base_type) {
            // The sum has no leading zeros, which a column with the attribute ZEROFILL has.
            return (format!("{name} = ? AND CONVERT({name} + 0 USING binary) = CONVERT(? USING binary)"), 2);
        }
        let is_equal = format!("{} = CONVERT(? USING binary)", self.bytes());
        let charset = self.collation.as_deref().and_then(|collation| collation.split_once('_'));
        let indexed = match (&self.collation, charset) {
            // The names of collations and of character sets come from the server. They contain no special characters.
            (Some(collation), Some((charset, _))) => format!("{name} = CONVERT(? USING {charset}) COLLATE {collation}"),
            _ if BYTE_STRING_TYPES.contains(&&*self.base_type) => format!("{name} = CONVERT(? USING binary)"),
            _ => return (is_equal, 1),
        };
        (format!("{indexed} AND {is_equal}"), 2)
    }
}

async fn primary_key(connection: &mut MySqlConnection, column: &Column, table: &str) -> Result<String> {
    let show = format!("SHOW KEYS FROM {table} WHERE Key_name = 'PRIMARY'");
    let rows = with_timeout(connection.fetch(&*show).try_collect::<Vec<_>>()).await?;
    let names: Vec<String> = rows.iter().map(|row| row.try_get_unchecked("Column_name")).collect::<Result<_, _>>()?;
    column.single_key(names, String::clone)
}

fn is_no_table(error: &sqlx::Error) -> bool {
    let error = error.as_database_error().and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>());
    error.is_some_and(|error| NO_TABLE_ERRORS.contains(&error.number()))
}
