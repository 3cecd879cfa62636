//! Copying values from an SQLite file.
//!
//! Values of ordinary tables are read in chunks with SQLite's incremental blob I/O, which identifies rows by their
//! rowids. It does not support tables without rowids or with generated columns, virtual tables, numbers, and text in a
//! database with the encoding UTF-16: such values are read as a whole, up to [`MAX_LEN_IN_MEMORY`] bytes.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, DatabaseName, OpenFlags, OptionalExtension, Row};

use super::column::quoted;
use super::{CHUNK, Column, LimitedStore, SourceError};
use rulebook::store::StagedFile;

/// Maximum length in bytes of a value that is read as a whole.
const MAX_LEN_IN_MEMORY: u64 = 16 << 20;

/// Maximum time to wait while a writer locks the database. In WAL mode, writers and readers do not wait for each other;
/// in other modes, writers also wait for this reader.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// The names of the rowid. A column with such a name hides the rowid under that name.
const ROWIDS: [&str; 3] = ["rowid", "_rowid_", "oid"];

/// The name of the schema that contains the tables of the file.
const MAIN: &str = "main";

/// How a value is read.
enum ReadMethod {
    /// Incremental blob I/O on the row with this rowid.
    Incremental(i64),
    /// A query that returns the whole value.
    Whole,
}

/// A table and its primary key.
struct Table<'c> {
    column: &'c Column,
    /// The column of the primary key, quoted.
    key: String,
    /// The name of the rowid, if values can be read incrementally.
    rowid: Option<&'static str>,
    /// If `true`, text is stored in UTF-8.
    is_utf8: bool,
}

pub(super) fn copy(
    file: &Path,
    column: &Column,
    keys: &[String],
    store: &mut LimitedStore,
) -> Result<Vec<StagedFile>, SourceError> {
    // SQLite interprets paths that begin with `file:` as URLs. An absolute path does not.
    let file = std::path::absolute(file).map_err(|error| SourceError::Unavailable(error.to_string()))?;
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // The transaction only reads and is never committed.
    let transaction = connection.unchecked_transaction()?;
    let table = Table::find(&transaction, column)?;
    let methods = super::require_all(keys, table.read_methods(&transaction, keys)?)?;
    let mut chunk = vec![0; CHUNK];
    let copied =
        keys.iter().zip(methods).map(|(key, method)| table.copy(&transaction, key, &method, &mut chunk, store));
    copied.collect()
}

impl<'c> Table<'c> {
    fn find(connection: &Connection, column: &'c Column) -> Result<Self, SourceError> {
        let sql = "SELECT type = 'table' AND NOT wr FROM pragma_table_list(?1) WHERE schema = 'main'";
        let is_main = column.schema.as_ref().is_none_or(|schema| schema.eq_ignore_ascii_case(MAIN));
        let is_rowid_table =
            if is_main { connection.query_row(sql, [&column.table], |row| row.get(0)).optional()? } else { None };
        let is_ordinary: bool = is_rowid_table.ok_or_else(|| SourceError::NoTable(column.to_string()))?;
        let columns = columns(connection, &column.table)?;
        if !columns.iter().any(|other| other.is(&column.name)) {
            return Err(SourceError::NoColumn { table: column.to_string(), column: column.name.clone() });
        }
        let keys: Vec<_> = columns.iter().filter(|column| column.is_key).collect();
        let key = match keys[..] {
            [] => return Err(SourceError::NoKey(column.to_string())),
            [key] => quoted(&key.name),
            _ => {
                let columns = keys.into_iter().map(|key| key.name.clone()).collect();
                return Err(SourceError::SeveralKeys { table: column.to_string(), columns });
            }
        };
        let is_unused = |name: &&str| !columns.iter().any(|column| column.is(name));
        let is_incremental = is_ordinary && columns.iter().all(|column| !column.is_generated);
        let rowid = if is_incremental { ROWIDS.into_iter().find(is_unused) } else { None };
        let encoding: String = connection.query_row("PRAGMA encoding", (), |row| row.get(0))?;
        Ok(Self { column, key, rowid, is_utf8: encoding == "UTF-8" })
    }

