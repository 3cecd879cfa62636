//! SQLite.

use std::fs::OpenOptions;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use rulebook::handler_kind::HandlerError;
use sqlx::error::{BoxDynError, DatabaseError};
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow, SqliteTypeInfo,
};
use sqlx::{Arguments, ConnectOptions, Decode, Executor, Row, Sqlite, TypeInfo, ValueRef};
use tokio::time::sleep;

use super::prepared::{UNREAD_FILE, columns, statement_error};
use super::{Binding, Column, ColumnType, PrepareError, Prepared};
use crate::column::RawValue;
use crate::statement::Statement;
use crate::value::{NamedValue, SqlValue, Target};

/// SQLite's primary code for a file that another connection has locked. The higher bits of a code say more.
const SQLITE_BUSY: i32 = 5;
/// A statement without rows, which makes the connection read the schema again if it has changed. SQLite prepares the
/// statement that follows with the columns that it then has.
const READ_SCHEMA: &str = "select 1 from sqlite_master limit 0;";
/// The number of attempts to open a connection, and the time between them.
const CONNECT_ATTEMPTS: u32 = 50;
const CONNECT_RETRY_INTERVAL: Duration = Duration::from_millis(20);

/// A relative path is relative to the data folder. `wait` is the maximum time for which a statement waits for a lock.
pub(super) fn options(url: &str, data_folder: &Path, wait: Duration) -> Result<SqliteConnectOptions, sqlx::Error> {
    let options = SqliteConnectOptions::from_str(url)?;
    let file = data_folder.join(options.get_filename());
    create_file(&file);
    let options = options.filename(file).create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
    Ok(options.foreign_keys(true).busy_timeout(wait).disable_statement_logging())
}

/// Opens a connection. While other programs open a new file, SQLite refuses to enable the write-ahead log without
/// waiting for its locks, so that this function tries again.
pub(super) async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection, sqlx::Error> {
    for _ in 1..CONNECT_ATTEMPTS {
        match options.connect().await {
            Err(error) if is_locked(&error) => sleep(CONNECT_RETRY_INTERVAL).await,
            result => return result,
        }
    }
    options.connect().await
}

fn is_locked(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.and_then(|code| code.parse::<i32>().ok()).is_some_and(|code| code & 0xff == SQLITE_BUSY)
}

/// Creates an empty database if the file does not exist. Only the user of the server can read it; SQLite gives its
/// other files the same permissions.
fn create_file(file: &Path) {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // If the file cannot be created, SQLite cannot open it, and reports the error.
    let _ = options.open(file);
}

/// A row that refers to a missing one: its table, its number, the other table, and the number of the foreign key.
pub(crate) type Violation = (String, Option<i64>, String, i64);

/// Returns the rows that refer to missing ones. The foreign keys of a table that are not valid, such as those to a
/// column that is not unique, count as one row, whose other table is the reason.
pub(super) async fn violations(connection: &mut SqliteConnection) -> Result<Vec<Violation>, sqlx::Error> {
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut *connection).await?;
    let mut rows = Vec::new();
    for table in tables {
        let check =
            sqlx::query_as("SELECT \"table\", rowid, parent, fkid FROM pragma_foreign_key_check(?)").bind(&table);
        match check.fetch_all(&mut *connection).await {
            Ok(found) => rows.extend(found),
            Err(sqlx::Error::Database(error)) => rows.push((table, None, error.message().to_owned(), 0)),
            Err(error) => return Err(error),
        }
    }
    // A key to a table that does not exist is not checked as long as no row has a value.
    let missing = "SELECT m.name, NULL, f.\"table\", f.id FROM sqlite_master m, pragma_foreign_key_list(m.name) f \
                   WHERE m.type = 'table' AND lower(f.\"table\") NOT IN \
                   (SELECT lower(name) FROM sqlite_master WHERE type = 'table')";
    rows.sort();
    rows.extend(sqlx::query_as::<_, Violation>(missing).fetch_all(&mut *connection).await?);
    Ok(rows)
}

