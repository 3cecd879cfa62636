//! Prepares the statements of methods: at the start, and again after a change of the tables, which other programs make
//! while this one runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rulebook::ApiError;
use rulebook::handler_kind::HandlerError;

use super::SqlMethod;
use crate::database::{Dialect, Lease, LeaseEnd, PrepareError, Prepared};
use crate::error_class::ErrorClass;
use crate::result_shape::Rows;

/// The statements of a method after a database has prepared them.
pub(crate) struct PreparedMethod {
    /// They are replaced when the tables have been changed.
    statements: ArcSwap<Vec<Prepared>>,
    /// The statement that begins the transaction of a call; `None` for a call without one.
    pub(super) begin: Option<&'static str>,
    /// The index of the statement whose rows are the result.
    pub output: Option<usize>,
    /// The maximum size of an uploaded file in bytes.
    pub(super) max_upload: u64,
    /// The folder for temporary files.
    pub(super) data_folder: PathBuf,
}

impl PreparedMethod {
    pub(super) fn statements(&self) -> Arc<Vec<Prepared>> {
        self.statements.load_full()
    }
}

impl SqlMethod {
    /// Prepares the statements, and compares their columns with the outputs.
    pub(crate) async fn prepare(&self, data_folder: &Path) -> Result<(), PrepareError> {
        let mut lease = self.database.lease().await.map_err(PrepareError::Database)?;
        let mut statements = Vec::new();
        let mut errors = Vec::new();
        for step in &self.steps {
            match lease.prepare(&step.statement, &self.values).await {
                Ok(prepared) => statements.push(prepared),
                Err(PrepareError::Definition(found)) => errors.extend(found),
                Err(error) => return Err(error),
            }
        }
        let max_upload = self.max_upload(&mut lease).await?;
        lease.end(LeaseEnd::Reuse);
        if !errors.is_empty() {
            return Err(PrepareError::Definition(errors));
        }
        let with_rows = statements.iter().rposition(Prepared::returns_rows);
        let output = with_rows.filter(|_| self.shape.rows != Rows::None);
        if let Some(index) = output {
            let (prepared, statement) = (&mut statements[index], &self.steps[index].statement);
            if prepared.has_late_columns {
                (prepared.columns, prepared.outputs) = self.shape.late_columns(statement)?.into_iter().unzip();
            } else {
                let outputs = self.shape.column_outputs(&prepared.columns, statement);
                prepared.outputs = outputs.map_err(PrepareError::Definition)?;
            }
        } else if self.shape.rows != Rows::None {
            let span = self.steps.last().map_or(self.span, |step| step.statement.span());
            let error = HandlerError::new("the statement returns no rows, but the method has outputs").at(span);
            return Err(error
                .help("add `returning …`, add a statement that selects the outputs, or remove `out`")
                .into());
        }
        // A method is prepared once.
        let begin = self.begin(&statements);
        let (statements, data_folder) = (ArcSwap::from_pointee(statements), data_folder.to_owned());
        let _ = self.prepared.set(PreparedMethod { statements, begin, output, max_upload, data_folder });
        Ok(())
    }

    /// Several statements run in a transaction. So does a statement of SQLite whose columns the tables determine:
    /// otherwise, the tables could change between its preparation and its first row.
    fn begin(&self, statements: &[Prepared]) -> Option<&'static str> {
        let dialect = self.database.settings.dialect;
        match (&self.steps[..], statements) {
            ([step], [prepared]) if prepared.has_open_columns => {
                Some(if step.statement.has_returning { dialect.begin() } else { "BEGIN" })
            }
            ([_], _) => None,
            _ => Some(dialect.begin()),
        }
    }

    pub(super) fn prepared(&self) -> Result<&PreparedMethod, ApiError> {
        self.prepared.get().ok_or_else(|| ApiError::internal("the statements are not prepared"))
    }

    /// Returns `true` if the statements had no effect, and may succeed when they are prepared again. `attempt` counts
    /// how often they were run.
    pub(super) fn may_repeat(&self, error: &sqlx::Error, attempt: usize) -> bool {
        match ErrorClass::of(error) {
            ErrorClass::Stale => true,
            // The statements for PostgreSQL contain the types that the parameters had. The other databases prepare a
            // statement again themselves. A statement in a function is rejected each time.
            ErrorClass::Rejected => {
                // Without a column, rows were returned: the statement had an effect.
                let is_of_database = matches!(error, sqlx::Error::Database(_));
                is_of_database && attempt == 1 && self.database.settings.dialect == Dialect::Postgres
            }
            _ => false,
        }
    }

    /// Prepares the statements again. What their columns become remains, because the definition has not changed.
    pub(super) async fn prepare_again(&self, lease: &mut Lease, prepared: &PreparedMethod) -> Result<(), PrepareError> {
        self.reset(lease, prepared, true).await.map_err(PrepareError::Database)?;
        lease.forget_statements().await.map_err(PrepareError::Database)?;
        if self.database.settings.dialect != Dialect::Postgres {
            return Ok(());
        }
        let mut statements = Vec::new();
        for (step, old) in self.steps.iter().zip(&*prepared.statements()) {
            let new = lease.prepare(&step.statement, &self.values).await?;
            statements.push(Prepared { columns: old.columns.clone(), outputs: old.outputs.clone(), ..new });
        }
        prepared.statements.store(Arc::new(statements));
        Ok(())
    }

    /// Counts a call that has failed for a reason that is not in the request. A call that takes too long is not
    /// counted, because its values may be the reason.
    pub(super) fn note_failure(&self, error: &sqlx::Error) {
        match ErrorClass::of(error) {
            ErrorClass::Temporary | ErrorClass::Stale | ErrorClass::Rejected => self.database.failures.add(),
            ErrorClass::Timeout => {}
            ErrorClass::Value(_) | ErrorClass::Other => self.database.failures.end(),
        }
    }
}
