//! Calls of methods: the statements of a method run on a borrowed connection.

mod prepare;
mod returned;

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use rulebook::error::ErrorCode;
use rulebook::handler_kind::{ArgumentSlots, CompiledHandler, HandlerError, HandlerFuture, ReturnedValue};
use rulebook::trace::{OpenSpan, SpanKind};
use rulebook::types::Value;
use rulebook::{ApiError, Context};
use rulebook_model::call::{Limit, Unit};
use rulebook_model::model::Parameter;
use rulebook_model::span::Span;
use serde_json::{Map, Value as Json};

use crate::choice::Choice;
use crate::database::{Database, Dialect, JsonRow, Lease, LeaseEnd, PrepareError, Prepared};
use crate::errors::{ErrorClass, ErrorNames, invalid_search, invalid_value, parameter_error};
use crate::page::Page;
use crate::result_shape::{ResultShape, Rows};
use crate::settings::CallLimits;
use crate::statement::Statement;
use crate::value::{NamedValue, SqlValue, Target, convert_moments};

use prepare::PreparedMethod;
pub(crate) use prepare::no_rows_error;
pub(crate) use returned::Format;

/// A method whose handler consists of statements.
pub(crate) struct SqlMethod {
    pub database: Arc<Database>,
    pub values: Vec<NamedValue>,
    pub choices: Vec<Choice>,
    pub page: Option<Page>,
    pub steps: Vec<Step>,
    /// The index of the statement whose first row has the id `:inserted`, and the index of this value.
    pub inserted: Option<(usize, usize)>,
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
    pub prepared: OnceLock<PreparedMethod>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DownloadContent {
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

/// A statement whose rows are a result, in a call.
pub(crate) struct ResultStep<'a> {
    pub method: &'a SqlMethod,
    pub lease: &'a mut Lease,
    pub index: usize,
    pub prepared: &'a Prepared,
    pub shape: &'a ResultShape,
    /// The index of the combination of its fragments.
    pub combination: usize,
    pub values: &'a mut [SqlValue],
    /// What the statements of the call may still return.
    pub limits: &'a mut CallLimits,
}

/// What happens if a statement returns or changes no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Missing {
    Unset,
    /// The statement always returns a row.
    Impossible,
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

