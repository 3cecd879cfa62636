//! The connections of a database, of any kind, which calls borrow one after the other.
//!
//! The pools of sqlx ask the database whether a connection still works before and after each use, in another task. A
//! call here uses a connection at once if it was used a moment ago.
//!
//! The socket of a connection belongs to a runtime, whose thread each response wakes. If a call of another thread uses
//! the connection, this thread is woken too, which costs as much as the call itself. So calls of a worker thread prefer
//! connections of this thread, and open one before they use that of another thread.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rulebook::handler_kind::WorkerThread;
use sqlx::migrate::Migrate;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlTransactionManager};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgTransactionManager};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteOperation, SqliteTransactionManager};
use sqlx::{ConnectOptions, Connection as _, Executor, TransactionManager};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::lease::Lease;
use super::{Dialect, mysql, postgres, sqlite};
use crate::settings::DatabaseSettings;

/// A connection that was not used for longer than this is tested before it is used.
const TEST_AFTER: Duration = Duration::from_millis(100);
/// The maximum time for such a test. A connection through a firewall that has dropped it never responds.
const TEST_TIMEOUT: Duration = Duration::from_secs(1);
/// A connection that was not used for this time is closed when another one is returned.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);
/// A connection that is older is closed when a call returns it, because a database can keep memory for each one.
const MAX_AGE: Duration = Duration::from_secs(1_800);

pub(super) struct Pool {
    pub options: Options,
    /// The runtime of sockets that calls outside of worker threads have opened. It lives as long as the API.
    pub runtime: Handle,
    /// The maximum time for which a call waits for a connection.
    wait: Duration,
    /// The maximum number of open connections.
    size: usize,
    /// A permit for each connection that may be open.
    permits: Arc<Semaphore>,
    /// A permit for each connection that downloads may use, because a client can read a download slowly.
    download_permits: Arc<Semaphore>,
    /// The connections that no call uses. The one that was used last is at the end.
    idle: Mutex<Vec<OpenConnection>>,
    waiting: AtomicU64,
    timeouts: AtomicU64,
}

#[derive(Debug, Default)]
pub(super) struct PoolUse {
    pub used: u64,
    pub idle: u64,
    pub max: u64,
    pub waiting: u64,
    pub timeouts: u64,
}

/// Counts a call that waits, until this value is dropped: a call whose client is gone no longer waits.
struct Waiting<'p>(&'p AtomicU64);

