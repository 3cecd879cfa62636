//! The columns and the primary keys of tables in MySQL and MariaDB.
//!
//! MySQL compares texts in the collation of a column, which may ignore case and trailing blanks, and it converts a text
//! to a number when it compares the two, so that `'1abc' = 1` is true. Here, a text is the key of a row only if it
//! equals the text of the key byte for byte. The queries compare with the operator of MySQL too, because that
//! comparison uses the index of the primary key.

use futures_util::TryStreamExt;
use sqlx::mysql::{MySqlDatabaseError, MySqlRow};
use sqlx::{Executor, MySqlConnection, Row};

use super::column::quote_identifier;
use super::server::with_timeout;
use super::{Column, SourceError};

/// The numbers of the errors for a name that no table can have, and for a table or a database that does not exist.
const NO_TABLE_ERRORS: [u16; 5] = [1049, 1059, 1102, 1103, 1146];

const INTEGER_TYPES: [&str; 6] = ["tinyint", "smallint", "mediumint", "int", "integer", "bigint"];

const BYTE_STRING_TYPES: [&str; 6] = ["binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"];

/// Further types whose values the server returns as bytes.
const OTHER_BINARY_TYPES: &str = "bit geometry point linestring polygon multipoint multilinestring multipolygon \
                                  geometrycollection geomcollection vector";

/// What the database knows about a column of a table.
pub(super) struct ColumnInfo {
    pub(super) name: String,
    /// The name of the type in lowercase, without its length and attributes.
    base_type: String,
    /// The collation of a text; `None` for other types.
    collation: Option<String>,
}

impl ColumnInfo {
    /// Reads the columns of a table. Returns `None` if the table does not exist.
    pub(super) async fn of_table(
        connection: &mut MySqlConnection,
        table: &str,
    ) -> Result<Option<Vec<Self>>, SourceError> {
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
    pub(super) fn bytes(&self) -> String {
        let name = quote_identifier(&self.name, '`');
        let base_type = &*self.base_type;
        if BYTE_STRING_TYPES.contains(&base_type) || OTHER_BINARY_TYPES.split(' ').any(|other| other == base_type) {
            format!("CONVERT({name} USING binary)")
        } else {
            format!("CONVERT(CONVERT({name} USING utf8mb4) USING binary)")
        }
    }

    /// Returns an SQL condition for the row with a key, and the number of its placeholders for the text of the key.
    pub(super) fn key_condition(&self) -> (String, usize) {
        let name = quote_identifier(&self.name, '`');
        let is_equal = format!("{} = CONVERT(? USING binary)", self.bytes());
        let charset = self.collation.as_deref().and_then(|collation| collation.split_once('_'));
        // The server finds these comparisons in the index.
        let indexed = match (&self.collation, charset) {
            // The names of collations and of character sets come from the server. They contain no special characters.
            (Some(collation), Some((charset, _))) => format!("{name} = CONVERT(? USING {charset}) COLLATE {collation}"),
            _ if INTEGER_TYPES.contains(&&*self.base_type) => format!("{name} = ?"),
            _ if BYTE_STRING_TYPES.contains(&&*self.base_type) => format!("{name} = CONVERT(? USING binary)"),
            _ => return (is_equal, 1),
        };
        (format!("{indexed} AND {is_equal}"), 2)
    }
}

pub(super) async fn primary_key(
    connection: &mut MySqlConnection,
    column: &Column,
    table: &str,
) -> Result<String, SourceError> {
    let show = format!("SHOW KEYS FROM {table} WHERE Key_name = 'PRIMARY'");
    let rows = with_timeout(connection.fetch(&*show).try_collect::<Vec<_>>()).await?;
    let names: Vec<String> = rows.iter().map(|row| row.try_get_unchecked("Column_name")).collect::<Result<_, _>>()?;
    column.single_key(names, String::clone)
}

fn is_no_table(error: &sqlx::Error) -> bool {
    let error = error.as_database_error().and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>());
    error.is_some_and(|error| NO_TABLE_ERRORS.contains(&error.number()))
}
