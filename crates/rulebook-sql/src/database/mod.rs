//! The databases of a definition, and their pools of connections.

mod column;
mod connection;
mod dialect;
mod mysql;
mod postgres;
mod postgres_arguments;
mod postgres_value;
mod prepared;
mod row;
mod sqlite;

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolOptions;
use sqlx::{Executor, MySql, MySqlPool, PgPool, Postgres, SqlitePool};
use tokio::runtime::Handle;
use tokio::time::{error::Elapsed, timeout};

pub(crate) use column::{Column, ColumnType};
use connection::Connection;
pub(crate) use connection::{Lease, row_object};
pub(crate) use dialect::Dialect;
pub(crate) use prepared::{Accepts, Binding, Bound, NamedValue, PrepareError, Prepared, RequestParameter};
pub(crate) use row::{FileRow, FromRow, JsonRow};

use crate::settings::DatabaseSettings;

/// A database, which is opened when the API starts.
pub(crate) struct Database {
    pub settings: DatabaseSettings,
    open: OnceLock<OpenDatabase>,
}

struct OpenDatabase {
    pool: Pool,
    /// The runtime to which the sockets of the connections belong. It lives as long as the API is served.
    runtime: Handle,
}

#[derive(Clone)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
    Mysql(MySqlPool),
}

impl Database {
    pub(crate) fn new(settings: DatabaseSettings) -> Self {
        Self { settings, open: OnceLock::new() }
    }

    /// Creates the pool, in the runtime of the caller. Connections are opened when they are needed.
    pub(crate) fn open(&self, data_folder: &Path) -> Result<(), sqlx::Error> {
        let settings = &self.settings;
        let url = settings.url.as_str();
        let limits = settings.dialect.limit_time(settings.timeout);
        let pool = match settings.dialect {
            Dialect::Sqlite => {
                let options = sqlite::options(url, data_folder, settings.pool_timeout)?;
                Pool::Sqlite(pool_options(settings).connect_lazy_with(options))
            }
            Dialect::Postgres => {
                let limit = limits.join(";");
                let options = pool_options::<Postgres>(settings).after_connect(move |connection, _| {
                    let limit = limit.clone();
                    Box::pin(async move {
                        (&mut *connection).execute(limit.as_str()).await?;
                        (&mut *connection).execute(postgres::CHECK_CLIENT).await.map(drop)
                    })
                });
                Pool::Postgres(options.connect_lazy_with(postgres::options(url)?))
            }
            Dialect::Mysql => {
                let options = pool_options::<MySql>(settings).after_connect(move |connection, _| {
                    let limits = limits.clone();
                    Box::pin(async move {
                        let mut result = Ok(());
                        // MariaDB and MySQL each reject the statement of the other one.
                        for limit in &limits {
                            result = (&mut *connection).execute(limit.as_str()).await.map(drop);
                            if result.is_ok() {
                                break;
                            }
                        }
                        result
                    })
                });
                Pool::Mysql(options.connect_lazy_with(mysql::options(url)?))
            }
        };
        // A database is opened once.
        let _ = self.open.set(OpenDatabase { pool, runtime: Handle::current() });
        Ok(())
    }

    /// Applies the migrations of a folder that were not applied before.
    pub(crate) async fn migrate(&self, folder: &Path) -> Result<(), MigrateError> {
        let migrator = Migrator::new(folder.to_owned()).await?;
        match &self.opened().map_err(MigrateError::Execute)?.pool {
            Pool::Sqlite(pool) => {
                let mut connection = pool.acquire().await.map_err(MigrateError::Execute)?;
                migrator.run_direct(&mut *connection).await
            }
            Pool::Postgres(pool) => {
                // A migration may take longer than a call.
                let mut connection = pool.acquire().await.map_err(MigrateError::Execute)?;
                connection.close_on_drop();
                (&mut *connection).execute("SET statement_timeout = 0").await.map_err(MigrateError::Execute)?;
                migrator.run_direct(&mut *connection).await
            }
            Pool::Mysql(pool) => {
                let mut connection = pool.acquire().await.map_err(MigrateError::Execute)?;
                connection.close_on_drop();
                for limit in Dialect::Mysql.limit_time(Duration::ZERO) {
                    if (&mut *connection).execute(limit.as_str()).await.is_ok() {
                        break;
                    }
                }
                migrator.run_direct(&mut *connection).await
            }
        }
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        match self.open.get().map(|open| open.pool.clone()) {
            Some(Pool::Sqlite(pool)) => pool.close().await,
            Some(Pool::Postgres(pool)) => pool.close().await,
            Some(Pool::Mysql(pool)) => pool.close().await,
            None => {}
        }
    }

    /// Borrows a connection.
    ///
    /// # Errors
    /// Fails if no connection is available in time, or the database cannot be reached.
    pub(crate) async fn lease(&self) -> Result<Lease, sqlx::Error> {
        let open = self.opened()?;
        let pool = open.pool.clone();
        let acquire = open.runtime.spawn(async move {
            Ok::<_, sqlx::Error>(match pool {
                Pool::Sqlite(pool) => Connection::Sqlite(pool.acquire().await?),
                Pool::Postgres(pool) => Connection::Postgres(pool.acquire().await?),
                Pool::Mysql(pool) => Connection::Mysql(pool.acquire().await?),
            })
        });
        let connection = acquire.await.map_err(|_| sqlx::Error::PoolClosed)??;
        Lease::new(connection, open.runtime.clone()).await
    }

    /// Waits for a future, at most for this time. The caller need not be in a runtime with timers.
    pub(crate) async fn within<F: Future>(&self, limit: Duration, future: F) -> Result<F::Output, Elapsed> {
        let Ok(open) = self.opened() else { return Ok(future.await) };
        let limited = {
            let _context = open.runtime.enter();
            timeout(limit, future)
        };
        limited.await
    }

    /// Returns the runtime of the connections.
    pub(crate) fn runtime(&self) -> Result<Handle, sqlx::Error> {
        self.opened().map(|open| open.runtime.clone())
    }

    /// Executes a statement, to find out whether the database responds.
    pub(crate) async fn check_readiness(&self) -> Result<(), String> {
        let query = async {
            let mut lease = self.lease().await?;
            lease.run("SELECT 1").await?;
            lease.release();
            Ok::<_, sqlx::Error>(())
        };
        let name = &self.settings.name;
        match self.within(self.settings.timeout, query).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(format!("the database `{name}`: {error}")),
            Err(_) => Err(format!("the database `{name}` does not respond in time")),
        }
    }

    fn opened(&self) -> Result<&OpenDatabase, sqlx::Error> {
        self.open.get().ok_or(sqlx::Error::PoolClosed)
    }
}

fn pool_options<D: sqlx::Database>(settings: &DatabaseSettings) -> PoolOptions<D> {
    PoolOptions::new().max_connections(settings.pool).acquire_timeout(settings.pool_timeout)
}
