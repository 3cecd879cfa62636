//! The storage of idempotency keys in a database: a file of SQLite, or a database that several servers share.

mod records;
mod statements;

use std::fmt;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rulebook::idempotency::{ClaimedKey, IdempotencyError, IdempotencyStorage, KeyClaim, KeyState, StorageFuture};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::address::{UNENCODED, has_unencoded_credentials};
use crate::database::{Dialect, Session};
use crate::settings::DatabaseSettings;
use records::Records;
use statements::Statements;

/// The maximum time for one function of the storage. Requests wait for it.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum time for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The time between two attempts to reach the database at the start.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);
/// The time between two removals of expired records.
const CLEAN_INTERVAL: Duration = Duration::from_secs(30);
/// The maximum number of expired records that one statement removes.
const MAX_BATCH: u32 = 1_000;
/// The number of expired records that one statement removes if the removal of more takes too long.
const MIN_BATCH: u32 = 10;
/// The time that the removal of a batch should take: meanwhile, requests wait for the single connection of SQLite.
const BATCH_TIME: Duration = Duration::from_millis(500);

/// A storage of idempotency keys in SQLite, PostgreSQL, MySQL or MariaDB. Servers with the same database share the
/// keys: at most one of them runs the handler of a request.
///
/// The table `rulebook_idempotency` is created when it does not exist. All times are those of the database, so that the
/// clocks of the servers need not agree. A server uses at most 8 connections, or one connection of SQLite.
///
/// ```no_run
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use rulebook::Rulebook;
/// use rulebook_sql::SqlIdempotency;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let storage = SqlIdempotency::open("sqlite:idempotency.db", "data".as_ref(), Duration::from_secs(30))?;
/// let rulebook = Rulebook::load("api").idempotency_storage(Arc::new(storage));
/// # Ok(())
/// # }
/// ```
pub struct SqlIdempotency {
    records: Arc<Records>,
    /// The runtime of the connections; `None` only after the value was dropped.
    runtime: Option<Runtime>,
}

impl SqlIdempotency {
    /// Connects to the database at an address such as `postgres://user:password@host/database`,
    /// `mysql://user:password@host/database` or `sqlite:idempotency.db`, and creates the table if it does not exist.
    /// The path of a file is relative to `data_folder`. If the server of the database cannot be reached, tries again
    /// for the time `wait`.
    ///
    /// # Errors
    /// Fails if the address is not valid, or the database cannot be reached in time, or refuses the statements. The
    /// error contains no part of the address except the host and the name of the database.
    pub fn open(url: &str, data_folder: &Path, wait: Duration) -> Result<Self, IdempotencyError> {
        let describe = |reason: &str| format!("the database of the idempotency keys: {reason}");
        let invalid = |reason: &str| IdempotencyError::invalid_address(describe(reason));
        let Some(dialect) = Dialect::from_url(url) else {
            return Err(invalid("its address must begin with `postgres://`, `mysql://`, `mariadb://` or `sqlite:`"));
        };
        if has_unencoded_credentials(dialect, url) {
            return Err(invalid(UNENCODED));
        }
        let mut settings = DatabaseSettings::at("idempotency", url, dialect);
        settings.pool_timeout = CONNECT_TIMEOUT;
        settings.timeout = TIMEOUT;
        let session = Session::in_folder(&settings, data_folder).map_err(|_| invalid("its address is not valid"))?;
        // A thread for the connections, so that all workers can share them.
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("idempotency").enable_all().build();
        let runtime = runtime.map_err(|error| IdempotencyError::new(describe(&error.to_string())))?;
        let max_connections = if dialect == Dialect::Sqlite { 1 } else { 8 };
        let records = Arc::new(Records::new(session, Statements::new(dialect), max_connections));
        let storage = Self { records, runtime: Some(runtime) };
        // A file that cannot be opened is not one that is still starting.
        storage.wait_for_table(if dialect == Dialect::Sqlite { Duration::ZERO } else { wait })?;
        storage.clean_regularly();
        Ok(storage)
    }

    /// Returns the address of the database without the user and the password.
    #[must_use]
    pub fn location(&self) -> String {
        self.records.location()
    }

