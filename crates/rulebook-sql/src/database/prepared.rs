//! Statements that a database has prepared, and their columns.

use rulebook::handler_kind::HandlerError;
use serde_json::Value as Json;
use sqlx::{Column as _, Database, Either};

use crate::column::ColumnOutput;
use crate::statement::{Rendered, Statement, locate};
use crate::value::{NamedValue, Target};

/// The error of a file that was not read before its value is bound.
pub(super) const UNREAD_FILE: &str = "the uploaded file was not read";

/// A statement with placeholders, which a database has prepared without error.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    pub sql: String,
    pub bound: Vec<Bound>,
    /// What each column becomes. The list is empty if the rows are not the result of the method.
    pub outputs: Vec<ColumnOutput>,
    pub columns: Vec<Column>,
    /// The statements that check the searches in this one.
    pub checks: Vec<Prepared>,
    /// The indexes of the columns whose values are the keys of a page, each with the column that orders the rows.
    pub page_columns: Vec<(usize, Column)>,
    /// The columns after all others with the numbers of keys: those at these indexes in the keys of the page.
    pub numbered_keys: Vec<usize>,
    /// `true` in SQLite if the tables determine how many columns the rows have: the statement contains `*` for columns.
    pub has_open_columns: bool,
    /// `true` for `returning` in MariaDB, which is not described: `columns` are the names of the outputs.
    pub has_late_columns: bool,
}

impl Prepared {
    /// Returns the first output, with its column, that does not accept its value in a row.
    pub(crate) fn refused_output(&self, row: &[Json]) -> Option<(&ColumnOutput, &str)> {
        let is_refused = |output: &ColumnOutput, value: &Json| match value {
            Json::Null => !output.accepts_null,
            value => !output.accepts(value),
        };
        let columns = self.outputs.iter().zip(&self.columns).zip(row);
        let refused = columns.filter(|((output, _), value)| is_refused(output, value));
        refused.map(|((output, column), _)| (output, column.name.as_str())).next()
    }

    /// Describes a statement for a database that reports no types of parameters. `column` returns the column with a
    /// name and a type.
    pub(super) fn new<'q, S: sqlx::Statement<'q>>(
        prepared: &S,
        statement: &Statement,
        rendered: &Rendered,
        values: &[NamedValue],
        column: impl Fn(&str, &<S::Database as Database>::TypeInfo) -> Column,
    ) -> Result<Self, PrepareError> {
        let count = match prepared.parameters() {
            Some(Either::Left(types)) => types.len(),
            Some(Either::Right(count)) => count,
            None => rendered.bound.len(),
        };
        check_placeholders(count, statement, rendered)?;
        let columns = columns(prepared, column);
        let bound = rendered.bound.iter().map(|value| {
            let target = values[*value].target;
            let binding = if values[*value].is_json { Binding::Json } else { Binding::Value };
            Bound { value: *value, target, binding, accepts: Accepts::Unknown }
        });
        Ok(Self { sql: rendered.sql.clone(), bound: bound.collect(), columns, ..Self::default() })
    }

    /// Returns `true` if the statement returns rows, perhaps none.
    pub(crate) fn returns_rows(&self) -> bool {
        !self.columns.is_empty() || self.has_late_columns
    }
}

/// Returns the columns of a statement. `column` returns the column with a name and a type.
pub(super) fn columns<'q, S: sqlx::Statement<'q>>(
    prepared: &S,
    column: impl Fn(&str, &<S::Database as Database>::TypeInfo) -> Column,
) -> Vec<Column> {
    prepared.columns().iter().map(|found| column(found.name(), found.type_info())).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bound {
    /// The index of the value in the values of the method.
    pub value: usize,
    pub target: Target,
    pub binding: Binding,
    pub accepts: Accepts,
}

/// Which values a placeholder accepts, as far as the database reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepts {
    Unknown,
    /// Whole numbers in this range.
    Integer {
        min: i64,
        max: i64,
        /// `true` if another number is always an error; otherwise only if it is stored: comparing it finds no row.
        is_strict: bool,
    },
    /// Arrays of whole numbers in this range.
    Integers {
        min: i64,
        max: i64,
    },
    /// Dates, perhaps with a time, from the year 1.
    Time,
    /// Texts of at most this length, or arrays of them.
    Text {
        max_bytes: usize,
    },
}

