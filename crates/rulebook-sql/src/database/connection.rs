//! Connections that calls borrow from a pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde_json::{Map, Value as Json};
use sqlx::pool::PoolConnection;
use sqlx::{Executor, MySql, Postgres, Sqlite};
use tokio::runtime::Handle;

use super::{
    Column, Dialect, FromRow, JsonRow, NamedValue, PrepareError, Prepared, mysql, postgres, postgres_arguments,
    postgres_value, sqlite,
};
use crate::statement::Statement;
use crate::value::SqlValue;

/// The number of instructions of SQLite after which a running statement looks whether it must stop.
const INSTRUCTIONS_PER_CHECK: i32 = 2_000;

/// A connection of any kind of database.
pub(super) enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
    Mysql(PoolConnection<MySql>),
}

/// A connection that a call has borrowed. Unless [`Lease::release`] is called, for example because the client is gone,
/// the running statement is stopped and the connection is closed.
pub(crate) struct Lease {
    /// `None` only after the lease was dropped.
    connection: Option<Connection>,
    /// Stops a running statement of SQLite.
    stop: Arc<AtomicBool>,
    runtime: Handle,
    is_reusable: bool,
}

impl Lease {
    pub(super) async fn new(connection: Connection, runtime: Handle) -> Result<Self, sqlx::Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let continues = {
            let stop = Arc::clone(&stop);
            move || !stop.load(Ordering::Relaxed)
        };
        let mut lease = Self { connection: Some(connection), stop, runtime, is_reusable: false };
        if let Connection::Sqlite(sqlite) = lease.connection() {
            sqlite.lock_handle().await?.set_progress_handler(INSTRUCTIONS_PER_CHECK, continues);
        }
        Ok(lease)
    }

    fn connection(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("the connection is removed only when the lease is dropped")
    }

    fn dialect(&mut self) -> Dialect {
        match self.connection() {
            Connection::Sqlite(_) => Dialect::Sqlite,
            Connection::Postgres(_) => Dialect::Postgres,
            Connection::Mysql(_) => Dialect::Mysql,
        }
    }

    /// Returns the connection to the pool.
    pub(crate) fn release(mut self) {
        self.is_reusable = true;
    }

    /// Executes a statement without parameters, which is not part of a definition.
    pub(crate) async fn run(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        match self.connection() {
            Connection::Sqlite(connection) => (&mut **connection).execute(sql).await.map(drop),
            Connection::Postgres(connection) => (&mut **connection).execute(sql).await.map(drop),
            Connection::Mysql(connection) => (&mut **connection).execute(sql).await.map(drop),
        }
    }

    /// Limits the time of the following statements in the database.
    pub(crate) async fn limit_time(&mut self, limit: Duration) -> Result<(), sqlx::Error> {
        let mut result = Ok(());
        for sql in self.dialect().limit_time(limit) {
            result = self.run(&sql).await;
            if !matches!(result, Err(sqlx::Error::Database(_))) {
                return result;
            }
        }
        result
    }

    /// Returns the maximum size of all values of a statement in bytes; `None` if the database has no such limit.
    pub(crate) async fn max_packet(&mut self) -> Result<Option<u64>, sqlx::Error> {
        match self.connection() {
            Connection::Mysql(connection) => mysql::max_packet(connection).await.map(Some),
            Connection::Sqlite(_) | Connection::Postgres(_) => Ok(None),
        }
    }

    /// Prepares a statement, without executing it. Returns its columns too.
    pub(crate) async fn prepare(
        &mut self,
        statement: &Statement,
        values: &[NamedValue],
    ) -> Result<(Prepared, Vec<Column>), PrepareError> {
        let described = match self.connection() {
            Connection::Sqlite(connection) => sqlite::prepare(connection, statement, values).await,
            Connection::Postgres(connection) => postgres::prepare(connection, statement, values).await,
            Connection::Mysql(connection) => mysql::prepare(connection, statement).await,
        }?;
        let columns = described.columns.iter().map(|column| column.name.as_str().into()).collect();
        let has_late_columns =
            self.dialect() == Dialect::Mysql && described.columns.is_empty() && statement.has_returning;
        let (sql, bound) = (described.sql, described.bound);
        let prepared = Prepared { sql, bound, targets: Vec::new(), columns, has_late_columns };
        Ok((prepared, described.columns))
    }

    /// Executes a statement that returns no rows. Returns the number of rows that it has changed.
    pub(crate) async fn execute(&mut self, prepared: &Prepared, values: &[SqlValue]) -> Result<u64, sqlx::Error> {
        let sql = prepared.sql.as_str();
        Ok(match self.connection() {
            Connection::Sqlite(connection) => {
                let arguments = sqlite::arguments(prepared, values).map_err(sqlx::Error::Encode)?;
                sqlx::query_with(sql, arguments).execute(&mut **connection).await?.rows_affected()
            }
            Connection::Postgres(connection) => {
                let arguments = postgres_arguments::arguments(prepared, values).map_err(sqlx::Error::Encode)?;
                sqlx::query_with(sql, arguments).execute(&mut **connection).await?.rows_affected()
            }
            Connection::Mysql(connection) => {
                let arguments = mysql::arguments(prepared, values).map_err(sqlx::Error::Encode)?;
                sqlx::query_with(sql, arguments).execute(&mut **connection).await?.rows_affected()
            }
        })
    }

    /// Executes a statement that returns rows.
    pub(crate) fn fetch<'a, T: FromRow + 'a>(
        &'a mut self,
        prepared: &'a Prepared,
        values: &'a [SqlValue],
    ) -> Result<BoxStream<'a, Result<T, sqlx::Error>>, sqlx::Error> {
        let sql = prepared.sql.as_str();
        Ok(match self.connection() {
            Connection::Sqlite(connection) => {
                let arguments = sqlite::arguments(prepared, values).map_err(sqlx::Error::Encode)?;
                let rows = sqlx::query_with(sql, arguments).fetch(&mut **connection);
                rows.map(|row| T::from_row(prepared, &row?, sqlite::decode)).boxed()
            }
            Connection::Postgres(connection) => {
                let arguments = postgres_arguments::arguments(prepared, values).map_err(sqlx::Error::Encode)?;
                let rows = sqlx::query_with(sql, arguments).fetch(&mut **connection);
                rows.map(|row| T::from_row(prepared, &row?, postgres_value::decode)).boxed()
            }
            Connection::Mysql(connection) => {
                let arguments = mysql::arguments(prepared, values).map_err(sqlx::Error::Encode)?;
                let rows = sqlx::query_with(sql, arguments).fetch(&mut **connection);
                rows.map(|row| T::from_row(prepared, &row?, mysql::decode)).boxed()
            }
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // The pool spawns a task for the connection, even if the caller is not in a runtime.
        let _context = self.runtime.enter();
        let Some(mut connection) = self.connection.take() else { return };
        if !self.is_reusable {
            self.stop.store(true, Ordering::Relaxed);
            match &mut connection {
                Connection::Sqlite(connection) => connection.close_on_drop(),
                Connection::Postgres(connection) => connection.close_on_drop(),
                Connection::Mysql(connection) => connection.close_on_drop(),
            }
        }
        drop(connection);
    }
}

/// Returns a row as an object.
pub(crate) fn row_object(prepared: &Prepared, row: JsonRow) -> Map<String, Json> {
    prepared.columns.iter().map(ToString::to_string).zip(row).collect()
}
