//! Copies values from an SQLite file to files.
//!
//! Values of ordinary tables are read in chunks with SQLite's incremental blob I/O, which identifies rows by their
//! rowids. Incremental blob I/O does not support tables without rowids or with generated columns, virtual tables,
//! numbers, and text in a database with the encoding UTF-16. In these cases, a value is read as a whole if it has at
//! most [`MAX_LEN_IN_MEMORY`] bytes.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, DatabaseName, OpenFlags, OptionalExtension, Row};

use super::{CHUNK_SIZE, Column, LimitedStore, Result, SourceError, quote_identifier};
use rulebook::store::StagedFile;

/// Maximum length in bytes of a value that is read as a whole.
const MAX_LEN_IN_MEMORY: u64 = 16 << 20;

/// Maximum time to wait while another connection that writes has locked the database. In WAL mode, reading does not
/// wait for other connections.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// The names by which SQL can refer to the rowid. If a column of the table has one of these names, the name refers to
/// the column instead.
const ROWID_NAMES: [&str; 3] = ["rowid", "_rowid_", "oid"];

/// The name of the schema that contains the tables of the file.
const MAIN_SCHEMA: &str = "main";

enum ReadMethod {
    /// Incremental blob I/O on the row with this rowid.
    Incremental(i64),
    WholeValue,
}

/// A column to read, and what reading it requires: the primary key and the rowid of its table.
struct SourceColumn<'c> {
    column: &'c Column,
    /// The name of the primary key's column, quoted for SQL.
    key: String,
    /// A name of the rowid; `None` if the table does not support incremental blob I/O.
    rowid: Option<&'static str>,
    is_utf8: bool,
}

pub(super) fn copy_values(
    file: &Path,
    column: &Column,
    keys: &[String],
    store: &mut LimitedStore,
) -> Result<Vec<StagedFile>> {
    // SQLite interprets a path that begins with `file:` as a URL. Therefore the path is made absolute.
    let file = std::path::absolute(file).map_err(|error| SourceError::Unavailable(error.to_string()))?;
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // The transaction need not be committed, because it only reads.
    let transaction = connection.unchecked_transaction()?;
    let table = SourceColumn::from_schema(&transaction, column)?;
    let methods = super::require_all_values(keys, table.read_methods(&transaction, keys)?)?;
    let mut chunk = vec![0; CHUNK_SIZE];
    let copied =
        keys.iter().zip(methods).map(|(key, method)| table.copy_value(&transaction, key, &method, &mut chunk, store));
    copied.collect()
}

impl<'c> SourceColumn<'c> {
    fn from_schema(connection: &Connection, column: &'c Column) -> Result<Self> {
        let sql = "SELECT type = 'table' AND NOT wr FROM pragma_table_list(?1) WHERE schema = 'main'";
        let is_main = column.schema.as_ref().is_none_or(|schema| schema.eq_ignore_ascii_case(MAIN_SCHEMA));
        let is_rowid_table =
            if is_main { connection.query_row(sql, [&column.table], |row| row.get(0)).optional()? } else { None };
        let has_rowid: bool = is_rowid_table.ok_or_else(|| SourceError::NoTable(column.to_string()))?;
        let columns = table_columns(connection, &column.table)?;
        if !columns.iter().any(|other| other.has_name(&column.name)) {
            return Err(column.missing(&column.name));
        }
        let keys = columns.iter().filter(|column| column.is_primary_key).collect();
        let key = column.single_key(keys, |key: &&ColumnInfo| key.name.clone())?;
        let key = quote_identifier(&key.name, '"');
        let is_unused = |name: &&str| !columns.iter().any(|column| column.has_name(name));
        let is_incremental = has_rowid && columns.iter().all(|column| !column.is_generated);
        let rowid = if is_incremental { ROWID_NAMES.into_iter().find(is_unused) } else { None };
        let encoding: String = connection.query_row("PRAGMA encoding", (), |row| row.get(0))?;
        Ok(Self { column, key, rowid, is_utf8: encoding == "UTF-8" })
    }