/// How a value is bound to a placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binding {
    Value,
    /// As a text that PostgreSQL converts to the type of the parameter.
    Text,
    Json,
    Array,
    /// As the text of an array of PostgreSQL, each item of which is the text of a JSON value.
    JsonArray,
    Bytes,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub name: String,
    pub r#type: ColumnType,
    pub order: PageOrder,
    /// `true` if a text in the column is a JSON value, unless it is not in the notation of JSON.
    pub may_be_json: bool,
}

impl Column {
    pub(crate) fn new(name: &str, r#type: ColumnType) -> Self {
        use ColumnType::{Bool, Date, Datetime, Decimal, Float, Integer, Text, Time, Unknown, Uuid};
        let is_single =
            matches!(r#type, Bool | Date | Datetime | Decimal | Float | Integer { .. } | Text | Time | Uuid);
        let order = if is_single || r#type == Unknown { PageOrder::Value } else { PageOrder::None };
        Self { name: name.to_owned(), r#type, order, may_be_json: false }
    }
}

/// How the values of a column are compared with a cursor in the order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageOrder {
    Value,
    /// As floats of 32 bits.
    Float,
    /// In MySQL, by the number of the word of an `enum`.
    Number,
    /// In MySQL, by the number of the words of a `set`, which can have 64 bits.
    Bits,
    /// In MySQL, as decimals in a table with the rows: a calculation has more digits than its result.
    Calculated,
    /// The database has no such order.
    None,
}

/// The type of a column, as far as the database reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ColumnType {
    /// The database does not report the type, or the column contains values of any type.
    Unknown,
    Integer {
        /// `true` if 0 and 1 can be booleans, because the database has no booleans.
        is_boolean: bool,
        /// `true` if the database reports that there are numbers above the largest `id`.
        exceeds_id: bool,
    },
    Float,
    /// A decimal number, which may have more digits than a float.
    Decimal,
    Bool,
    Text,
    Json,
    Uuid,
    Date,
    /// A time of day, or a duration in hours.
    Time,
    Datetime,
    Array(Box<ColumnType>),
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
            Self::Uuid => "a UUID, which becomes a text",
            Self::Date => "a date, which becomes a text",
            Self::Time => "a time, which becomes a text",
            Self::Datetime => "a date and time, which becomes a text",
            Self::Array(_) => "an array",
            Self::Binary => "binary data",
        }
    }
}

#[derive(Debug)]
pub(crate) enum PrepareError {
    Definition(Vec<HandlerError>),
    Database(sqlx::Error),
}

impl From<HandlerError> for PrepareError {
    fn from(error: HandlerError) -> Self {
        Self::Definition(vec![error])
    }
}

/// The error is at the part of the statement at `offset`, the position in bytes that the database reports.
pub(super) fn statement_error(
    error: sqlx::Error,
    statement: &Statement,
    rendered: &Rendered,
    offset: Option<usize>,
) -> PrepareError {
    let sqlx::Error::Database(database) = error else { return PrepareError::Database(error) };
    let message = database.message();
    let span = match offset {
        Some(offset) => statement.span_at(rendered, offset),
        None => locate(message, statement.text()).map_or(statement.span(), |range| statement.part(range)),
    };
    let error = HandlerError::new(format!("the database rejects the statement: {message}")).at(span);
    PrepareError::from(error)
}

/// Checks that the definition contains no placeholders of the database besides `:name`.
pub(super) fn check_placeholders(count: usize, statement: &Statement, rendered: &Rendered) -> Result<(), PrepareError> {
    if count == rendered.bound.len() {
        return Ok(());
    }
    let error = HandlerError::new("the statement contains placeholders that are not names").at(statement.span());
    Err(error.help("write `:name` for a parameter of the method").into())
}
