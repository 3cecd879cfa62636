//! Calls of methods: the statements of a method run on a borrowed connection.

mod download;
mod file;
mod patterns;
mod prepare;
mod rows;
mod span;
mod upload;

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use rulebook::handler_kind::{ArgumentSlots, CompiledHandler, HandlerFuture, ReturnedValue};
use rulebook::{ApiError, Context};
use rulebook_model::span::Span;
use serde_json::{Map, Value as Json};

use crate::constraint::Violations;
use crate::database::{Database, JsonRow, Lease, LeaseEnd, Prepared};
use crate::moments::convert_moments;
use crate::result_shape::ResultShape;
use crate::settings::CallLimits;
use crate::statement::Statement;
use crate::value::{NamedValue, SqlValue};
use crate::value_error::invalid_value;

pub(crate) use download::Format;
use prepare::PreparedMethod;

/// How often a call prepares its statements again: the tables can be changed once more before they run.
const MAX_PREPARATIONS: usize = 3;

/// A method whose handler consists of statements.
pub(crate) struct SqlMethod {
    pub database: Arc<Database>,
    /// What is known about the values of the names in the statements.
    pub values: Vec<NamedValue>,
    pub steps: Vec<Step>,
    /// What happens if the result has no row, or the last statement changes none.
    pub missing: Missing,
    pub shape: ResultShape,
    /// What the download of the method consists of; `None` if it returns outputs.
    pub download: Option<DownloadContent>,
    /// The name of this file without its extension.
    pub file_name: String,
    pub violations: Violations,
    pub timeout: Duration,
    pub limits: CallLimits,
    pub span: Span,
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
    pub statement: Statement,
    pub missing: Missing,
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

/// Executes the statement whose rows are the result of a method.
pub(crate) trait ReadRows: Sync {
    type Result: Send;

    fn read(
        &self,
        method: &SqlMethod,
        lease: &mut Lease,
        statement: &Prepared,
        values: &[SqlValue],
    ) -> impl Future<Output = Result<Self::Result, CallFailure>> + Send;
}

impl SqlMethod {
    /// Runs the statements with the values of a call, in a transaction if there are several, at most for the time limit
    /// of the method. `reader` executes the statement whose rows are the result; `None` is returned without such a
    /// statement. If the reader fails, or its future is dropped, nothing is changed.
    pub(crate) async fn run<R: ReadRows>(
        &self,
        mut values: Vec<SqlValue>,
        reader: &R,
    ) -> Result<Option<R::Result>, ApiError> {
        let begun = Instant::now();
        let running = async {
            let prepared = self.prepared()?;
            convert_moments(&mut values, &self.values, self.database.settings.dialect)?;
            self.check_patterns(&values)?;
            let mut lease = self.lease().await?;
            if let Err(error) = self.read_files(&mut values, prepared.max_upload).await {
                lease.end(LeaseEnd::Reuse);
                return Err(error);
            }
            let mut statements = prepared.statements();
            let mut result = self.run_in_transaction(&mut lease, prepared, &statements, &values, reader).await;
            for attempt in 1..=MAX_PREPARATIONS {
                match &result {
                    Err(CallFailure::Sql(error)) if self.may_repeat(error, attempt) => {}
                    _ => break,
                }
                if self.prepare_again(&mut lease, prepared).await.is_err() {
                    break;
                }
                statements = prepared.statements();
                result = self.run_in_transaction(&mut lease, prepared, &statements, &values, reader).await;
            }
            let end = match &result {
                // A value that cannot be encoded was not sent.
                Ok(_) | Err(CallFailure::Api(_) | CallFailure::Sql(sqlx::Error::Encode(_))) => LeaseEnd::Reuse,
                Err(CallFailure::Sql(sqlx::Error::Database(_))) => LeaseEnd::ReuseAfterTest,
                Err(CallFailure::Sql(_) | CallFailure::Stopped(_)) => LeaseEnd::Close,
            };
            if end != LeaseEnd::Close && self.reset(&mut lease, prepared, result.is_err()).await.is_ok() {
                lease.end(end);
            }
            match &result {
                Err(CallFailure::Sql(error)) => self.note_failure(error),
                Ok(_) | Err(CallFailure::Api(_) | CallFailure::Stopped(_)) => self.database.failures.end(),
            }
            result.map_err(|failure| match failure {
                CallFailure::Sql(error) => {
                    let bound = statements.iter().flat_map(|statement| &statement.bound);
                    let invalid = invalid_value(&error, &self.values, &values, bound);
                    invalid.unwrap_or_else(|| self.violations.api_error(&error))
                }
                CallFailure::Api(error) | CallFailure::Stopped(error) => error,
            })
        };
        let ended = self.database.within(self.timeout, running).await;
        self.note_duration(begun.elapsed());
        ended.unwrap_or_else(|| {
            let reason = format!("the database took more than {} seconds", self.timeout.as_secs_f64());
            Err(ApiError::gateway_timeout(reason))
        })
    }

