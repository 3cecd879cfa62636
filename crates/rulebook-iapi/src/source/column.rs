//! Names of database columns, as a definition lists them.

use std::fmt;

use super::SourceError;

/// A column of a table: `table.column`, or `schema.table.column`. The database determines whether names are
/// case-sensitive. Names that contain a dot are not supported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(super) schema: Option<String>,
    pub(super) table: String,
    pub(super) name: String,
}

impl Column {
    /// Parses the name of a column; `None` if the text does not have one of the two forms.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (table, name) = text.rsplit_once('.')?;
        let (schema, table) = match table.split_once('.') {
            Some((schema, table)) => (Some(schema), table),
            None => (None, table),
        };
        let parts = [schema.unwrap_or("-"), table, name];
        let is_valid = parts.iter().all(|part| !part.is_empty() && !part.contains(['.', '\0']));
        is_valid.then(|| Self { schema: schema.map(str::to_owned), table: table.to_owned(), name: name.to_owned() })
    }

    pub(super) fn missing(&self, name: &str) -> SourceError {
        SourceError::NoColumn { table: self.to_string(), column: name.to_owned() }
    }

    /// Returns the only one of the columns of the table's primary key. `name` returns the name of such a column.
    ///
    /// # Errors
    /// Fails if there are none or several: then a single value does not identify a row.
    pub(super) fn single_key<T>(&self, mut keys: Vec<T>, name: impl Fn(&T) -> String) -> Result<T, SourceError> {
        match (keys.pop(), keys.is_empty()) {
            (None, _) => Err(SourceError::NoPrimaryKey(self.to_string())),
            (Some(key), true) => Ok(key),
            (Some(key), false) => {
                keys.push(key);
                let columns = keys.iter().map(name).collect();
                Err(SourceError::CompositePrimaryKey { table: self.to_string(), columns })
            }
        }
    }

    /// Returns the name of the table with its schema, quoted for SQL.
    #[cfg(feature = "servers")]
    pub(super) fn quoted_table(&self, quote: char) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quote_identifier(schema, quote), quote_identifier(&self.table, quote)),
            None => quote_identifier(&self.table, quote),
        }
    }
}

impl fmt::Display for Column {
    /// Formats the name of the table with its schema, without the name of the column.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.table),
            None => f.write_str(&self.table),
        }
    }
}

/// Quotes an identifier for SQL. `quote` is `"` in standard SQL, which SQLite and PostgreSQL use, and a backtick for
/// MySQL, which accepts it in every SQL mode.
pub(super) fn quote_identifier(name: &str, quote: char) -> String {
    format!("{quote}{}{quote}", name.replace(quote, &String::from_iter([quote, quote])))
}
