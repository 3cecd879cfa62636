//! Names of database columns, as a definition lists them.

use std::fmt;

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

#[cfg(test)]
mod tests {
    use super::{Column, quote_identifier};

    #[test]
    fn schema_table_and_column_are_separated_by_dots() {
        let parts = |text| Column::parse(text).map(|column| (column.schema, column.table, column.name));
        let two = ("user_info".to_owned(), "intro_json".to_owned());
        assert_eq!(parts("user_info.intro_json"), Some((None, two.0.clone(), two.1.clone())));
        assert_eq!(parts("public.user_info.intro_json"), Some((Some("public".to_owned()), two.0, two.1)));
        for text in ["", "intro", ".intro", "user_info.", "a..b", ".a.b", "a.b.c.d", "a.b\0"] {
            assert_eq!(parts(text), None, "{text:?}");
        }
    }

    #[test]
    fn quotes_in_identifiers_are_escaped() {
        assert_eq!(quote_identifier("a\" FROM `b`; --", '"'), "\"a\"\" FROM `b`; --\"");
        assert_eq!(quote_identifier("a` FROM \"b\"; --", '`'), "`a`` FROM \"b\"; --`");
    }
}
