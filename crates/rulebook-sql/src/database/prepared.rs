//! Statements that a database has prepared.

use std::borrow::Cow;

use rulebook::ApiError;
use rulebook::handler_kind::HandlerError;
use rulebook_model::call::{ParameterError, ParameterErrorKind, Source};
use rulebook_model::model::Parameter;

use super::Column;
use crate::moments::Moments;
use crate::statement::{Rendered, Statement, locate};
use crate::target::Target;

/// The error of a file that was not read before its value is bound.
pub(super) const UNREAD_FILE: &str = "the uploaded file was not read";

/// A statement with placeholders, which a database has prepared without error.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub sql: String,
    /// The value of each placeholder.
    pub bound: Vec<Bound>,
    /// What each column of the result becomes. The list is empty if the statement returns no rows.
    pub targets: Vec<Target>,
    /// The names of the columns.
    pub columns: Vec<Box<str>>,
    /// `true` if the columns are known only when the statement is executed, because MariaDB does not describe the
    /// columns of `returning`. Then `columns` are the names of the outputs.
    pub has_late_columns: bool,
}

impl Prepared {
    /// Returns `true` if the statement returns rows, perhaps none.
    pub(crate) fn returns_rows(&self) -> bool {
        !self.columns.is_empty() || self.has_late_columns
    }
}

/// A value that is bound to a placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bound {
    /// The index of the value in the values of the method.
    pub name: usize,
    /// The kind of the values.
    pub target: Target,
    pub binding: Binding,
    pub accepts: Accepts,
}

impl Bound {
    /// Returns the values of placeholders whose types the database does not report.
    pub(super) fn values(rendered: &Rendered, values: &[NamedValue]) -> Vec<Self> {
        let bound = rendered.bound.iter().map(|name| {
            let target = values[*name].target;
            Self { name: *name, target, binding: Binding::Value, accepts: Accepts::Unknown }
        });
        bound.collect()
    }
}

/// Which values a placeholder accepts, as far as the database reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepts {
    Unknown,
    /// Whole numbers in this range.
    Integer {
        min: i64,
        max: i64,
        /// `true` if another number is always an error. Otherwise, it is an error only if it is stored: comparing it
        /// finds no row.
        is_strict: bool,
    },
    /// Arrays of whole numbers in this range.
    Integers {
        min: i64,
        max: i64,
    },
    /// Dates, perhaps with a time, from the year 1.
    Time,
}

/// How a value is bound to a placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binding {
    /// As a value of its type.
    Value,
    /// As a text that PostgreSQL converts to the type of the parameter.
    Text,
    /// As the text of a JSON value.
    Json,
    /// As the text of an array of PostgreSQL.
    Array,
    /// As binary data.
    Bytes,
}

/// What is known about a value of a method before a call.
#[derive(Debug)]
pub(crate) struct NamedValue {
    pub name: String,
    pub target: Target,
    /// Where the value contains points in time; `None` if it contains none.
    pub moments: Option<Moments>,
    /// `true` if the value can be above the largest whole number of most databases.
    pub exceeds_i64: bool,
    /// The maximum size of a file in bytes that the type of its parameter sets.
    pub max_bytes: Option<u64>,
    /// The parameter of the method; `None` for values of the caller.
    pub request: Option<RequestParameter>,
}

/// A parameter as error responses describe it.
#[derive(Debug)]
pub(crate) struct RequestParameter {
    pub name: String,
    source: Source,
    /// The message that the definition sets for errors of this parameter.
    message: Option<Box<str>>,
}

impl RequestParameter {
    pub(crate) fn new(parameter: &Parameter) -> Self {
        let message = parameter.message.as_deref().map(Into::into);
        Self { name: parameter.request_name().to_owned(), source: parameter.from.source(), message }
    }

    /// Returns the error of a call whose value the database cannot store. `expected` describes the other values.
    pub(crate) fn error(&self, expected: impl Into<Cow<'static, str>>) -> ApiError {
        ApiError::parameters(vec![self.parameter_error(expected)])
    }

    pub(crate) fn parameter_error(&self, expected: impl Into<Cow<'static, str>>) -> ParameterError {
        let kind = ParameterErrorKind::Invalid;
        let mut error = ParameterError::new(kind, self.name.as_str(), self.source, expected);
        error.message.clone_from(&self.message);
        error
    }
}

impl NamedValue {
    /// Returns the error of a value that is larger than a whole number of the database.
    pub(super) fn range_error(&self) -> HandlerError {
        let message = format!("the values of `:{}` are larger than the whole numbers of the database", self.name);
        HandlerError::new(message).help("give the type an upper bound, such as `uint(0,9223372036854775807)`")
    }
}

/// The error of a statement that a database did not prepare.
#[derive(Debug)]
pub(crate) enum PrepareError {
    /// Errors in the definition.
    Definition(Vec<HandlerError>),
    /// The database cannot be used.
    Database(sqlx::Error),
}

impl From<HandlerError> for PrepareError {
    fn from(error: HandlerError) -> Self {
        Self::Definition(vec![error])
    }
}

/// A statement that a database has prepared, and its columns, before they are compared with the outputs.
pub(crate) struct Described {
    pub sql: String,
    pub bound: Vec<Bound>,
    pub columns: Vec<Column>,
}

/// Returns the error of the database as an error in the definition, at the part of the statement that it names.
/// `offset` is the position that the database reports, in bytes.
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