    /// Returns a query that evaluates these expressions for the row with the key ?1.
    fn select(&self, expressions: &str) -> String {
        format!("SELECT {expressions} FROM {MAIN}.{} WHERE {} = ?1", quoted(&self.column.table), self.key)
    }

    /// Returns how the value of each key is read; `None` if the key has no value. The values themselves are not read.
    fn read_methods(&self, connection: &Connection, keys: &[String]) -> Result<Vec<Option<ReadMethod>>, SourceError> {
        let (rowid, value) = (self.rowid.unwrap_or("NULL"), quoted(&self.column.name));
        let sql = self.select(&format!("{rowid}, typeof({value}), octet_length({value})"));
        let mut statement = connection.prepare(&sql)?;
        let method =
            |key: &String| statement.query_row([key], |row| self.read_method(row)).optional()?.unwrap_or(Ok(None));
        keys.iter().map(method).collect()
    }

    fn read_method(&self, row: &Row<'_>) -> rusqlite::Result<Result<Option<ReadMethod>, SourceError>> {
        let (rowid, kind): (Option<i64>, String) = (row.get(0)?, row.get(1)?);
        let is_incremental = match kind.as_str() {
            "null" => return Ok(Ok(None)),
            "blob" => true,
            "text" => self.is_utf8,
            _ => false,
        };
        if let Some(rowid) = rowid.filter(|_| is_incremental) {
            return Ok(Ok(Some(ReadMethod::Incremental(rowid))));
        }
        let length: u64 = row.get(2)?;
        Ok(if length > MAX_LEN_IN_MEMORY {
            Err(SourceError::ValueTooLarge(MAX_LEN_IN_MEMORY))
        } else {
            Ok(Some(ReadMethod::Whole))
        })
    }

    fn copy(
        &self,
        connection: &Connection,
        key: &str,
        method: &ReadMethod,
        chunk: &mut [u8],
        store: &mut LimitedStore,
    ) -> Result<StagedFile, SourceError> {
        let mut writer = store.writer()?;
        match method {
            ReadMethod::Incremental(rowid) => {
                let Column { table, name, .. } = self.column;
                let mut blob = connection.blob_open(DatabaseName::Main, table, name, *rowid, true)?;
                loop {
                    let read = blob.read(chunk).map_err(|error| SourceError::Unavailable(error.to_string()))?;
                    if read == 0 {
                        break;
                    }
                    store.write(&mut writer, &chunk[..read])?;
                }
            }
            ReadMethod::Whole => {
                let value = quoted(&self.column.name);
                let sql = self
                    .select(&format!("CASE typeof({value}) WHEN 'blob' THEN {value} ELSE CAST({value} AS TEXT) END"));
                let mut statement = connection.prepare_cached(&sql)?;
                let mut rows = statement.query([key])?;
                let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
                match row.get_ref(0)? {
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => store.write(&mut writer, bytes)?,
                    other => return Err(unexpected(other.data_type()).into()),
                }
            }
        }
        store.finish(writer)
    }
}

fn unexpected(kind: Type) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(0, "value".to_owned(), kind)
}

/// A column in the schema of the database.
struct ColumnInfo {
    name: String,
    is_key: bool,
    is_generated: bool,
}

impl ColumnInfo {
    /// Returns `true` if the column has this name, as SQLite compares names.
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<ColumnInfo>> {
    let mut statement =
        connection.prepare("SELECT name, pk > 0, hidden IN (2, 3) FROM pragma_table_xinfo(?1, 'main')")?;
    let info = |row: &Row<'_>| Ok(ColumnInfo { name: row.get(0)?, is_key: row.get(1)?, is_generated: row.get(2)? });
    statement.query_map([table], info)?.collect()
}

impl From<rusqlite::Error> for SourceError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}
