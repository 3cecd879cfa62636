//! Connections of any kind of database.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rulebook::handler_kind::WorkerThread;
use sqlx::migrate::Migrate;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlTransactionManager};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgTransactionManager};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteOperation, SqliteTransactionManager};
use sqlx::{ConnectOptions, Connection as _, Executor, TransactionManager};

use super::{Dialect, mysql, postgres, sqlite};
use crate::settings::DatabaseSettings;

/// The numbers of rows that migrations delete, by the names of the tables.
pub(crate) type DeletedRows = Arc<Mutex<BTreeMap<String, u64>>>;

/// The number of instructions of SQLite after which a running statement looks whether it must stop.
const INSTRUCTIONS_PER_CHECK: i32 = 100;

/// The options of the connections of a database, and the statements that each connection begins with.
pub(super) enum Options {
    Sqlite(SqliteConnectOptions),
    Postgres(PgConnectOptions, String),
    Mysql(MySqlConnectOptions, Vec<String>),
}

impl Options {
    pub(super) fn new(url: &str, settings: &DatabaseSettings, data_folder: &Path) -> Result<Self, sqlx::Error> {
        let limits = settings.dialect.limit_time(settings.timeout);
        Ok(match settings.dialect {
            Dialect::Sqlite => Self::Sqlite(sqlite::options(url, data_folder, settings.pool_timeout)?),
            Dialect::Postgres => Self::Postgres(postgres::options(url)?, limits.join(";")),
            Dialect::Mysql => Self::Mysql(mysql::options(url)?, limits),
        })
    }

    /// Returns the address without the user, the password and other parameters.
    pub(super) fn location(&self) -> String {
        let (scheme, host, port, name) = match self {
            Self::Sqlite(options) => return format!("sqlite:{}", options.get_filename().display()),
            Self::Postgres(options, _) => ("postgres", options.get_host(), options.get_port(), options.get_database()),
            Self::Mysql(options, _) => ("mysql", options.get_host(), options.get_port(), options.get_database()),
        };
        format!("{scheme}://{host}:{port}/{}", name.unwrap_or_default())
    }

    pub(super) async fn open(&self) -> Result<OpenConnection, sqlx::Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let connection = match self {
            Self::Sqlite(options) => {
                let mut connection = sqlite::connect(options).await?;
                let stop = Arc::clone(&stop);
                let continues = move || !stop.load(Ordering::Relaxed);
                connection.lock_handle().await?.set_progress_handler(INSTRUCTIONS_PER_CHECK, continues);
                Connection::Sqlite(connection)
            }
            Self::Postgres(options, limits) => {
                let mut connection = options.connect().await?;
                connection.execute(limits.as_str()).await?;
                connection.execute(postgres::CHECK_CLIENT).await?;
                Connection::Postgres(connection)
            }
            Self::Mysql(options, limits) => {
                let mut connection = Connection::Mysql(options.connect().await?);
                connection.run_first(limits).await?;
                connection
            }
        };
        Ok(OpenConnection {
            connection,
            stop,
            opened: Instant::now(),
            thread: None,
            used: Instant::now(),
            must_test: false,
        })
    }
}

pub(crate) enum Connection {
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

    /// Executes a statement without parameters, which is not part of a definition.
    pub(super) async fn run(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => connection.execute(sql).await.map(drop),
            Self::Postgres(connection) => connection.execute(sql).await.map(drop),
            Self::Mysql(connection) => connection.execute(sql).await.map(drop),
        }
    }

    /// Executes statements until one of them succeeds: MariaDB and MySQL each reject the statement of the other one.
    pub(super) async fn run_first(&mut self, statements: &[String]) -> Result<(), sqlx::Error> {
        let mut result = Ok(());
        for sql in statements {
            result = self.run(sql).await;
            if !matches!(result, Err(sqlx::Error::Database(_))) {
                break;
            }
        }
        result
    }

    /// Returns the connection as one to which sqlx applies migrations.
    pub(crate) fn as_migrate(&mut self) -> &mut (dyn Migrate + Send) {
        match self {
            Self::Sqlite(connection) => connection,
            Self::Postgres(connection) => connection,
            Self::Mysql(connection) => connection,
        }
    }

    /// Begins the transaction of migrations. In SQLite, `deleted` counts the rows that they delete. In PostgreSQL, they
    /// wait for a lock at most for this time. If one of them drops a table of SQLite, they ignore foreign keys: a table
    /// is changed by replacing it, and dropping the old one would delete the rows that refer to it.
    pub(super) async fn begin_migrations(
        &mut self,
        lock_timeout: Duration,
        drops_tables: bool,
        deleted: &DeletedRows,
    ) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => {
                // A transaction cannot change this.
                let foreign_keys = if drops_tables { "PRAGMA foreign_keys = OFF" } else { "PRAGMA foreign_keys = ON" };
                connection.execute(foreign_keys).await?;
                SqliteTransactionManager::begin(connection, Some("BEGIN IMMEDIATE".into())).await?;
                let mut handle = connection.lock_handle().await?;
                // A migration that ends the transaction would evade the checks.
                handle.set_commit_hook(|| false);
                let deleted = Arc::clone(deleted);
                handle.set_update_hook(move |update| {
                    if update.operation == SqliteOperation::Delete {
                        let mut deleted = deleted.lock().unwrap_or_else(PoisonError::into_inner);
                        *deleted.entry(update.table.to_owned()).or_default() += 1;
                    }
                });
                Ok(())
            }
            Self::Postgres(connection) => {
                PgTransactionManager::begin(connection, None).await?;
                let lock_timeout = lock_timeout.as_millis();
                let limits = format!(
                    "SET LOCAL lock_timeout = {lock_timeout}; SET LOCAL statement_timeout = 0; \
                     SET LOCAL client_min_messages = warning"
                );
                connection.execute(limits.as_str()).await.map(drop)
            }
            Self::Mysql(connection) => MySqlTransactionManager::begin(connection, None).await,
        }
    }

    pub(super) async fn commit_migrations(&mut self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => {
                let mut handle = connection.lock_handle().await?;
                handle.remove_commit_hook();
                handle.remove_update_hook();
                drop(handle);
                SqliteTransactionManager::commit(connection).await
            }
            Self::Postgres(connection) => PgTransactionManager::commit(connection).await,
            Self::Mysql(connection) => MySqlTransactionManager::commit(connection).await,
        }
    }

    /// Closes the connection, as the database expects it.
    pub(super) async fn close(self) {
        // The connection is gone, whether the database has noted it or not.
        let _ = match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
            Self::Mysql(connection) => connection.close().await,
        };
    }
}

pub(super) struct OpenConnection {
    pub connection: Connection,
    /// Stops the running statement of SQLite.
    stop: Arc<AtomicBool>,
    pub opened: Instant,
    /// The worker thread to whose runtime the socket belongs; `None` if it belongs to the runtime of the pool.
    pub thread: Option<WorkerThread>,
    /// The time at which a call has returned the connection.
    pub used: Instant,
    /// `true` if the connection must be tested before another call uses it.
    pub must_test: bool,
}

impl OpenConnection {
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