    fn read(&self, step: ResultStep<'_>) -> impl Future<Output = Result<Self::Result, CallFailure>> + Send;
}

pub(crate) struct SqlHandler(pub Arc<SqlMethod>);

impl CompiledHandler for SqlHandler {
    fn start(&self, arguments: ArgumentSlots<'_, '_>, context: Context) -> HandlerFuture {
        let method = Arc::clone(&self.0);
        let values = method.values.iter().map(|named| named.source.value(&arguments, &context)).collect();
        let call: HandlerFuture = match method.download {
            Some(DownloadContent::Rows(format)) => Box::pin(returned::download(method, values, format)),
            Some(DownloadContent::File) => Box::pin(returned::file(method, values)),
            None => Box::pin(outputs(method, values)),
        };
        if context.is_traced() { traced(Arc::clone(&self.0), context, call) } else { call }
    }
}

async fn outputs(method: Arc<SqlMethod>, values: Vec<SqlValue>) -> Result<ReturnedValue, ApiError> {
    let mut results = method.run(values, &returned::Outputs).await?.into_iter();
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

/// How often a call prepares its statements again: the tables can be changed once more before they run.
const MAX_PREPARATIONS: usize = 3;
/// The key in `on_error` of all errors of searches. The message of most of them begins with it.
const SEARCH_ERROR: &str = "fts5";
/// The name of the limit in error responses.
const LIMIT_NAME: &str = "max_file";
/// The number of bytes of a packet that a file cannot use, because the packet contains other values.
const PACKET_RESERVE: u64 = 64 << 10;

impl SqlMethod {
    /// Runs the statements with the values of a call, in a transaction if there are several, at most for the time limit
    /// of the method. `reader` executes the statements whose rows are results, which are returned in their order. If
    /// the reader fails, or its future is dropped, nothing is changed.
    pub(crate) async fn run<R: ReadRows>(
        &self,
        mut values: Vec<SqlValue>,
        reader: &R,
    ) -> Result<Vec<R::Result>, ApiError> {
        let begun = Instant::now();
        let running = async {
            let prepared = self.prepared()?;
            convert_moments(&mut values, &self.values, self.database.settings.dialect)?;
            self.check_patterns(&values)?;
            self.set_page(&mut values)?;
            let mut lease = self.lease().await?;
            if let Err(error) = self.read_files(&mut values, prepared.max_upload).await {
                lease.end(LeaseEnd::Reuse);
                return Err(error);
            }
            let mut attempt = 0;
            let (statements, result) = loop {
                attempt += 1;
                let statements = prepared.statements();
                let result = self.run_in_transaction(&mut lease, prepared, &statements, &mut values, reader).await;
                let is_repeated = attempt <= MAX_PREPARATIONS
                    && matches!(&result, Err(CallFailure::Sql(error)) if self.may_repeat(error, attempt, &values));
                if !is_repeated || self.prepare_again(&mut lease, prepared).await.is_err() {
                    break (statements, result);
                }
            };
            let end = match &result {
                // A value that cannot be encoded was not sent.
                Ok(_) | Err(CallFailure::Api(_) | CallFailure::Sql(sqlx::Error::Encode(_))) => LeaseEnd::Reuse,
                Err(CallFailure::Sql(sqlx::Error::Database(_))) => LeaseEnd::ReuseAfterTest,
                Err(CallFailure::Sql(_) | CallFailure::Stopped(_)) => LeaseEnd::Close,
            };
            if end != LeaseEnd::Close && self.reset(&mut lease, prepared, result.is_err()).await.is_ok() {
                lease.end(end);
            }
            match result {
                Ok(results) => {
                    self.database.failures.end();
                    Ok(results)
                }
                Err(failure) => Err(self.call_error(failure, &statements, &values)),
            }
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

    fn set_page(&self, values: &mut [SqlValue]) -> Result<(), ApiError> {
        let Some(page) = &self.page else { return Ok(()) };
        let combination = self.steps.iter().find(|step| step.is_paged).map(|step| step.variant(self, values).1);
        page.set_values(values, combination.unwrap_or_default())
    }

    async fn lease(&self) -> Result<Lease, ApiError> {
        let lease = match self.download {
            Some(DownloadContent::Rows(_)) => self.database.lease_for_download().await,
            Some(DownloadContent::File) | None => self.database.lease().await,
        };
        lease.map_err(|error| {
            self.note_failure(&error);
            self.error_names.api_error(&error)
        })
    }

    async fn run_in_transaction<R: ReadRows>(
        &self,
        lease: &mut Lease,
        prepared: &PreparedMethod,
        statements: &[Vec<Prepared>],
        values: &mut [SqlValue],
        reader: &R,
    ) -> Result<Vec<R::Result>, CallFailure> {
        let settings = &self.database.settings;
        if self.timeout != settings.timeout {
            lease.limit_time(settings.dialect, self.timeout).await?;
        }
        if let Some(begin) = prepared.begin {
            lease.run(begin).await?;
        }
        if let Some((_, inserted)) = self.inserted {
            values[inserted] = SqlValue::Null;
        }
        let (mut results, mut limits) = (Vec::new(), self.limits);
        for (index, (step, variants)) in self.steps.iter().zip(statements).enumerate() {
            let (variant, combination) = step.variant(self, values);
            let prepared_step = &variants[variant];
            if let Some(shape) = self.shape_of(index, prepared.output) {
                let (prepared, limits, lease, values) = (prepared_step, &mut limits, &mut *lease, &mut *values);
                let step = ResultStep { method: self, lease, index, prepared, shape, combination, values, limits };
                results.push(reader.read(step).await?);
            } else {
                self.run_step(lease, prepared_step, index, values).await?;
            }
        }
        if prepared.begin.is_some() {
            // Constraints that are checked at the end are reported here.
            lease.run("COMMIT").await?;
        }
        Ok(results)
    }

    /// Returns how the rows of a statement become outputs; `None` if they are no result. `output` is the index of the
    /// statement whose rows are the result.
    fn shape_of(&self, index: usize, output: Option<usize>) -> Option<&ResultShape> {
        let named = self.steps[index].shape.as_ref();
        named.or_else(|| (output == Some(index)).then_some(&self.shape))
    }

    /// Undoes what a call has changed in its connection. If this fails, the connection is closed, which rolls back.
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

    /// Runs a statement whose rows are not a result.
    async fn run_step(
        &self,
        lease: &mut Lease,
        statement: &Prepared,
        index: usize,
        values: &mut [SqlValue],
    ) -> Result<(), CallFailure> {
        let rows = if statement.returns_rows() {
            let mut rows = lease.fetch::<JsonRow>(statement, values)?;
            let (mut count, mut first) = (0, None);
            while let Some(row) = rows.next().await {
                first = first.or(row?.into_iter().next());
                count += 1;
            }
            drop(rows);
            self.note_inserted(index, first.as_ref(), values);
            count
        } else {
            let changed = lease.execute(statement, values).await?;
            self.note_inserted(index, changed.last_id.map(Json::from).as_ref(), values);
            changed.rows
        };
        let is_last = index + 1 == self.steps.len() && self.prepared.get().is_some_and(|it| it.output.is_none());
        let missing = self.steps[index].missing.error().or_else(|| self.missing.error().filter(|_| is_last));
        match missing {
            Some(name) if rows == 0 => Err(CallFailure::Api(ApiError::declared(name.to_owned()))),
            _ => Ok(()),
        }
    }

    /// Makes the id of an inserted row a value of the statements that follow.
    pub(crate) fn note_inserted(&self, index: usize, id: Option<&Json>, values: &mut [SqlValue]) {
        if let (Some((_, value)), Some(id)) = (self.inserted.filter(|(insert, _)| *insert == index), id) {
            values[value] = SqlValue::from(&Value::from(id));
        }
    }

    /// Fails with the error for an empty result, if the statement or the method names one.
    fn check_missing(&self, index: usize) -> Result<(), CallFailure> {
        let Step { missing, shape, .. } = &self.steps[index];
        // An empty list beside other outputs is a result.
        let is_list = shape.as_ref().is_some_and(|shape| shape.rows == Rows::Many);
        match missing.error().or_else(|| self.missing.error().filter(|_| !is_list)) {
            Some(name) => Err(CallFailure::Api(ApiError::declared(name.to_owned()))),
            None => Ok(()),
        }
    }

    /// Returns the error of a call, and counts it.
    fn call_error(&self, failure: CallFailure, statements: &[Vec<Prepared>], values: &[SqlValue]) -> ApiError {
        let error = match failure {
            CallFailure::Sql(error) => error,
            CallFailure::Api(error) | CallFailure::Stopped(error) => {
                self.database.failures.end();
                return error;
            }
        };
        if let Some(name) = self.error_names.raised(&error) {
            self.database.failures.end();
            return ApiError::declared(name.to_owned());
        }
        if let Some(invalid) = self.search_error(&error, values) {
            self.database.failures.end();
            return self.error_names.named(SEARCH_ERROR).map_or(invalid, |name| ApiError::declared(name.to_owned()));
        }
        self.note_failure(&error);
        let variants = self.steps.iter().zip(statements);
        let run = variants.filter_map(|(step, variants)| variants.get(step.variant(self, values).0));
        let bound = run.flat_map(|statement| &statement.bound);
        let invalid = invalid_value(&error, &self.values, values, bound);
        invalid.unwrap_or_else(|| self.error_names.api_error(&error))
    }

    /// Returns the error of a text of the request that is not a search in the syntax of SQLite.
    fn search_error(&self, error: &sqlx::Error, values: &[SqlValue]) -> Option<ApiError> {
        if self.database.settings.dialect != Dialect::Sqlite {
            return None;
        }
        let statements = self.steps.iter().flat_map(|step| &step.variants);
        let mut names: Vec<_> = statements.flat_map(|statement| &statement.search_names).copied().collect();
        names.sort_unstable();
        names.dedup();
        invalid_search(error, &names, &self.values, values)
    }

    /// Counts a call that has failed for a reason outside of the request. A timeout may have its reason in the values.
    fn note_failure(&self, error: &sqlx::Error) {
        match ErrorClass::of(error) {
            ErrorClass::Temporary | ErrorClass::Stale | ErrorClass::Rejected => self.database.failures.add(),
            ErrorClass::Timeout => {}
            ErrorClass::Value(_) | ErrorClass::Other => self.database.failures.end(),
        }
    }

    /// Fails if a value of the request in a pattern is too long. The time of a comparison grows with the length of the
    /// pattern and with that of the text, and nothing stops SQLite meanwhile. The other databases stop at the time
    /// limit.
    fn check_patterns(&self, values: &[SqlValue]) -> Result<(), ApiError> {
        if self.database.settings.dialect != Dialect::Sqlite {
            return Ok(());
        }
        let max = self.limits.pattern;
        let mut errors = Vec::new();
        for (index, (value, named)) in values.iter().zip(&self.values).enumerate() {
            let mut statements = self.steps.iter().flat_map(|step| &step.variants);
            let is_pattern = statements.any(|statement| statement.pattern_names.contains(&index));
            if let (true, SqlValue::Text(text), Some(parameter)) = (is_pattern, value, &named.request)
                && text.len() as u64 > max
            {
                errors.push(parameter_error(parameter, format!("a text to search for of at most {max} bytes")));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(ApiError::parameters(errors)) }
    }

    /// Returns the maximum size of an uploaded file in bytes: the setting, or less if the database accepts less.
    async fn max_upload(&self, lease: &mut Lease) -> Result<u64, PrepareError> {
        let max = self.limits.file;
        if self.values.iter().all(|value| value.target != Target::Binary) {
            return Ok(max);
        }
        let Some(packet) = lease.max_packet().await.map_err(PrepareError::Database)? else { return Ok(max) };
        let max = max.min(packet.saturating_sub(PACKET_RESERVE));
        let too_large =
            self.values.iter().filter_map(|value| Some((value, value.max_bytes.filter(|size| *size > max)?)));
        let errors = too_large.map(|(value, size)| {
            let accepted = format!("the database accepts {packet} bytes for all values of a statement");
            let error = HandlerError::new(format!("`{}` can be a file of {size} bytes, but {accepted}", value.name));
            error
                .at(self.span)
                .help("reduce the `max` of the parameter, or increase `max_allowed_packet` of the database")
        });
        let errors: Vec<_> = errors.collect();
        if errors.is_empty() { Ok(max) } else { Err(PrepareError::Definition(errors)) }
    }

    /// Reads the content of the uploaded files among the values of a call, each of at most `max` bytes. The call has a
    /// connection already, so that the size of the pool bounds the memory for files.
    async fn read_files(&self, values: &mut [SqlValue], max: u64) -> Result<(), ApiError> {
        for (value, named) in values.iter_mut().zip(&self.values) {
            let SqlValue::File(upload) = value else { continue };
            if upload.size() > max {
                let limit = Limit { name: LIMIT_NAME, max, unit: Unit::Bytes, code: ErrorCode::TooLarge };
                let parameter = named.request.as_ref().map(Parameter::request_name);
                return Err(ApiError::too_large(limit, parameter));
            }
            if let Some(bytes) = upload.bytes() {
                *value = SqlValue::Bytes(bytes.to_vec());
                continue;
            }
            let upload = upload.clone();
            let content = self.wait_for_disk(move || std::fs::read(upload.path()?)).await;
            let content =
                content.map_err(|error| ApiError::internal(format!("the uploaded file cannot be read: {error}")))?;
            *value = SqlValue::Bytes(content);
        }
        Ok(())
    }

    /// Runs an operation that waits for the disk on another thread.
    async fn wait_for_disk<T: Send + 'static>(
        &self,
        run: impl FnOnce() -> std::io::Result<T> + Send + 'static,
    ) -> std::io::Result<T> {
        let runtime = self.database.runtime().map_err(std::io::Error::other)?;
        runtime.spawn_blocking(run).await?
    }
}

/// The maximum number of bytes of the statements in a span.
const MAX_TEXT_LEN: usize = 4 << 10;

fn traced(method: Arc<SqlMethod>, context: Context, call: HandlerFuture) -> HandlerFuture {
    Box::pin(async move {
        let mut span = begin(&method, &context);
        let result = call.await;
        span.set_result(&result);
        result
    })
}

/// The statements are those in the definition, without the values of the call.
fn begin(method: &SqlMethod, context: &Context) -> OpenSpan {
    let system = match method.database.settings.dialect {
        Dialect::Sqlite => "sqlite",
        Dialect::Postgres => "postgresql",
        Dialect::Mysql => "mysql",
    };
    let mut span = context.span(system, SpanKind::Client);
    if span.is_recorded() {
        let statements = method.steps.iter().filter_map(|step| step.variants.first());
        let texts: Vec<_> = statements.map(|statement| statement.text().trim()).collect();
        let mut text = texts.join(";\n");
        let end = (0..=text.len().min(MAX_TEXT_LEN)).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
        span.set("db.system.name", system);
        span.set("db.query.text", text);
        if method.steps.len() > 1 {
            span.set("db.operation.batch.size", method.steps.len() as i64);
        }
    }
    span
}
