//! Connections that calls borrow from a pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use rulebook::handler_kind::WorkerThread;
use serde_json::{Map, Value as Json};
use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Executor};

use super::connection_count::CountedConnection;
use super::pool::{Permit, Pool};
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
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
    Mysql(MySqlConnection),
}

impl Connection {
    /// Asks the database whether the connection works.
    pub(super) async fn ping(&mut self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => connection.ping().await,
            Self::Postgres(connection) => connection.ping().await,
            Self::Mysql(connection) => connection.ping().await,
        }
    }
}

/// A connection of a pool.
pub(super) struct OpenConnection {
    pub connection: Connection,
    /// Stops the running statement of SQLite.
    stop: Arc<AtomicBool>,
    pub opened: Instant,
    /// The worker thread to whose runtime the socket belongs; `None` if it belongs to the runtime of the pool.
    pub thread: Option<WorkerThread>,
    /// Counts the connection while it is open; `None` outside of a pool.
    _counted: Option<CountedConnection>,
}

impl OpenConnection {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, stop: Arc::default(), opened: Instant::now(), thread: None, _counted: None }
    }

    /// Makes the statements of SQLite look whether they must stop.
    pub(super) async fn sqlite(mut connection: SqliteConnection) -> Result<Self, sqlx::Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let continues = {
            let stop = Arc::clone(&stop);
            move || !stop.load(Ordering::Relaxed)
        };
        connection.lock_handle().await?.set_progress_handler(INSTRUCTIONS_PER_CHECK, continues);
        Ok(Self { stop, ..Self::new(Connection::Sqlite(connection)) })
    }

    /// Makes this a connection of a pool. Its socket belongs to the runtime of a worker thread, or to that of the pool.
    pub(super) fn in_pool(mut self, thread: Option<WorkerThread>, counted: CountedConnection) -> Self {
        self.thread = thread;
        self._counted = Some(counted);
        self
    }

    /// Returns `true` if the database runs in this process.
    pub(super) fn is_embedded(&self) -> bool {
        matches!(self.connection, Connection::Sqlite(_))
    }

    /// Closes the connection, as the database expects it.
    pub(super) async fn close(self) {
        // The connection is gone, whether the database has noted it or not.
        let _ = match self.connection {
            Connection::Sqlite(connection) => connection.close().await,
            Connection::Postgres(connection) => connection.close().await,
            Connection::Mysql(connection) => connection.close().await,
        };
    }
}

/// A connection that a call has borrowed. Unless [`Lease::release`] is called, for example because the client is gone,
/// the running statement is stopped and the connection is closed.
pub(crate) struct Lease {
    /// `None` only after the lease was dropped.
    connection: Option<OpenConnection>,
    pool: Arc<Pool>,
    end: LeaseEnd,
    /// The last field, because another call gets the connection when it is dropped.
    _permit: Permit,
}

/// What happens with the connection at the end of its lease.
enum LeaseEnd {
    Close,
    Reuse,
    /// The next call uses the connection if it still works.
    ReuseAfterTest,
}

impl Lease {
    pub(super) fn new(connection: OpenConnection, permit: Permit, pool: Arc<Pool>) -> Self {
        Self { connection: Some(connection), pool, end: LeaseEnd::Close, _permit: permit }
    }

    pub(super) fn connection(&mut self) -> &mut Connection {
        let open = self.connection.as_mut().expect("the connection is removed only when the lease is dropped");
        &mut open.connection
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
        self.end = LeaseEnd::Reuse;
    }

    /// Returns the connection to the pool after an error of the database, which may have ended the connection.
    pub(crate) fn release_after_error(mut self) {
        self.end = LeaseEnd::ReuseAfterTest;
    }

    /// Executes a statement without parameters, which is not part of a definition.
    pub(crate) async fn run(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        match self.connection() {
            Connection::Sqlite(connection) => connection.execute(sql).await.map(drop),
            Connection::Postgres(connection) => connection.execute(sql).await.map(drop),
            Connection::Mysql(connection) => connection.execute(sql).await.map(drop),
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
            Connection::Mysql(connection) => mysql::prepare(connection, statement, values).await,
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
                sqlx::query_with(sql, arguments).execute(connection).await?.rows_affected()
            }
            Connection::Postgres(connection) => {
                let arguments = postgres_arguments::arguments(prepared, values).map_err(sqlx::Error::Encode)?;
                sqlx::query_with(sql, arguments).execute(connection).await?.rows_affected()
            }
            Connection::Mysql(connection) => {
                let arguments = mysql::arguments(prepared, values).map_err(sqlx::Error::Encode)?;
                sqlx::query_with(sql, arguments).execute(connection).await?.rows_affected()
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
                let rows = sqlx::query_with(sql, arguments).fetch(connection);
                rows.map(|row| T::from_row(prepared, &row?, sqlite::decode)).boxed()
            }
            Connection::Postgres(connection) => {
                let arguments = postgres_arguments::arguments(prepared, values).map_err(sqlx::Error::Encode)?;
                let rows = sqlx::query_with(sql, arguments).fetch(connection);
                rows.map(|row| T::from_row(prepared, &row?, postgres_value::decode)).boxed()
            }
            Connection::Mysql(connection) => {
                let arguments = mysql::arguments(prepared, values).map_err(sqlx::Error::Encode)?;
                let rows = sqlx::query_with(sql, arguments).fetch(connection);
                rows.map(|row| T::from_row(prepared, &row?, mysql::decode)).boxed()
            }
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(open) = self.connection.take() else { return };
        match self.end {
            LeaseEnd::Close => {}
            LeaseEnd::Reuse => return self.pool.put_back(open, false),
            LeaseEnd::ReuseAfterTest => return self.pool.put_back(open, true),
        }
        open.stop.store(true, Ordering::Relaxed);
        self.pool.distrust_others();
        self.pool.drop_connections([open]);
    }
}

/// Returns a row as an object.
pub(crate) fn row_object(prepared: &Prepared, row: JsonRow) -> Map<String, Json> {
    prepared.columns.iter().map(ToString::to_string).zip(row).collect()
}
