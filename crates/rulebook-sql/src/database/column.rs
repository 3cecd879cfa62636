//! The columns of a prepared statement.

/// A column of the result of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub name: String,
    pub r#type: ColumnType,
}

/// The type of a column, as far as the database reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ColumnType {
    /// The database does not report the type, or the column contains values of any type.
    Unknown,
    Integer {
        /// `true` if 0 and 1 can be booleans, because the database has no booleans.
        is_boolean: bool,
    },
    Float,
    /// A decimal number, which may have more digits than a float.
    Decimal,
    Bool,
    Text,
    Json,
    /// A date, a time or both.
    Time,
    Array,
    Binary,
    /// A type that cannot be converted to JSON.
    Unsupported(String),
}

impl ColumnType {
    pub(crate) fn in_words(&self) -> &'static str {
        match self {
            Self::Unknown | Self::Unsupported(_) => "any value",
            Self::Integer { .. } => "a whole number",
            Self::Float => "a number",
            Self::Decimal => "a decimal number",
            Self::Bool => "a boolean",
            Self::Text => "a text",
            Self::Json => "a JSON value",
            Self::Time => "a date or time, which becomes a text",
            Self::Array => "an array",
            Self::Binary => "binary data",
        }
    }
}