    /// Waits until the table can be used, and creates it if it does not exist.
    fn wait_for_table(&self, wait: Duration) -> Result<(), IdempotencyError> {
        let end = Instant::now() + wait;
        let mut is_logged = false;
        loop {
            let preparing = self.run(|records| async move { records.prepare().await });
            let Err(error) = futures_executor::block_on(preparing) else { return Ok(()) };
            if Instant::now() + RETRY_INTERVAL > end {
                return Err(error);
            }
            if !is_logged {
                log::warn!("waiting for the database of the idempotency keys: {error}");
                is_logged = true;
            }
            thread::sleep(RETRY_INTERVAL);
        }
    }

    /// Removes expired records again and again, until the storage is dropped.
    fn clean_regularly(&self) {
        let Some(runtime) = &self.runtime else { return };
        let records = Arc::downgrade(&self.records);
        runtime.spawn(async move {
            loop {
                let Some(current) = records.upgrade() else { return };
                if let Err(reason) = clean(&current).await {
                    log::warn!("expired idempotency keys cannot be removed: {reason}");
                }
                drop(current);
                tokio::time::sleep(CLEAN_INTERVAL).await;
            }
        });
    }

    /// Runs a function in the runtime of the connections. It runs to its end even if the future is dropped, so that its
    /// connection can be used again.
    fn run<T, F>(&self, function: impl FnOnce(Arc<Records>) -> F) -> StorageFuture<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, sqlx::Error>> + Send + 'static,
    {
        let location = self.location();
        let error = move |reason: &dyn fmt::Display| IdempotencyError::new(format!("{location}: {reason}"));
        let Some(runtime) = &self.runtime else {
            return Box::pin(std::future::ready(Err(error(&"the storage is closed"))));
        };
        let future = function(Arc::clone(&self.records));
        // The timeout needs the timers of the runtime.
        let running = runtime.spawn(within_timeout(future));
        Box::pin(async move {
            match running.await {
                Ok(Ok(result)) => Ok(result),
                Ok(Err(reason)) => Err(error(&reason)),
                Err(_) => Err(error(&"the statement was interrupted")),
            }
        })
    }
}

/// Removes all expired records in batches, and counts the others.
async fn clean(records: &Records) -> Result<(), String> {
    let mut batch = MAX_BATCH;
    loop {
        let start = Instant::now();
        let result = within_timeout(records.remove_expired(batch)).await;
        let is_slow = start.elapsed() > BATCH_TIME;
        match result {
            Ok(true) => {}
            Ok(false) => break,
            // Fewer records may be removed in time.
            Err(_) if is_slow && batch > MIN_BATCH => {}
            Err(reason) => return Err(reason),
        }
        if is_slow {
            batch = (batch / 10).max(MIN_BATCH);
        }
    }
    within_timeout(records.count_records()).await
}

/// Waits for the result of a function of [`Records`], at most for the time [`TIMEOUT`]. The error is the reason without
/// the address of the database.
async fn within_timeout<T>(future: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, String> {
    match timeout(TIMEOUT, future).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(sqlx::Error::PoolTimedOut)) => Err("no connection could be opened in time".to_owned()),
        Ok(Err(sqlx::Error::Configuration(_))) => Err("the address is not valid".to_owned()),
        Ok(Err(reason)) => Err(reason.to_string()),
        Err(_) => Err("the database does not respond in time".to_owned()),
    }
}

impl IdempotencyStorage for SqlIdempotency {
    fn claim(&self, claim: KeyClaim) -> StorageFuture<KeyState> {
        self.run(|records| async move { records.claim(claim).await })
    }

    fn renew(&self, claimed: &ClaimedKey, lease: Duration) -> StorageFuture<()> {
        let claimed = claimed.clone();
        self.run(move |records| async move { records.renew(&claimed, lease).await })
    }

    fn store(&self, claimed: &ClaimedKey, response: Vec<u8>, lifetime: Duration) -> StorageFuture<()> {
        let claimed = claimed.clone();
        self.run(move |records| async move { records.store(&claimed, &response, lifetime).await })
    }

    fn release(&self, claimed: &ClaimedKey) -> StorageFuture<()> {
        let claimed = claimed.clone();
        self.run(move |records| async move { records.release(&claimed).await })
    }

    fn check(&self) -> StorageFuture<()> {
        self.run(|records| async move { records.check().await })
    }
}

impl Drop for SqlIdempotency {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // The caller may be in a runtime, in which another one cannot be waited for.
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for SqlIdempotency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlIdempotency").field("location", &self.location()).finish_non_exhaustive()
    }
}
