//! Prepares the statements of methods: at the start, and again after a change of the tables, which other programs make
//! while this one runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rulebook::ApiError;
use rulebook::handler_kind::HandlerError;

use super::{SqlMethod, Step};
use crate::choice::combination;
use crate::database::{Column, ColumnType, Dialect, Lease, PageOrder, PrepareError, Prepared};
use crate::errors::ErrorClass;
use crate::result_shape::{ResultShape, Rows};
use crate::statement::Statement;
use crate::value::{SqlValue, Target};

/// The statements of a method after a database has prepared them.
pub(crate) struct PreparedMethod {
    /// All variants of each statement. They are replaced when the tables have been changed.
    statements: ArcSwap<Vec<Vec<Prepared>>>,
    /// The statement that begins the transaction of a call; `None` for a call without one.
    pub(super) begin: Option<&'static str>,
    /// The index of the statement whose rows are the result; `None` if statements name their outputs.
    pub output: Option<usize>,
    /// The maximum size of an uploaded file in bytes.
    pub(super) max_upload: u64,
    /// The folder for temporary files.
    pub(super) data_folder: PathBuf,
}

impl PreparedMethod {
    pub(super) fn statements(&self) -> Arc<Vec<Vec<Prepared>>> {
        self.statements.load_full()
    }
}

impl SqlMethod {
    /// Prepares the statements, and compares their columns with the outputs. With `is_older`, the tables belong to a
    /// newer release, whose columns are not sent.
    pub(crate) async fn prepare(
        &self,
        lease: &mut Lease,
        data_folder: &Path,
        is_older: bool,
    ) -> Result<(), PrepareError> {
        if let Some(page) = &self.page {
            page.prepare(self.database.settings.page_key.as_ref(), data_folder)?;
        }
        let mut statements = Vec::new();
        let mut errors = Vec::new();
        for step in &self.steps {
            let mut variants = Vec::new();
            for (index, statement) in step.variants.iter().enumerate() {
                match lease.prepare(statement, &self.values).await {
                    Ok(mut prepared) => {
                        for check in &statement.checks {
                            // What is before `match` can also be a column, for which there is no check.
                            prepared.checks.extend(lease.prepare(check, &self.values).await.ok());
                        }
                        variants.push(prepared);
                    }
                    Err(PrepareError::Definition(found)) => {
                        errors.extend(found.into_iter().map(|error| self.describe_variant(step, index, error)));
                    }
                    Err(error) => return Err(error),
                }
            }
            statements.push(variants);
        }
        let max_upload = self.max_upload(lease).await?;
        if !errors.is_empty() {
            return Err(PrepareError::Definition(errors));
        }
        let is_named = self.steps.iter().any(|step| step.shape.is_some());
        let returns_rows = |variants: &Vec<Prepared>| variants.iter().any(Prepared::returns_rows);
        let with_rows = statements.iter().rposition(returns_rows);
        let output = with_rows.filter(|_| !is_named && self.shape.rows != Rows::None);
        for (index, (step, variants)) in self.steps.iter().zip(&mut statements).enumerate() {
            let shape = self.shape_of(index, output);
            for (variant, (statement, prepared)) in step.variants.iter().zip(variants).enumerate() {
                let describe = |error| self.describe_variant(step, variant, error);
                if let Some(shape) = shape {
                    if is_older && statement.has_open_columns {
                        prepared.columns.retain(|column| shape.has_column(&column.name));
                    }
                    let set = self.set_outputs(shape, step, variant, statement, prepared);
                    errors.extend(set.err().into_iter().flatten().map(describe));
                } else if self.inserted.is_some_and(|(insert, _)| insert == index) {
                    read_first_column(prepared);
                }
            }
        }
        if !errors.is_empty() {
            return Err(PrepareError::Definition(errors));
        }
        if output.is_none() && !is_named && self.shape.rows != Rows::None {
            let error = no_rows_error();
            return Err(match self.steps.last().and_then(|step| step.variants.first()) {
                Some(statement) => statement.source().locate(error.at(statement.span())),
                None => error.at(self.span),
            }
            .into());
        }
        if self.download.is_some() && output.is_some() && self.inserted.map(|(insert, _)| insert) == output {
            let error = HandlerError::new("the rows of a download cannot also be the value `:inserted`").at(self.span);
            return Err(error.into());
        }
        // A method is prepared once.
        let begin = self.begin(&statements);
        let (statements, data_folder) = (ArcSwap::from_pointee(statements), data_folder.to_owned());
        let _ = self.prepared.set(PreparedMethod { statements, begin, output, max_upload, data_folder });
        Ok(())
    }

    /// Returns the statements as they are sent to the database, after they were prepared, each with the method's name.
    pub(crate) fn sent_statements(&self) -> Vec<(String, String)> {
        let statements = self.prepared.get().map(PreparedMethod::statements).unwrap_or_default();
        statements.iter().flatten().map(|prepared| (self.file_name.clone(), prepared.sql.clone())).collect()
    }

