//! Values of an SQLite file.
//!
//! A value of an ordinary table is read in pieces, by SQLite's incremental blob reading, which knows rows by their rowid.
//! Tables without rowids or with generated columns, virtual tables, numbers, and texts of a database in UTF-16 are not
//! read so: those values come whole, up to [`WHOLE`].

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, DatabaseName, OpenFlags, OptionalExtension, Row};

use super::column::quoted;
use super::{Column, PIECE, Room, SourceError};
use crate::store::Staged;

/// The most bytes of a value that comes whole.
const WHOLE: u64 = 16 << 20;

/// How long a writer that keeps readers out is waited for. In WAL mode there is none; in the other modes writers wait
/// for this reader, which is another reason for that one.
const PATIENCE: Duration = Duration::from_secs(2);

/// By what names a rowid goes, unless a column has them.
const ROWIDS: [&str; 3] = ["rowid", "_rowid_", "oid"];

/// The schema of a file's own tables. There is no other.
const MAIN: &str = "main";

/// How a value is read.
enum Way {
    /// In pieces, at this rowid.
    Pieces(i64),
    /// Whole.
    Whole,
}

/// A table with its primary key.
struct Table<'c> {
    column: &'c Column,
    /// The column of its primary key, quoted.
    key: String,
    /// What its rowids are called, where its values can be read by them.
    rowid: Option<&'static str>,
    /// Whether its texts are stored as they are written.
    utf8: bool,
}

pub(super) fn copy(file: &Path, column: &Column, keys: &[String], room: &mut Room) -> Result<Vec<Staged>, SourceError> {
    // What looks like a URL is none.
    let file = std::path::absolute(file).map_err(|error| SourceError::Gone(error.to_string()))?;
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(PATIENCE)?;
    // Never committed: nothing is written.
    let transaction = connection.unchecked_transaction()?;
    let table = Table::find(&transaction, column)?;
    let ways = super::all(keys, table.ways(&transaction, keys)?)?;
    let mut piece = vec![0; PIECE];
    keys.iter().zip(ways).map(|(key, way)| table.copy(&transaction, key, &way, &mut piece, room)).collect()
}

impl<'c> Table<'c> {
    fn find(connection: &Connection, column: &'c Column) -> Result<Self, SourceError> {
        let sql = "SELECT type = 'table' AND NOT wr FROM pragma_table_list(?1) WHERE schema = 'main'";
        let here = column.schema.as_ref().is_none_or(|schema| schema.eq_ignore_ascii_case(MAIN));
        let found = if here { connection.query_row(sql, [&column.table], |row| row.get(0)).optional()? } else { None };
        let ordinary: bool = found.ok_or_else(|| SourceError::NoTable(column.to_string()))?;
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
        let free = |name: &&str| !columns.iter().any(|column| column.is(name));
        let plain = ordinary && columns.iter().all(|column| !column.is_generated);
        let rowid = if plain { ROWIDS.into_iter().find(free) } else { None };
        let encoding: String = connection.query_row("PRAGMA encoding", (), |row| row.get(0))?;
        Ok(Self { column, key, rowid, utf8: encoding == "UTF-8" })
    }

    /// The expressions of the row that has the key ?1.
    fn select(&self, expressions: &str) -> String {
        format!("SELECT {expressions} FROM {MAIN}.{} WHERE {} = ?1", quoted(&self.column.table), self.key)
    }

    /// How the value of each key is read; none where it has none. Nothing is read of the values themselves.
    fn ways(&self, connection: &Connection, keys: &[String]) -> Result<Vec<Option<Way>>, SourceError> {
        let (rowid, value) = (self.rowid.unwrap_or("NULL"), quoted(&self.column.name));
        let sql = self.select(&format!("{rowid}, typeof({value}), octet_length({value})"));
        let mut statement = connection.prepare(&sql)?;
        let way = |key: &String| statement.query_row([key], |row| self.way(row)).optional()?.unwrap_or(Ok(None));
        keys.iter().map(way).collect()
    }

    fn way(&self, row: &Row<'_>) -> rusqlite::Result<Result<Option<Way>, SourceError>> {
        let (rowid, kind): (Option<i64>, String) = (row.get(0)?, row.get(1)?);
        let in_pieces = match kind.as_str() {
            "null" => return Ok(Ok(None)),
            "blob" => true,
            "text" => self.utf8,
            _ => false,
        };
        if let Some(rowid) = rowid.filter(|_| in_pieces) {
            return Ok(Ok(Some(Way::Pieces(rowid))));
        }
        let length: u64 = row.get(2)?;
        Ok(if length > WHOLE { Err(SourceError::TooLongAtOnce(WHOLE)) } else { Ok(Some(Way::Whole)) })
    }

    fn copy(
        &self,
        connection: &Connection,
        key: &str,
        way: &Way,
        piece: &mut [u8],
        room: &mut Room,
    ) -> Result<Staged, SourceError> {
        let mut writer = room.begin()?;
        match way {
            Way::Pieces(rowid) => {
                let Column { table, name, .. } = self.column;
                let mut blob = connection.blob_open(DatabaseName::Main, table, name, *rowid, true)?;
                loop {
                    let read = blob.read(piece).map_err(|error| SourceError::Gone(error.to_string()))?;
                    if read == 0 {
                        break;
                    }
                    room.write(&mut writer, &piece[..read])?;
                }
            }
            Way::Whole => {
                let value = quoted(&self.column.name);
                let sql = self
                    .select(&format!("CASE typeof({value}) WHEN 'blob' THEN {value} ELSE CAST({value} AS TEXT) END"));
                let mut statement = connection.prepare_cached(&sql)?;
                let mut rows = statement.query([key])?;
                let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
                match row.get_ref(0)? {
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => room.write(&mut writer, bytes)?,
                    other => return Err(unexpected(other.data_type()).into()),
                }
            }
        }
        room.end(writer)
    }
}

fn unexpected(kind: Type) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(0, "value".to_owned(), kind)
}

/// A column of a table, as the database has it.
struct Known {
    name: String,
    is_key: bool,
    is_generated: bool,
}

impl Known {
    /// Whether it is called so, as SQLite compares names.
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Known>> {
    let mut statement =
        connection.prepare("SELECT name, pk > 0, hidden IN (2, 3) FROM pragma_table_xinfo(?1, 'main')")?;
    let known = |row: &Row<'_>| Ok(Known { name: row.get(0)?, is_key: row.get(1)?, is_generated: row.get(2)? });
    statement.query_map([table], known)?.collect()
}

impl From<rusqlite::Error> for SourceError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Gone(error.to_string())
    }
}