impl<'p> Waiting<'p> {
    fn new(count: &'p AtomicU64) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The right to use a connection. Another call gets it when this value is dropped.
pub(super) struct Permit {
    _connection: OwnedSemaphorePermit,
    _download: Option<OwnedSemaphorePermit>,
}

impl Pool {
    /// Connections are opened when needed: in the runtime of a call's worker thread, or else in that of the caller.
    pub(super) fn new(options: Options, size: usize, wait: Duration) -> Self {
        Self {
            options,
            runtime: Handle::current(),
            wait,
            size,
            permits: Arc::new(Semaphore::new(size)),
            download_permits: Arc::new(Semaphore::new((size / 2).max(1))),
            idle: Mutex::default(),
            waiting: AtomicU64::new(0),
            timeouts: AtomicU64::new(0),
        }
    }

    pub(super) fn measure(&self) -> PoolUse {
        PoolUse {
            used: (self.size - self.permits.available_permits()) as u64,
            idle: self.lock().len() as u64,
            max: self.size as u64,
            waiting: self.waiting.load(Ordering::Relaxed),
            timeouts: self.timeouts.load(Ordering::Relaxed),
        }
    }

    /// Returns the file of an SQLite database; `None` for other databases.
    pub(super) fn sqlite_file(&self) -> Option<&Path> {
        match &self.options {
            Options::Sqlite(options) => Some(options.get_filename()),
            Options::Postgres(..) | Options::Mysql(..) => None,
        }
    }

    pub(super) async fn lease(self: &Arc<Self>, is_download: bool) -> Result<Lease, sqlx::Error> {
        let download = if is_download { Some(self.permit(&self.download_permits).await?) } else { None };
        let permit = Permit { _connection: self.permit(&self.permits).await?, _download: download };
        // A download continues in the runtime of the pool, and SQLite has no sockets.
        let has_sockets = !is_download && !matches!(self.options, Options::Sqlite(_));
        let thread = has_sockets.then(WorkerThread::current).flatten();
        let is_trusted = |open: &OpenConnection| !open.must_test && open.used.elapsed() <= TEST_AFTER;
        let (connection, permit) = match self.take_idle(thread.as_ref()) {
            Some(open) if is_trusted(&open) => (open, permit),
            idle if thread.is_some() => (self.tested_or_new(idle, thread).await?, permit),
            idle => {
                // A socket belongs to the runtime in which it is opened, and that of the caller may end earlier.
                let pool = Arc::clone(self);
                let opening = self.runtime.spawn(async move { Ok((pool.tested_or_new(idle, None).await?, permit)) });
                opening.await.unwrap_or(Err(sqlx::Error::PoolClosed))?
            }
        };
        Ok(Lease::new(connection, permit, Arc::clone(self)))
    }

    /// Returns a connection, which the next call can use, perhaps only after a test.
    pub(super) fn put_back(&self, mut connection: OpenConnection, must_test: bool) {
        if connection.opened.elapsed() > MAX_AGE {
            return;
        }
        (connection.used, connection.must_test) = (Instant::now(), must_test);
        let mut idle = self.lock();
        idle.push(connection);
        if idle[0].used.elapsed() > IDLE_TIMEOUT {
            let unused = idle.remove(0);
            drop(idle);
            drop(unused);
        }
    }

    /// Makes calls test the idle connections: another one has failed, for example after a restart of the database.
    pub(super) fn distrust_others(&self) {
        self.lock().iter_mut().for_each(|open| open.must_test = true);
    }

    pub(super) async fn close(&self) {
        let idle = std::mem::take(&mut *self.lock());
        join_all(idle.into_iter().map(|open| open.connection.close())).await;
    }

    async fn permit(&self, permits: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, sqlx::Error> {
        if let Ok(permit) = Arc::clone(permits).try_acquire_owned() {
            return Ok(permit);
        }
        let waiting = Waiting::new(&self.waiting);
        let permit = self.within(self.wait, Arc::clone(permits).acquire_owned()).await;
        drop(waiting);
        if permit.is_none() {
            self.timeouts.fetch_add(1, Ordering::Relaxed);
        }
        permit.ok_or(sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)
    }

    /// Waits for a future, at most for this time. The caller need not be in a runtime with timers.
    pub(super) async fn within<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        let limited = {
            // The timers of a worker thread wake no other thread.
            let _context = WorkerThread::current().is_none().then(|| self.runtime.enter());
            timeout(limit, future)
        };
        limited.await.ok()
    }

    /// Returns the idle connection that a call uses in a worker thread, or in another thread if `thread` is `None`.
    /// Returns `None` if the call, which has a permit, opens one.
    fn take_idle(&self, thread: Option<&WorkerThread>) -> Option<OpenConnection> {
        let mut idle = self.lock();
        let mut closed = Vec::new();
        let mut found = idle.iter().rposition(|open| open.thread.as_ref() == thread);
        if found.is_none() {
            let has_ended = |open: &mut OpenConnection| open.thread.as_ref().is_some_and(|thread| !thread.is_running());
            closed.extend(idle.extract_if(.., has_ended));
            let in_use = self.size - self.permits.available_permits();
            if in_use + idle.len() > self.size && !idle.is_empty() {
                match thread {
                    Some(_) => {
                        found = idle.iter().rposition(|open| open.thread.is_none()).or(Some(idle.len() - 1));
                    }
                    // A worker may end before this call, and its sockets with it.
                    None => closed.push(idle.remove(0)),
                }
            }
        }
        let found = found.map(|index| idle.remove(index));
        drop(idle);
        self.drop_connections(closed);
        found
    }

    /// Closes connections without waiting for the database. The caller need not be in a runtime.
    fn drop_connections(&self, connections: impl IntoIterator<Item = OpenConnection>) {
        let _context = self.runtime.enter();
        connections.into_iter().for_each(drop);
    }

    /// Closes a connection whose statement may still run. SQLite notices only between its instructions that it must
    /// stop, so that another call gets the permit when the thread of the connection has ended: otherwise, the number of
    /// threads would have no limit.
    pub(super) fn close_in_background(&self, open: OpenConnection, permit: Option<Permit>) {
        if matches!(open.connection, Connection::Sqlite(_)) {
            self.runtime.spawn(async move {
                open.connection.close().await;
                drop(permit);
            });
        } else {
            self.drop_connections([open]);
        }
    }

    /// Returns a connection that works: this one, another one that is idle, or a new one.
    async fn tested_or_new(
        &self,
        mut idle: Option<OpenConnection>,
        thread: Option<WorkerThread>,
    ) -> Result<OpenConnection, sqlx::Error> {
        while let Some(mut open) = idle {
            if matches!(timeout(TEST_TIMEOUT, open.connection.ping()).await, Ok(Ok(()))) {
                return Ok(open);
            }
            drop(open);
            self.distrust_others();
            idle = self.take_idle(thread.as_ref());
        }
        let mut opened = timeout(self.wait, self.options.open()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))?;
        opened.thread = thread;
        Ok(opened)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<OpenConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // The last connection of SQLite merges the write-ahead log when it is closed, on another thread. The program
        // could end before.
        let idle = std::mem::take(self.idle.get_mut().unwrap_or_else(PoisonError::into_inner));
        for open in idle.into_iter().filter(|open| matches!(open.connection, Connection::Sqlite(_))) {
            futures_executor::block_on(open.connection.close());
        }
    }
}

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
    async fn ping(&mut self) -> Result<(), sqlx::Error> {
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
    pub(crate) async fn begin_migrations(
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

    pub(crate) async fn commit_migrations(&mut self) -> Result<(), sqlx::Error> {
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