    /// Compares the columns of a statement with its outputs, and finds the columns that order a page.
    fn set_outputs(
        &self,
        shape: &ResultShape,
        step: &Step,
        variant: usize,
        statement: &Statement,
        prepared: &mut Prepared,
    ) -> Result<(), Vec<HandlerError>> {
        if !prepared.returns_rows() {
            return Err(vec![no_rows_error().at(statement.span())]);
        }
        if prepared.has_late_columns {
            let late = shape.late_columns(statement).map_err(|error| vec![error])?;
            (prepared.columns, prepared.outputs) = late.into_iter().unzip();
        } else {
            prepared.outputs = shape.column_outputs(&prepared.columns, statement)?;
        }
        let Some(page) = self.page.as_ref().filter(|_| step.is_paged) else { return Ok(()) };
        let mut errors = Vec::new();
        for (number, key) in page.orders[variant / 2].iter().enumerate() {
            match prepared.columns.iter().enumerate().find(|(_, column)| column.name == key.column) {
                Some((_, Column { order: PageOrder::None, .. })) => {
                    errors.push(unordered_key_error(&key.column).at(statement.span()));
                }
                Some((index, column)) => {
                    let numbered = prepared.numbered_keys.iter().position(|key| *key == number);
                    let index = numbered.map_or(index, |position| prepared.columns.len() + position);
                    prepared.page_columns.push((index, column.clone()));
                }
                None => {
                    let message =
                        format!("the statement has no column `{}`, which orders the rows of pages", key.column);
                    let columns: Vec<_> = prepared.columns.iter().map(|column| column.name.as_str()).collect();
                    let error = HandlerError::new(message).at(page.settings.span);
                    errors.push(error.suggest(&key.column, "columns", &columns));
                }
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Adds the file that contains the statement, and the parameters that choose its fragments if there is no other
    /// help.
    fn describe_variant(&self, step: &Step, variant: usize, error: HandlerError) -> HandlerError {
        let error = step.variants[variant].source().locate(error);
        if step.choices.is_empty() || error.help.is_some() {
            return error;
        }
        let choices: Vec<_> = step.choices.iter().map(|choice| &self.choices[*choice]).collect();
        let chosen = combination(&choices, if step.is_paged { variant / 2 } else { variant });
        let described: Vec<_> = choices.iter().zip(chosen).map(|(choice, index)| choice.describe(index)).collect();
        error.help(format!("this is the statement if {}", described.join(" and ")))
    }

    /// Several statements run in a transaction. So does a statement of SQLite whose columns the tables determine:
    /// otherwise, the tables could change between its preparation and its first row. Statements that only read for
    /// several outputs see the same state of the tables.
    fn begin(&self, statements: &[Vec<Prepared>]) -> Option<&'static str> {
        let dialect = self.database.settings.dialect;
        let is_reading = self.steps.iter().flat_map(|step| &step.variants).all(|statement| statement.is_reading);
        if let [variants] = statements {
            let is_open = variants.iter().any(|prepared| prepared.has_open_columns);
            return is_open.then(|| if is_reading { "BEGIN" } else { dialect.begin() });
        }
        let is_named = self.steps.iter().any(|step| step.shape.is_some());
        Some(match (is_reading, is_named) {
            (true, true) => dialect.begin_snapshot(),
            (true, false) if dialect == Dialect::Sqlite => "BEGIN",
            _ => dialect.begin(),
        })
    }

    pub(super) fn prepared(&self) -> Result<&PreparedMethod, ApiError> {
        self.prepared.get().ok_or_else(|| ApiError::internal("the statements are not prepared"))
    }

    /// Returns `true` if the statements had no effect, and may succeed when they are prepared again. `attempt` counts
    /// how often they were run.
    pub(super) fn may_repeat(&self, error: &sqlx::Error, attempt: usize, values: &[SqlValue]) -> bool {
        let is_repeatable = match ErrorClass::of(error) {
            ErrorClass::Stale => true,
            // The statements for PostgreSQL contain the types that the parameters had. The other databases prepare a
            // statement again themselves. A statement in a function is rejected each time.
            ErrorClass::Rejected => {
                // Without a column, rows were returned: the statement had an effect.
                let is_of_database = matches!(error, sqlx::Error::Database(_));
                is_of_database && attempt == 1 && self.database.settings.dialect == Dialect::Postgres
            }
            _ => false,
        };
        is_repeatable && self.search_error(error, values).is_none()
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
            let mut variants = Vec::new();
            for (statement, old) in step.variants.iter().zip(old) {
                let new = lease.prepare(statement, &self.values).await?;
                let (columns, outputs) = (old.columns.clone(), old.outputs.clone());
                variants.push(Prepared { columns, outputs, page_columns: old.page_columns.clone(), ..new });
            }
            statements.push(variants);
        }
        prepared.statements.store(Arc::new(statements));
        Ok(())
    }
}

fn unordered_key_error(column: &str) -> HandlerError {
    let message = format!("the column `{column}` cannot order pages: its values are JSON or arrays");
    let help = "order by another column, or by a part of the value, such as `(data ->> 'price')::numeric as price`";
    HandlerError::new(message).help(help)
}

pub(crate) fn no_rows_error() -> HandlerError {
    let error = HandlerError::new("the statement returns no rows, but the method has outputs");
    error.help("add `returning …`, add a statement that selects the outputs, or remove `out`")
}

/// Reads the first column of an inserted row, which is its id.
fn read_first_column(prepared: &mut Prepared) {
    if prepared.has_late_columns {
        prepared.columns = vec![Column::new("", ColumnType::Unknown)];
    }
    prepared.outputs = prepared.columns.iter().map(|_| Target::Any.into()).collect();
}