    /// Counts and logs a call that was slow, including its time for a connection.
    fn note_duration(&self, duration: Duration) {
        if duration < self.database.settings.slow_call {
            return;
        }
        self.database.slow_calls.fetch_add(1, Ordering::Relaxed);
        let (id, database, ms) = (&*self.file_name, &*self.database.settings.name, duration.as_millis() as u64);
        log::warn!(id, database, ms; "{id}: the database `{database}` took {ms} ms");
    }

    async fn lease(&self) -> Result<Lease, ApiError> {
        let lease = match self.download {
            Some(DownloadContent::Rows(_)) => self.database.lease_for_download().await,
            Some(DownloadContent::File) | None => self.database.lease().await,
        };
        lease.map_err(|error| {
            self.note_failure(&error);
            self.violations.api_error(&error)
        })
    }

    async fn run_in_transaction<R: ReadRows>(
        &self,
        lease: &mut Lease,
        prepared: &PreparedMethod,
        statements: &[Prepared],
        values: &[SqlValue],
        reader: &R,
    ) -> Result<Option<R::Result>, CallFailure> {
        let settings = &self.database.settings;
        if self.timeout != settings.timeout {
            lease.limit_time(settings.dialect, self.timeout).await?;
        }
        if let Some(begin) = prepared.begin {
            lease.run(begin).await?;
        }
        let mut result = None;
        for (index, statement) in statements.iter().enumerate() {
            if Some(index) == prepared.output {
                result = Some(reader.read(self, lease, statement, values).await?);
            } else {
                self.run_step(lease, statement, index, prepared, values).await?;
            }
        }
        if prepared.begin.is_some() {
            // Constraints that are checked at the end are reported here.
            lease.run("COMMIT").await?;
        }
        Ok(result)
    }

    /// Undoes what a call has changed in its connection, and its transaction after an error. If this fails, the
    /// connection is closed, which rolls the transaction back.
    async fn reset(&self, lease: &mut Lease, prepared: &PreparedMethod, is_error: bool) -> Result<(), sqlx::Error> {
        if is_error && prepared.begin.is_some() {
            lease.run("ROLLBACK").await?;
        }
        let settings = &self.database.settings;
        if self.timeout == settings.timeout {
            return Ok(());
        }
        lease.limit_time(settings.dialect, settings.timeout).await
    }

    /// Runs a statement whose rows are not the result.
    async fn run_step(
        &self,
        lease: &mut Lease,
        statement: &Prepared,
        index: usize,
        prepared: &PreparedMethod,
        values: &[SqlValue],
    ) -> Result<(), CallFailure> {
        let rows = if statement.returns_rows() {
            lease.fetch::<JsonRow>(statement, values)?.try_fold(0, async |count, _| Ok(count + 1)).await?
        } else {
            lease.execute(statement, values).await?
        };
        let is_last = prepared.output.is_none() && index + 1 == self.steps.len();
        let missing = self.steps[index].missing.error().or_else(|| self.missing.error().filter(|_| is_last));
        match missing {
            Some(name) if rows == 0 => Err(CallFailure::Api(ApiError::declared(name.to_owned()))),
            _ => Ok(()),
        }
    }

    /// Fails with the error for an empty result, if the statement with the result or the method names one.
    fn check_missing(&self) -> Result<(), CallFailure> {
        let output = self.prepared.get().and_then(|prepared| prepared.output);
        let of_step = output.and_then(|index| self.steps[index].missing.error());
        match of_step.or_else(|| self.missing.error()) {
            Some(name) => Err(CallFailure::Api(ApiError::declared(name.to_owned()))),
            None => Ok(()),
        }
    }
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
    let outputs = method.run(values, &rows::Outputs).await?;
    Ok(ReturnedValue::Outputs(Box::new(outputs.unwrap_or_else(|| Json::Object(Map::new())))))
}
