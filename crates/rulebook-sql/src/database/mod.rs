//! The databases of a definition, and the lock of a program that migrates one. Without it, programs that start at the
//! same time would apply the same migration.

mod dialect;
mod lease;
mod mysql;
mod pool;
mod postgres;
mod prepared;
mod sqlite;

use std::fmt::Display;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rulebook::handler_kind::{HandlerError, Measurement};
use sqlx::sqlite::SqliteConnectOptions;
use tokio::runtime::Handle;
use tokio::time::sleep;

use crate::settings::DatabaseSettings;

pub(crate) use dialect::Dialect;
pub(crate) use lease::{FileRow, JsonRow, Lease, LeaseEnd, PageRow, TextRow, row_object};
pub(crate) use pool::{Connection, DeletedRows};
use pool::{Options, Pool};
pub(crate) use prepared::{Accepts, Binding, Bound, Column, ColumnType, PageOrder, PrepareError, Prepared};
pub(crate) use sqlite::Violation;

/// A database, which is opened when the API starts.
pub(crate) struct Database {
    pub settings: DatabaseSettings,
    pool: OnceLock<Arc<Pool>>,
    /// The connections of migrations, if they have an address of their own.
    migration_pool: OnceLock<Arc<Pool>>,
    pub failures: Failures,
    pub slow_calls: AtomicU64,
}

impl Database {
    pub(crate) fn new(settings: DatabaseSettings) -> Self {
        Self {
            settings,
            pool: OnceLock::new(),
            migration_pool: OnceLock::new(),
            failures: Failures::new(),
            slow_calls: AtomicU64::new(0),
        }
    }

    /// Returns the file of a database of SQLite.
    pub(crate) fn file(&self, data_folder: &Path) -> Option<PathBuf> {
        let is_file = self.settings.dialect == Dialect::Sqlite;
        let options = if is_file { SqliteConnectOptions::from_str(&self.settings.url).ok() } else { None };
        options.map(|options| data_folder.join(options.get_filename()))
    }

    /// Creates the pool, in the runtime of the caller. Connections are opened when they are needed.
    pub(crate) fn open(&self, data_folder: &Path) -> Result<(), sqlx::Error> {
        if let Some(url) = &self.settings.migrations_url {
            let options = Options::new(url, &self.settings, data_folder)?;
            let _ = self.migration_pool.set(Arc::new(Pool::new(options, 1, self.settings.pool_timeout)));
        }
        self.open_at(&self.settings.url, data_folder)
    }

    /// Creates the pool with the address of another database of the same kind.
    pub(crate) fn open_at(&self, url: &str, data_folder: &Path) -> Result<(), sqlx::Error> {
        let settings = &self.settings;
        let options = Options::new(url, settings, data_folder)?;
        // A database is opened once.
        let _ = self.pool.set(Arc::new(Pool::new(options, settings.pool as usize, settings.pool_timeout)));
        Ok(())
    }

    /// Waits until no other program applies migrations, and keeps others from doing so.
    /// The error is a message.
    pub(crate) async fn lock_migrations(&self, lease: &mut Lease) -> Result<MigrationLock, String> {
        let pool = self.migration_pool().map_err(|error| not_locked(&error))?;
        MigrationLock::acquire(lease.connection(), &pool.options, pool.sqlite_file(), &self.settings.name).await
    }

    pub(crate) fn unusable(&self, error: &dyn Display) -> HandlerError {
        let at = self.pool.get().map_or_else(String::new, |pool| format!(" at {}", pool.options.location()));
        self.at_address(format!("the database `{}`{at} cannot be used: {error}", self.settings.name))
    }

    /// Returns an error at the address in the settings, without the line, which may contain a password.
    pub(crate) fn at_address(&self, message: String) -> HandlerError {
        let error = HandlerError::new(message);
        match self.settings.url_span {
            Some(span) => error.at(span).hide_line(),
            None => error,
        }
    }

    /// Returns the address of an open database without the user and the password.
    pub(crate) fn location(&self) -> String {
        self.pool.get().map(|pool| pool.options.location()).unwrap_or_default()
    }

    /// Closes the connections that no call uses.
    pub(crate) async fn close(&self) {
        for pool in [&self.pool, &self.migration_pool].into_iter().filter_map(OnceLock::get) {
            pool.close().await;
        }
    }

    pub(crate) async fn lease_for_migrations(&self) -> Result<Lease, sqlx::Error> {
        self.migration_pool()?.lease(false).await
    }

    pub(crate) async fn lease(&self) -> Result<Lease, sqlx::Error> {
        self.pool()?.lease(false).await
    }

