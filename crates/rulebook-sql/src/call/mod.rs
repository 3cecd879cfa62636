//! Calls of methods: the statements of a method run on a borrowed connection.

mod download;
mod errors;
mod file;
mod patterns;
mod prepare;
mod rows;
mod run;
mod span;
mod upload;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rulebook::handler_kind::{ArgumentSlots, CompiledHandler, HandlerError, HandlerFuture, ReturnedValue};
use rulebook::{ApiError, Context};
use rulebook_model::span::Span;
use serde_json::{Map, Value as Json};

use crate::choice::Choice;
use crate::constraint::ErrorNames;
use crate::database::{Database, Lease, Prepared};
use crate::page::Page;
use crate::result_shape::ResultShape;
use crate::settings::CallLimits;
use crate::statement::Statement;
use crate::value::{NamedValue, SqlValue};

pub(crate) use download::Format;
use prepare::PreparedMethod;
pub(crate) use prepare::no_rows_error;

/// A method whose handler consists of statements.
pub(crate) struct SqlMethod {
    pub database: Arc<Database>,
    /// What is known about the values of the names in the statements.
    pub values: Vec<NamedValue>,
    /// The parameters that choose fragments of the statements.
    pub choices: Vec<Choice>,
    pub page: Option<Page>,
    pub steps: Vec<Step>,
    /// The index of the statement whose first row has the id `:inserted`, and the index of this value.
    pub inserted: Option<(usize, usize)>,
    /// What happens if the result has no row, or the last statement changes none.
    pub missing: Missing,
    /// How the rows of the last statement with rows become the outputs, unless statements name their outputs.
    pub shape: ResultShape,
    /// What the download of the method consists of; `None` if it returns outputs.
    pub download: Option<DownloadContent>,
    /// `true` if browsers show the file, if its media type is one without scripts.
    pub is_inline: bool,
    /// The name of this file without its extension.
    pub file_name: String,
    pub error_names: ErrorNames,
    pub timeout: Duration,
    pub limits: CallLimits,
    pub span: Span,
    /// What the tables say about the statements that may be meant, after the start of the API.
    pub warnings: OnceLock<Vec<HandlerError>>,
    /// The prepared statements, after the start of the API.
    pub prepared: OnceLock<PreparedMethod>,
}

/// What a download consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DownloadContent {
    /// All rows, in a format.
    Rows(Format),
    /// The file in the only row.
    File,
}

pub(crate) struct Step {
    /// The statement for each combination of the fragments in it. Each combination of a page has two: the first page,
    /// and the page after a cursor.
    pub variants: Vec<Statement>,
    /// The indexes of the choices whose fragments are in the statement.
    pub choices: Vec<usize>,
    pub missing: Missing,
    /// How the rows become an output; `None` if the statement names no output.
    pub shape: Option<ResultShape>,
    /// `true` if the rows are those of a page.
    pub is_paged: bool,
}

impl Step {
    /// Returns the index of the statement for the values of a call, and that of the combination of its fragments.
    pub(crate) fn variant(&self, method: &SqlMethod, values: &[SqlValue]) -> (usize, usize) {
        let combination = self.choices.iter().rev().fold(0, |index, choice| {
            let choice = &method.choices[*choice];
            index * choice.len() + choice.chosen(values)
        });
        match method.page.as_ref().filter(|_| self.is_paged) {
            Some(page) => (2 * combination + usize::from(page.has_cursor(values)), combination),
            None => (combination, combination),
        }
    }
}

/// A statement whose rows are a result.
pub(crate) struct ResultStep<'a> {
    /// The index of the statement.
    pub index: usize,
    pub prepared: &'a Prepared,
    pub shape: &'a ResultShape,
    /// The index of the combination of its fragments.
    pub combination: usize,
}

/// What happens if a statement returns or changes no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The definition does not say.
    Unset,
    /// The statement always returns a row.
    Impossible,
    /// The call fails with this declared error.
    Error(String),
}

impl Missing {
    fn error(&self) -> Option<&str> {
        match self {
            Self::Error(name) => Some(name),
            Self::Unset | Self::Impossible => None,
        }
    }
}

/// Why statements did not succeed.
pub(crate) enum CallFailure {
    /// The database reported an error.
    Sql(sqlx::Error),
    /// The call fails; the connection can be used again.
    Api(ApiError),
    /// The call fails before it has read all rows.
    Stopped(ApiError),
}

impl From<sqlx::Error> for CallFailure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

/// Executes a statement whose rows are a result of a method.
pub(crate) trait ReadRows: Sync {
    type Result: Send;

    /// `limits` is what the statements of the call may still return.
    fn read(
        &self,
        method: &SqlMethod,
        lease: &mut Lease,
        step: &ResultStep<'_>,
        values: &mut [SqlValue],
        limits: &mut CallLimits,
    ) -> impl Future<Output = Result<Self::Result, CallFailure>> + Send;
}

pub(crate) struct SqlHandler(pub Arc<SqlMethod>);

impl CompiledHandler for SqlHandler {
    fn start(&self, arguments: ArgumentSlots<'_, '_>, context: Context) -> HandlerFuture {
        let method = Arc::clone(&self.0);
        let values = method.values.iter().map(|named| named.source.value(&arguments, &context)).collect();
        let call: HandlerFuture = match method.download {
            Some(DownloadContent::Rows(format)) => Box::pin(download::download(method, values, format)),
            Some(DownloadContent::File) => Box::pin(file::file(method, values)),
            None => Box::pin(outputs(method, values)),
        };
        if context.is_traced() { span::traced(Arc::clone(&self.0), context, call) } else { call }
    }
}

async fn outputs(method: Arc<SqlMethod>, values: Vec<SqlValue>) -> Result<ReturnedValue, ApiError> {
    let mut results = method.run(values, &rows::Outputs).await?.into_iter();
    let first = results.next().unwrap_or_else(|| Json::Object(Map::new()));
    // Each of several results is an object with some of the outputs.
    let outputs = results.fold(first, |mut outputs, result| {
        if let (Json::Object(outputs), Json::Object(members)) = (&mut outputs, result) {
            outputs.extend(members);
        }
        outputs
    });
    Ok(ReturnedValue::Outputs(Box::new(outputs)))
}
