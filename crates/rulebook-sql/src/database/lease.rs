//! Connections that calls borrow from a pool, and the results of their statements: whether they are complete, where
//! their columns are, and what their rows become.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::ready;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt, TryStreamExt};
use serde_json::{Map, Value as Json};
use sqlx::error::BoxDynError;
use sqlx::mysql::MySqlQueryResult;
use sqlx::postgres::PgQueryResult;
use sqlx::query::Query;
use sqlx::sqlite::SqliteQueryResult;
use sqlx::{ColumnIndex, Connection as _, Database, Decode, Either, Executor, MySql, Postgres, Row, Sqlite};

use super::pool::{Connection, OpenConnection, Permit, Pool};
use super::sqlite::{self, Violation};
use super::{Column, Dialect, PrepareError, Prepared, mysql, postgres};
use crate::column::{ColumnOutput, RawValue};
use crate::page::key_name;
use crate::release::SAVEPOINT;
use crate::statement::Statement;
use crate::value::{NamedValue, SqlValue, Target};

/// A row whose values are texts or null.
pub(crate) type TextRow = Vec<Option<String>>;

/// A connection that a call has borrowed. Unless [`Lease::end`] is called, for example because the client is gone, the
/// running statement is stopped and the connection is closed.
pub(crate) struct Lease {
    /// `None` only after the lease was dropped.
    connection: Option<OpenConnection>,
    pool: Arc<Pool>,
    end: LeaseEnd,
    /// The last field, because another call gets the connection when it is dropped. `None` only after the lease was
    /// dropped.
    permit: Option<Permit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeaseEnd {
    Close,
    Reuse,
    /// The next call uses the connection if it still works: an error of the database may have ended it.
    ReuseAfterTest,
}

impl Lease {
    pub(super) fn new(connection: OpenConnection, permit: Permit, pool: Arc<Pool>) -> Self {
        Self { connection: Some(connection), pool, end: LeaseEnd::Close, permit: Some(permit) }
    }

    pub(crate) fn connection(&mut self) -> &mut Connection {
        let open = self.connection.as_mut().expect("the connection is removed only when the lease is dropped");
        &mut open.connection
    }

    pub(crate) fn dialect(&mut self) -> Dialect {
        match self.connection() {
            Connection::Sqlite(_) => Dialect::Sqlite,
            Connection::Postgres(_) => Dialect::Postgres,
            Connection::Mysql(_) => Dialect::Mysql,
        }
    }

    pub(crate) fn end(mut self, end: LeaseEnd) {
        self.end = end;
    }

    /// Executes a statement without parameters, which is not part of a definition.
    pub(crate) async fn run(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        self.connection().run(sql).await
    }

    /// Executes a statement that is not part of a definition. Parameters (each `?`) and columns are texts.
    pub(crate) async fn text_rows(&mut self, sql: &str, values: &[&str]) -> Result<Vec<TextRow>, sqlx::Error> {
        let values = values.iter().map(|value| (*value).to_owned());
        match self.connection() {
            Connection::Sqlite(connection) => {
                let query = values.fold(sqlx::query(sql), Query::bind);
                text_rows(&all_rows::<Sqlite>(connection.fetch_many(query)).await?)
            }
            Connection::Postgres(connection) => {
                let sql = numbered_placeholders(sql);
                let query = values.fold(sqlx::query(&sql), Query::bind);
                text_rows(&all_rows::<Postgres>(connection.fetch_many(query)).await?)
            }
            Connection::Mysql(connection) => {
                let query = values.fold(sqlx::query(sql), Query::bind);
                text_rows(&all_rows::<MySql>(connection.fetch_many(query)).await?)
            }
        }
    }