    /// Returns a query that evaluates SQL expressions for the row with the primary key ?1.
    fn select_by_key(&self, expressions: &str) -> String {
        format!(
            "SELECT {expressions} FROM {MAIN_SCHEMA}.{} WHERE {} = ?1",
            quote_identifier(&self.column.table, '"'),
            self.key
        )
    }

    /// Returns the method by which the value for each key is read; `None` if the key has no value. This function does
    /// not read the values.
    fn read_methods(&self, connection: &Connection, keys: &[String]) -> Result<Vec<Option<ReadMethod>>> {
        let (rowid, value) = (self.rowid.unwrap_or("NULL"), quote_identifier(&self.column.name, '"'));
        let sql = self.select_by_key(&format!("{rowid}, typeof({value}), octet_length({value})"));
        let mut statement = connection.prepare(&sql)?;
        let method = |key: &String| {
            let found = statement.query_row([key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
            found.map_or(Ok(None), |(rowid, kind, length): (_, String, _)| self.read_method(rowid, &kind, length))
        };
        keys.iter().map(method).collect()
    }

    /// Returns the method by which a value is read; `None` if it is null, whose length is null too.
    fn read_method(&self, rowid: Option<i64>, kind: &str, length: Option<u64>) -> Result<Option<ReadMethod>> {
        let Some(length) = length else { return Ok(None) };
        let is_incremental = kind == "blob" || (kind == "text" && self.is_utf8);
        match rowid.filter(|_| is_incremental) {
            Some(rowid) => Ok(Some(ReadMethod::Incremental(rowid))),
            None if length > MAX_LEN_IN_MEMORY => Err(SourceError::ValueTooLarge(MAX_LEN_IN_MEMORY)),
            None => Ok(Some(ReadMethod::WholeValue)),
        }
    }

    fn copy_value(
        &self,
        connection: &Connection,
        key: &str,
        method: &ReadMethod,
        chunk: &mut [u8],
        store: &mut LimitedStore,
    ) -> Result<StagedFile> {
        let mut writer = store.new_writer()?;
        match method {
            ReadMethod::Incremental(rowid) => {
                let Column { table, name, .. } = self.column;
                let mut blob = connection.blob_open(DatabaseName::Main, table, name, *rowid, true)?;
                loop {
                    let read = blob.read(chunk).map_err(|error| SourceError::Unavailable(error.to_string()))?;
                    if read == 0 {
                        break;
                    }
                    store.append(&mut writer, &chunk[..read])?;
                }
            }
            ReadMethod::WholeValue => {
                let value = quote_identifier(&self.column.name, '"');
                let sql = self.select_by_key(&format!(
                    "CASE typeof({value}) WHEN 'blob' THEN {value} ELSE CAST({value} AS TEXT) END"
                ));
                let mut statement = connection.prepare_cached(&sql)?;
                let mut rows = statement.query([key])?;
                let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
                match row.get_ref(0)? {
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => store.append(&mut writer, bytes)?,
                    other => {
                        let kind = other.data_type();
                        return Err(rusqlite::Error::InvalidColumnType(0, "value".to_owned(), kind).into());
                    }
                }
            }
        }
        store.finish(writer)
    }
}

struct ColumnInfo {
    name: String,
    is_primary_key: bool,
    is_generated: bool,
}

impl ColumnInfo {
    /// Returns `true` if the column has this name. SQLite ignores the case of ASCII letters in names.
    fn has_name(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

fn table_columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<ColumnInfo>> {
    let mut statement =
        connection.prepare("SELECT name, pk > 0, hidden IN (2, 3) FROM pragma_table_xinfo(?1, 'main')")?;
    let info =
        |row: &Row<'_>| Ok(ColumnInfo { name: row.get(0)?, is_primary_key: row.get(1)?, is_generated: row.get(2)? });
    statement.query_map([table], info)?.collect()
}

impl From<rusqlite::Error> for SourceError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}
