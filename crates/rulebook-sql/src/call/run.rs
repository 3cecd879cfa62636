//! Runs the statements of a call on a borrowed connection.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use rulebook::ApiError;
use rulebook::types::Value;
use serde_json::Value as Json;

use super::prepare::PreparedMethod;
use super::{CallFailure, DownloadContent, ReadRows, ResultStep, SqlMethod, Step};
use crate::database::{JsonRow, Lease, LeaseEnd, Prepared};
use crate::moments::convert_moments;
use crate::result_shape::{ResultShape, Rows};
use crate::value::SqlValue;

/// How often a call prepares its statements again: the tables can be changed once more before they run.
const MAX_PREPARATIONS: usize = 3;

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
            let mut statements = prepared.statements();
            let mut result = self.run_in_transaction(&mut lease, prepared, &statements, &mut values, reader).await;
            for attempt in 1..=MAX_PREPARATIONS {
                match &result {
                    Err(CallFailure::Sql(error))
                        if self.may_repeat(error, attempt) && !self.is_search_error(error, &values) => {}
                    _ => break,
                }
                if self.prepare_again(&mut lease, prepared).await.is_err() {
                    break;
                }
                statements = prepared.statements();
                result = self.run_in_transaction(&mut lease, prepared, &statements, &mut values, reader).await;
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

    /// Sets the values of the page, if the method returns one.
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
            if let Some(shape) = self.shape_of(index, prepared) {
                let result = ResultStep { index, prepared: prepared_step, shape, combination };
                results.push(reader.read(self, lease, &result, values, &mut limits).await?);
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

    /// Returns how the rows of a statement become outputs; `None` if they are no result.
    pub(crate) fn shape_of(&self, index: usize, prepared: &PreparedMethod) -> Option<&ResultShape> {
        let named = self.steps[index].shape.as_ref();
        named.or_else(|| (prepared.output == Some(index)).then_some(&self.shape))
    }

    /// Undoes what a call has changed in its connection, and its transaction after an error. If this fails, the
    /// connection is closed, which rolls the transaction back.
    pub(super) async fn reset(
        &self,
        lease: &mut Lease,
        prepared: &PreparedMethod,
        is_error: bool,
    ) -> Result<(), sqlx::Error> {
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
    pub(super) fn check_missing(&self, step: &ResultStep<'_>) -> Result<(), CallFailure> {
        let Step { missing, shape, .. } = &self.steps[step.index];
        // An empty list beside other outputs is a result.
        let is_list = shape.as_ref().is_some_and(|shape| shape.rows == Rows::Many);
        match missing.error().or_else(|| self.missing.error().filter(|_| !is_list)) {
            Some(name) => Err(CallFailure::Api(ApiError::declared(name.to_owned()))),
            None => Ok(()),
        }
    }
}