    /// Downloads use at most half of the connections, so that clients that read slowly leave the others to calls.
    pub(crate) async fn lease_for_download(&self) -> Result<Lease, sqlx::Error> {
        self.pool()?.lease(true).await
    }

    /// `None` if the future has not ended in time. The caller need not be in a runtime with timers.
    pub(crate) async fn within<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        match self.pool() {
            Ok(pool) => pool.within(limit, future).await,
            Err(_) => Some(future.await),
        }
    }

    pub(crate) fn runtime(&self) -> Result<Handle, sqlx::Error> {
        self.pool().map(|pool| pool.runtime.clone())
    }

    /// Executes a statement, to find out whether the database responds. Fails, too, while the calls of methods fail.
    pub(crate) async fn check_readiness(&self) -> Result<(), String> {
        let query = async {
            let mut lease = self.lease().await?;
            lease.run("SELECT 1").await?;
            lease.end(LeaseEnd::Reuse);
            Ok::<_, sqlx::Error>(())
        };
        let name = &self.settings.name;
        match self.within(self.settings.timeout, query).await {
            Some(Ok(())) => match self.failures.count() {
                count if count < self.settings.max_failed_calls => Ok(()),
                count => Err(format!("the database `{name}` has failed the last {count} calls")),
            },
            Some(Err(error)) => Err(format!("the database `{name}`: {error}")),
            None => Err(format!("the database `{name}` does not respond in time")),
        }
    }

    pub(crate) fn measure(&self) -> Vec<Measurement> {
        let pool = self.pool.get().map(|pool| pool.measure()).unwrap_or_default();
        let slow = self.slow_calls.load(Ordering::Relaxed);
        let measured = [
            Measurement::gauge("sql_connections_used", "Connections that calls use, by database.", pool.used),
            Measurement::gauge("sql_connections_idle", "Open connections that no call uses, by database.", pool.idle),
            Measurement::gauge("sql_connections_max", "The setting pool, by database.", pool.max),
            Measurement::gauge("sql_waiting_calls", "Calls that wait for a connection, by database.", pool.waiting),
            Measurement::counter(
                "sql_pool_timeouts",
                "Calls that got no connection in time, by database.",
                pool.timeouts,
            ),
            Measurement::counter("sql_slow_calls", "Calls that took longer than slow_call, by database.", slow),
        ];
        measured.into_iter().map(|measured| measured.label("database", &*self.settings.name)).collect()
    }

    fn migration_pool(&self) -> Result<&Arc<Pool>, sqlx::Error> {
        self.migration_pool.get().map_or_else(|| self.pool(), Ok)
    }

    fn pool(&self) -> Result<&Arc<Pool>, sqlx::Error> {
        self.pool.get().ok_or(sqlx::Error::PoolClosed)
    }
}

/// The time for which failed calls count if no further call fails. Without an end, a server that gets no requests
/// because it is not ready would never be ready again.
const MEMORY: Duration = Duration::from_secs(30);

/// The failed calls since the last one that succeeded.
pub(crate) struct Failures {
    count: AtomicU32,
    start: Instant,
    /// The time of the last failed call, in milliseconds after the start.
    last: AtomicU64,
}

impl Failures {
    fn new() -> Self {
        Self { count: AtomicU32::new(0), start: Instant::now(), last: AtomicU64::new(0) }
    }

    pub(crate) fn add(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
        let _ = self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_add(1));
    }

    /// Notes a call that the database has not failed. Threads share the count, so that it is rarely written.
    pub(crate) fn end(&self) {
        if self.count.load(Ordering::Relaxed) != 0 {
            self.count.store(0, Ordering::Relaxed);
        }
    }

    /// Returns the number of failed calls, which is 0 some time after the last one.
    fn count(&self) -> u32 {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        let is_recent = self.start.elapsed().saturating_sub(last) < MEMORY;
        if is_recent { self.count.load(Ordering::Relaxed) } else { 0 }
    }
}

/// The maximum time for which a program waits for another one: migrations of large tables take long.
const MAX_WAIT: Duration = Duration::from_secs(3600);
/// The time between two attempts to get the lock. A statement that waits in the database would block a migration that
/// waits for all older statements, such as `CREATE INDEX CONCURRENTLY` of PostgreSQL.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);
/// The time after which the log says that the program waits.
const FIRST_MESSAGE: Duration = Duration::from_secs(2);
const MESSAGE_INTERVAL: Duration = Duration::from_secs(60);

/// What follows the name of an SQLite database in that of the file that programs lock while they migrate it.
const LOCK_SUFFIX: &str = ".migrations.lock";

