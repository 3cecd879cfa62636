//! The databases of a definition, and their pools of connections.

mod connection;
mod dialect;
mod failures;
mod lease;
mod migration_lock;
mod mysql;
mod pool;
mod postgres;
mod postgres_value;
mod prepared;
mod results;
mod sqlite;

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rulebook::handler_kind::{HandlerError, Measurement};
use sqlx::sqlite::SqliteConnectOptions;
use thiserror::Error;
use tokio::runtime::Handle;

use connection::Options;
pub(crate) use connection::{Connection, DeletedRows};
pub(crate) use dialect::Dialect;
use failures::Failures;
pub(crate) use lease::{FileRow, JsonRow, Lease, LeaseEnd, PageRow, TextRow, row_object};
pub(crate) use migration_lock::MigrationLock;
use pool::Pool;
pub(crate) use prepared::{Accepts, Binding, Bound, Column, ColumnType, PageOrder, PrepareError, Prepared};
pub(crate) use sqlite::Violation;

use crate::settings::DatabaseSettings;

/// Why the migrations of a database cannot be locked.
#[derive(Debug, Error)]
pub(crate) enum LockError {
    #[error(
        "another program has been applying migrations to this database for {} seconds; start this one when it has ended",
        .0.as_secs()
    )]
    Locked(Duration),
    #[error("they cannot be locked: {0}")]
    Database(sqlx::Error),
}

/// A database, which is opened when the API starts.
pub(crate) struct Database {
    pub settings: DatabaseSettings,
    /// The connections, after the start of the API.
    pool: OnceLock<Arc<Pool>>,
    /// The connections of migrations, if they have an address of their own.
    migration_pool: OnceLock<Arc<Pool>>,
    /// The calls that the database has failed, one after the other.
    pub failures: Failures,
    /// The number of calls that were slow.
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
    pub(crate) async fn lock_migrations(&self, lease: &mut Lease) -> Result<MigrationLock, LockError> {
        let pool = self.migration_pool().map_err(LockError::Database)?;
        MigrationLock::acquire(lease.connection(), &pool.options, pool.sqlite_file(), &self.settings.name).await
    }

    /// Returns the error of a database that cannot be used, at its address.
    pub(crate) fn unusable(&self, error: &dyn Display) -> HandlerError {
        let at = self.pool.get().map_or_else(String::new, |pool| format!(" at {}", pool.options.location()));
        let error = HandlerError::new(format!("the database `{}`{at} cannot be used: {error}", self.settings.name));
        match self.settings.url_span {
            // The line may contain a password.
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

    /// Borrows a connection for migrations.
    pub(crate) async fn lease_for_migrations(&self) -> Result<Lease, sqlx::Error> {
        self.migration_pool()?.lease(false).await
    }

    /// Borrows a connection for a call.
    pub(crate) async fn lease(&self) -> Result<Lease, sqlx::Error> {
        self.pool()?.lease(false).await
    }

    /// Borrows a connection for a download. Downloads use at most half of the connections, so that clients that read
    /// slowly leave the others to calls.
    pub(crate) async fn lease_for_download(&self) -> Result<Lease, sqlx::Error> {
        self.pool()?.lease(true).await
    }

    /// Waits for a future, at most for this time; `None` if it has not ended. The caller need not be in a runtime with
    /// timers.
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

    /// Measures the connections, and the calls that wait for them or were slow.
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