pub(super) async fn prepare(
    connection: &mut SqliteConnection,
    statement: &Statement,
    values: &[NamedValue],
) -> Result<Prepared, PrepareError> {
    let rendered = statement.render(|_, name| name, |position, _| format!("?{}", position + 1));
    let prepared = connection.prepare(&rendered.sql).await;
    let prepared = prepared.map_err(|error| statement_error(error, statement, &rendered, None))?;
    let mut prepared = Prepared::new(&prepared, statement, &rendered, values, column)?;
    if statement.has_open_columns && prepared.returns_rows() {
        prepared.has_open_columns = true;
        prepared.sql.insert_str(0, READ_SCHEMA);
    }
    let too_large = statement.names().enumerate().filter(|(_, name)| values[*name].exceeds_i64);
    let errors: Vec<HandlerError> =
        too_large.map(|(index, name)| values[name].range_error().at(statement.parameter_span(index))).collect();
    if errors.is_empty() { Ok(prepared) } else { Err(PrepareError::Definition(errors)) }
}

pub(super) async fn describe(connection: &mut SqliteConnection, sql: &str) -> Result<Vec<Column>, sqlx::Error> {
    let prepared = connection.prepare(sql.strip_prefix(READ_SCHEMA).unwrap_or(sql)).await?;
    Ok(columns(&prepared, column))
}

fn column(name: &str, info: &SqliteTypeInfo) -> Column {
    Column::new(name, column_type(info))
}

/// Returns the type with which a column was declared. Expressions have no declared type.
fn column_type(info: &SqliteTypeInfo) -> ColumnType {
    match info.name() {
        // Every column has 64 bits, also one with the ids of a table.
        "INTEGER" | "BOOLEAN" => ColumnType::Integer { is_boolean: true, exceeds_id: false },
        "REAL" => ColumnType::Float,
        "TEXT" => ColumnType::Text,
        "BLOB" => ColumnType::Binary,
        _ => ColumnType::Unknown,
    }
}

/// Returns a statement with the values of a call.
pub(super) fn query<'q>(
    prepared: &'q Prepared,
    values: &[SqlValue],
) -> Result<Query<'q, Sqlite, SqliteArguments<'q>>, sqlx::Error> {
    let mut arguments = SqliteArguments::default();
    for bound in &prepared.bound {
        match &values[bound.value] {
            value if bound.binding == Binding::Json => arguments.add(value.json_text()),
            SqlValue::Null => arguments.add(None::<i64>),
            SqlValue::Bool(bool) => arguments.add(*bool),
            SqlValue::Int(int) => arguments.add(*int),
            // Only a value of any type can be so large.
            SqlValue::Uint(uint) => arguments.add(*uint as f64),
            SqlValue::Float(float) => arguments.add(*float),
            SqlValue::Text(text) | SqlValue::Decimal(text) => arguments.add(text.clone()),
            SqlValue::Nested(json) => arguments.add(json.to_string()),
            SqlValue::Bytes(bytes) => arguments.add(bytes.clone()),
            SqlValue::File(_) => Err(UNREAD_FILE.into()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(sqlx::query_with(&prepared.sql, arguments))
}

pub(super) fn decode(row: &SqliteRow, index: usize, target: Target) -> Result<RawValue, BoxDynError> {
    let value = row.try_get_raw(index)?;
    if value.is_null() {
        return Ok(RawValue::Null);
    }
    let info = value.type_info().into_owned();
    Ok(match info.name() {
        "INTEGER" => RawValue::Int(<i64 as Decode<'_, Sqlite>>::decode(value)?),
        "REAL" => RawValue::Float(<f64 as Decode<'_, Sqlite>>::decode(value)?),
        "TEXT" if target != Target::Binary => RawValue::from_text(<&[u8] as Decode<'_, Sqlite>>::decode(value)?),
        _ => RawValue::Bytes(<&[u8] as Decode<'_, Sqlite>>::decode(value)?.to_vec()),
    })
}