    /// Returns the rows of a query, or `None` if the database rejects it. A release that is prepared continues then.
    pub(crate) async fn text_rows_or_none(&mut self, sql: &str) -> Result<Option<Vec<TextRow>>, sqlx::Error> {
        match self.text_rows(sql, &[]).await {
            Ok(rows) => Ok(Some(rows)),
            Err(sqlx::Error::Database(_)) => {
                if self.dialect() == Dialect::Postgres {
                    self.run(&format!("ROLLBACK TO SAVEPOINT {SAVEPOINT}")).await?;
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn limit_time(&mut self, dialect: Dialect, limit: Duration) -> Result<(), sqlx::Error> {
        self.connection().run_first(&dialect.limit_time(limit)).await
    }

    /// Returns the rows that the transaction of PostgreSQL has deleted, by table.
    pub(crate) async fn deleted_rows(&mut self) -> Result<Vec<TextRow>, sqlx::Error> {
        match self.connection() {
            Connection::Postgres(_) => self.text_rows(postgres::DELETED_ROWS, &[]).await,
            Connection::Sqlite(_) | Connection::Mysql(_) => Ok(Vec::new()),
        }
    }

    /// Returns the rows of SQLite that refer to missing ones. The other databases have none.
    pub(crate) async fn broken_references(&mut self) -> Result<Vec<Violation>, sqlx::Error> {
        match self.connection() {
            Connection::Sqlite(connection) => sqlite::violations(connection).await,
            Connection::Postgres(_) | Connection::Mysql(_) => Ok(Vec::new()),
        }
    }

    /// Returns the maximum size of all values of a statement in bytes; `None` if the database has no such limit.
    pub(crate) async fn max_packet(&mut self) -> Result<Option<u64>, sqlx::Error> {
        match self.connection() {
            Connection::Mysql(connection) => mysql::max_packet(connection).await.map(Some),
            Connection::Sqlite(_) | Connection::Postgres(_) => Ok(None),
        }
    }

    pub(crate) async fn prepare(
        &mut self,
        statement: &Statement,
        values: &[NamedValue],
    ) -> Result<Prepared, PrepareError> {
        match self.connection() {
            Connection::Sqlite(connection) => sqlite::prepare(connection, statement, values).await,
            Connection::Postgres(connection) => postgres::prepare(connection, statement, values).await,
            Connection::Mysql(connection) => mysql::prepare(connection, statement, values).await,
        }
    }

    /// Returns the columns of a statement in the notation of the database.
    pub(crate) async fn describe(&mut self, sql: &str) -> Result<Vec<Column>, sqlx::Error> {
        match self.connection() {
            Connection::Sqlite(connection) => sqlite::describe(connection, sql).await,
            Connection::Postgres(connection) => postgres::describe(connection, sql).await,
            Connection::Mysql(connection) => mysql::describe(connection, sql).await,
        }
    }

    /// Makes the connection forget its prepared statements: the next call prepares them again.
    pub(crate) async fn forget_statements(&mut self) -> Result<(), sqlx::Error> {
        match self.connection() {
            Connection::Sqlite(connection) => connection.clear_cached_statements().await,
            Connection::Postgres(connection) => connection.clear_cached_statements().await,
            Connection::Mysql(connection) => connection.clear_cached_statements().await,
        }
    }

    /// Executes a statement that returns no rows.
    pub(crate) async fn execute(&mut self, prepared: &Prepared, values: &[SqlValue]) -> Result<Changed, sqlx::Error> {
        match self.connection() {
            Connection::Sqlite(connection) => {
                let results = connection.fetch_many(sqlite::query(prepared, values)?);
                let last_id = |result: &SqliteQueryResult| Some(result.last_insert_rowid());
                let read = |result| Changed { last_id: last_id(&result), rows: result.rows_affected() };
                changed::<Sqlite>(results, read).await
            }
            Connection::Postgres(connection) => {
                let results = connection.fetch_many(postgres::query(prepared, values)?);
                let read = |result: PgQueryResult| Changed { last_id: None, rows: result.rows_affected() };
                changed::<Postgres>(results, read).await
            }
            Connection::Mysql(connection) => {
                let results = connection.fetch_many(mysql::query(prepared, values)?);
                let last_id =
                    |result: &MySqlQueryResult| i64::try_from(result.last_insert_id()).ok().filter(|id| *id != 0);
                let read = |result| Changed { last_id: last_id(&result), rows: result.rows_affected() };
                changed::<MySql>(results, read).await
            }
        }
    }

    pub(crate) fn fetch<'a, T: FromRow + Send + 'a>(
        &'a mut self,
        prepared: &'a Prepared,
        values: &'a [SqlValue],
    ) -> Result<BoxStream<'a, Result<T, sqlx::Error>>, sqlx::Error> {
        Ok(match self.connection() {
            Connection::Sqlite(connection) => {
                // The thread of the connection would end if SQLite found another column after it has prepared a
                // statement.
                let (statements, is_kept) = if prepared.has_open_columns { (2, false) } else { (1, true) };
                let query = sqlite::query(prepared, values)?.persistent(is_kept);
                rows::<Sqlite, T>(connection.fetch_many(query), statements, prepared, sqlite::decode)
            }
            Connection::Postgres(connection) => {
                let results = connection.fetch_many(postgres::query(prepared, values)?);
                rows::<Postgres, T>(results, 1, prepared, postgres::decode)
            }
            Connection::Mysql(connection) => {
                let results = connection.fetch_many(mysql::query(prepared, values)?);
                rows::<MySql, T>(results, 1, prepared, mysql::decode)
            }
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(open) = self.connection.take() else { return };
        match self.end {
            LeaseEnd::Close => {
                open.stop();
                self.pool.distrust_others();
                self.pool.close_in_background(open, self.permit.take());
            }
            LeaseEnd::Reuse => self.pool.put_back(open, false),
            LeaseEnd::ReuseAfterTest => self.pool.put_back(open, true),
        }
    }
}

pub(crate) fn row_object(prepared: &Prepared, row: JsonRow) -> Map<String, Json> {
    let values = prepared.columns.iter().zip(&prepared.outputs).zip(row);
    let given = values.filter(|((_, output), value)| !(output.omits_null && value.is_null()));
    given.map(|((column, _), value)| (column.name.clone(), value)).collect()
}

/// Returns a statement with the placeholders of PostgreSQL. The statements of the callers contain no other `?`.
fn numbered_placeholders(sql: &str) -> String {
    let mut parts = sql.split('?');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.zip(1..).fold(first, |sql, (part, number)| format!("{sql}${number}{part}"))
}

fn text_rows<R: Row>(rows: &[R]) -> Result<Vec<TextRow>, sqlx::Error>
where
    usize: ColumnIndex<R>,
    for<'r> String: Decode<'r, R::Database>,
{
    rows.iter().map(|row| (0..row.len()).map(|index| row.try_get_unchecked(index)).collect()).collect()
}

pub(crate) trait FromRow: Sized {
    /// Converts the values of a row. `decode` decodes the value of the column with an index.
    fn from_row(
        prepared: &Prepared,
        decode: impl Fn(usize, Target) -> Result<RawValue, BoxDynError>,
    ) -> Result<Self, sqlx::Error>;
}

/// A row whose columns become outputs: a value for each column.
pub(crate) type JsonRow = Vec<Json>;

impl FromRow for JsonRow {
    fn from_row(
        prepared: &Prepared,
        decode: impl Fn(usize, Target) -> Result<RawValue, BoxDynError>,
    ) -> Result<Self, sqlx::Error> {
        convert(prepared, decode, |raw, column, output| {
            Ok(raw.into_json(output, &|| output.report(column, &prepared.sql)))
        })
    }
}

pub(crate) struct PageRow {
    pub row: JsonRow,
    pub keys: Vec<RawValue>,
}

impl FromRow for PageRow {
    fn from_row(
        prepared: &Prepared,
        decode: impl Fn(usize, Target) -> Result<RawValue, BoxDynError>,
    ) -> Result<Self, sqlx::Error> {
        let keys = prepared.page_columns.iter().map(|(index, column)| {
            decode(*index, Target::Any)
                .map_err(|source| sqlx::Error::ColumnDecode { index: column.name.clone(), source })
        });
        Ok(Self { keys: keys.collect::<Result<_, _>>()?, row: JsonRow::from_row(prepared, decode)? })
    }
}

#[derive(Debug, Default)]
pub(crate) struct FileRow {
    pub content: Option<Vec<u8>>,
    pub name: Option<String>,
    pub media_type: Option<String>,
}

impl FromRow for FileRow {
    fn from_row(
        prepared: &Prepared,
        decode: impl Fn(usize, Target) -> Result<RawValue, BoxDynError>,
    ) -> Result<Self, sqlx::Error> {
        let values = convert(prepared, decode, |raw, _, _| raw.into_bytes())?;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|error| sqlx::Error::Decode(error.into()));
        let mut file = Self::default();
        for (column, value) in prepared.columns.iter().zip(values) {
            match column.name.as_str() {
                "content" => file.content = value,
                "name" => file.name = value.map(text).transpose()?,
                _ => file.media_type = value.map(text).transpose()?,
            }
        }
        Ok(file)
    }
}

fn convert<T>(
    prepared: &Prepared,
    decode: impl Fn(usize, Target) -> Result<RawValue, BoxDynError>,
    into: impl Fn(RawValue, &str, &ColumnOutput) -> Result<T, BoxDynError>,
) -> Result<Vec<T>, sqlx::Error> {
    let outputs = prepared.outputs.iter().zip(&prepared.columns).enumerate();
    let values = outputs.map(|(index, (output, column))| {
        let typed = |raw| match raw {
            RawValue::Text(text) if column.may_be_json && output.target == Target::Any => RawValue::JsonText(text),
            raw => raw,
        };
        let value = decode(index, output.target).and_then(|raw| into(typed(raw), &column.name, output));
        value.map_err(|source| sqlx::Error::ColumnDecode { index: column.name.clone(), source })
    });
    values.collect()
}

type Results<'a, D> = BoxStream<'a, Result<Either<<D as Database>::QueryResult, <D as Database>::Row>, sqlx::Error>>;

/// Fails at the end if not all of the `statements` have ended: if the thread of SQLite ends early, results only end.
fn complete<'a, D: Database>(
    results: Results<'a, D>,
    mut statements: u32,
) -> impl Stream<Item = Result<Either<D::QueryResult, D::Row>, sqlx::Error>> + Send + 'a {
    results.map(Some).chain(stream::once(ready(None))).filter_map(move |result| {
        match &result {
            Some(Ok(Either::Left(_))) => statements = statements.saturating_sub(1),
            Some(Err(_)) => statements = 0,
            Some(Ok(Either::Right(_))) | None => {}
        }
        ready(result.or_else(|| (statements > 0).then_some(Err(sqlx::Error::WorkerCrashed))))
    })
}

/// Converts the rows of the last statement; the others return none. `decode` decodes the column with an index.
pub(super) fn rows<'a, D: Database, T: FromRow + Send + 'a>(
    results: Results<'a, D>,
    statements: u32,
    prepared: &'a Prepared,
    decode: impl Fn(&D::Row, usize, Target) -> Result<RawValue, BoxDynError> + Send + 'a,
) -> BoxStream<'a, Result<T, sqlx::Error>> {
    let mut places = None;
    let rows = complete::<D>(results, statements).try_filter_map(move |result| ready(Ok(result.right())));
    rows.map(move |row| {
        let row = row?;
        let places = &*match &mut places {
            Some(places) => places,
            unknown => unknown.insert(ColumnPlaces::find(prepared, row.columns())?),
        };
        T::from_row(prepared, |index, target| match places {
            ColumnPlaces::Unchanged => decode(&row, index, target),
            ColumnPlaces::Moved(places) => match places[index] {
                Some(place) => decode(&row, place, target),
                None => Ok(RawValue::Null),
            },
        })
    })
    .boxed()
}

/// What a statement without rows has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Changed {
    pub rows: u64,
    /// The id that the database has given an inserted row, if it reports one.
    pub last_id: Option<i64>,
}

pub(super) async fn changed<D: Database>(
    results: Results<'_, D>,
    read: impl Fn(D::QueryResult) -> Changed,
) -> Result<Changed, sqlx::Error> {
    let add = |sum: Changed, result: Either<D::QueryResult, D::Row>| {
        let Changed { rows, last_id } = result.left().map(&read).unwrap_or_default();
        // A statement that has inserted no row reports the id of an earlier one.
        let last_id = last_id.filter(|_| rows > 0);
        ready(Ok(Changed { rows: sum.rows + rows, last_id: last_id.or(sum.last_id) }))
    };
    complete::<D>(results, 1).try_fold(Changed::default(), add).await
}

async fn all_rows<D: Database>(results: Results<'_, D>) -> Result<Vec<D::Row>, sqlx::Error> {
    complete::<D>(results, 1).try_filter_map(|result| ready(Ok(result.right()))).try_collect().await
}

/// Where the columns are that a statement had when it was prepared.
enum ColumnPlaces {
    Unchanged,
    /// The indexes in the rows; `None` for a column that may be missing, and does not exist.
    Moved(Vec<Option<usize>>),
}

impl ColumnPlaces {
    /// Finds the columns by their names if the tables have got other columns since the statement was prepared.
    fn find<C: sqlx::Column>(prepared: &Prepared, columns: &[C]) -> Result<Self, sqlx::Error> {
        let numbers = prepared.numbered_keys.iter().map(|key| (key_name(*key), false));
        let named = prepared.columns.iter().zip(&prepared.outputs);
        let named = named.map(|(column, output)| (column.name.clone(), output.may_be_missing));
        let known: Vec<_> = named.chain(numbers).collect();
        if prepared.outputs.is_empty()
            || (known.len() == columns.len() && known.iter().zip(columns).all(|((name, _), now)| name == now.name()))
        {
            return Ok(Self::Unchanged);
        }
        let places = known.into_iter().map(|(name, may_be_missing)| {
            let mut found = (0..columns.len()).filter(|index| columns[*index].name() == name);
            match (found.next(), found.next()) {
                // MariaDB has not described the only column.
                (None, None) if name.is_empty() => Ok(Some(0)),
                (None, None) if !may_be_missing => Err(sqlx::Error::ColumnNotFound(name)),
                (place, None) => Ok(place),
                (_, Some(_)) => {
                    let source = "two columns have this name since the tables were changed".into();
                    Err(sqlx::Error::ColumnDecode { index: name, source })
                }
            }
        });
        Ok(Self::Moved(places.collect::<Result<_, _>>()?))
    }
}