/// The lock of the crate sqlx does not work in MariaDB, which has no GET_LOCK without a time limit. Such a lock belongs
/// to the server, so that its name contains that of the database.
const LOCK_MYSQL: &str =
    "SELECT CAST(GET_LOCK(CONCAT('rulebook migrations ', MD5(COALESCE(DATABASE(), ''))), 0) AS SIGNED)";
const UNLOCK_MYSQL: &str = "SELECT RELEASE_LOCK(CONCAT('rulebook migrations ', MD5(COALESCE(DATABASE(), ''))))";
/// The transaction of the lock waits as long as the migrations run, and must keep no other one waiting.
const BEGIN_POSTGRES: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = 0";
/// The number identifies the lock in the database, and the other one the schema. The lock ends with its transaction:
/// behind a pooler, the lock of a session would remain with a connection that other clients get.
const LOCK_POSTGRES: &str =
    "SELECT pg_try_advisory_xact_lock(78210643, hashtext(coalesce(current_schema()::text, '')))";

/// The lock of the migrations of a database. PostgreSQL and MySQL also unlock when the connection ends.
pub(crate) struct MigrationLock {
    /// The locked file beside an SQLite database.
    _file: Option<File>,
    /// The connection whose transaction has the lock in PostgreSQL.
    transaction: Option<Connection>,
}

impl MigrationLock {
    /// Waits at most for [`MAX_WAIT`]. `name` is for the log, and `database` the file of an SQLite database.
    async fn acquire(
        connection: &mut Connection,
        options: &Options,
        database: Option<&Path>,
        name: &str,
    ) -> Result<Self, String> {
        let file = database.and_then(|database| {
            let mut path = database.as_os_str().to_owned();
            path.push(LOCK_SUFFIX);
            open_file(Path::new(&path))
        });
        let start = Instant::now();
        let mut next_message = FIRST_MESSAGE;
        let mut transaction = None;
        if matches!(connection, Connection::Postgres(_)) {
            let mut locking = options.open().await.map_err(|error| not_locked(&error))?.connection;
            locking.run(BEGIN_POSTGRES).await.map_err(|error| not_locked(&error))?;
            transaction = Some(locking);
        }
        while !try_lock(transaction.as_mut().unwrap_or(connection), file.as_ref())
            .await
            .map_err(|error| not_locked(&error))?
        {
            let waited = start.elapsed();
            if waited >= MAX_WAIT {
                let seconds = waited.as_secs();
                return Err(format!(
                    "another program has been applying migrations to this database for {seconds} seconds; start this \
                     one when it has ended"
                ));
            }
            if waited >= next_message {
                log::warn!("the database `{name}`: waiting for another program, which applies migrations to it");
                next_message = waited + MESSAGE_INTERVAL;
            }
            sleep(RETRY_INTERVAL).await;
        }
        Ok(Self { _file: file, transaction })
    }

    pub(crate) async fn release(self, connection: &mut Connection) {
        if let Some(transaction) = self.transaction {
            transaction.close().await;
        } else if matches!(connection, Connection::Mysql(_)) {
            // If the statement fails, the lock ends with the connection.
            let _ = connection.run(UNLOCK_MYSQL).await;
        }
    }
}

fn not_locked(error: &sqlx::Error) -> String {
    format!("they cannot be locked: {error}")
}

/// Opens the file that is locked. Its content does not matter, so that a file of another user can be locked too. `None`
/// means that no lock is needed, because SQLite cannot change a database in a folder in which no file can be created.
fn open_file(path: &Path) -> Option<File> {
    File::options().create(true).truncate(false).write(true).open(path).or_else(|_| File::open(path)).ok()
}

/// Tries to lock the migrations; returns `false` if another program has locked them.
async fn try_lock(connection: &mut Connection, file: Option<&File>) -> Result<bool, sqlx::Error> {
    match connection {
        Connection::Sqlite(_) => match file.map(File::try_lock) {
            Some(Err(TryLockError::WouldBlock)) => Ok(false),
            Some(Err(TryLockError::Error(error))) => Err(sqlx::Error::Io(error)),
            Some(Ok(())) | None => Ok(true),
        },
        Connection::Postgres(connection) => sqlx::query_scalar(LOCK_POSTGRES).fetch_one(connection).await,
        Connection::Mysql(connection) => {
            let locked: Option<i64> = sqlx::query_scalar(LOCK_MYSQL).fetch_one(connection).await?;
            let locked = locked.ok_or_else(|| sqlx::Error::Protocol("GET_LOCK has returned NULL".to_owned()))?;
            Ok(locked == 1)
        }
    }
}
