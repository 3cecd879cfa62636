//! The storage of idempotency keys in a database: a file of SQLite, or a database that several servers share.

mod records;
mod statements;

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rulebook::idempotency::{
    ClaimedKey, IdempotencyError, IdempotencyKeyState, IdempotencyStorage, KeyClaim, StorageFuture,
};

use crate::database::{Database, Dialect};
use crate::storage::{INTERRUPTED, OpenError, Storage, within};
use records::Records;
use statements::Statements;

/// The maximum time for one function of the storage. Requests wait for it.
const TIMEOUT: Duration = Duration::from_secs(5);
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
    storage: Storage,
    records: Arc<Records>,
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
        let is_file = dialect == Dialect::Sqlite;
        let storage = Storage::new("idempotency", url, dialect, data_folder, if is_file { 1 } else { 8 }, TIMEOUT);
        let storage = storage.map_err(|error| match error {
            OpenError::Address(reason) => invalid(reason),
            OpenError::Runtime(error) => IdempotencyError::new(describe(&error.to_string())),
        })?;
        let keys = Self { storage, records: Arc::new(Records::new(Statements::new(dialect))) };
        // A file that cannot be opened is not one that is still starting.
        let wait = if is_file { Duration::ZERO } else { wait };
        keys.storage.wait_until_ready(wait, "the database of the idempotency keys", || keys.prepare())?;
        keys.clean_regularly();
        Ok(keys)
    }

    /// Returns the address of the database without the user and the password.
    #[must_use]
    pub fn location(&self) -> String {
        self.storage.location.clone()
    }

    fn prepare(&self) -> Result<(), IdempotencyError> {
        let records = Arc::clone(&self.records);
        let prepared = self.storage.wait(TIMEOUT, |database| async move { records.prepare(&database).await });
        prepared.map_err(|reason| IdempotencyError::new(format!("{}: {reason}", self.storage.location)))
    }

    /// Removes expired records again and again, until the storage is dropped.
    fn clean_regularly(&self) {
        let records = Arc::downgrade(&self.records);
        self.storage.spawn(|database| async move {
            while let Some(current) = records.upgrade() {
                if let Err(reason) = clean(&current, &database).await {
                    log::warn!("expired idempotency keys cannot be removed: {reason}");
                }
                drop(current);
                tokio::time::sleep(CLEAN_INTERVAL).await;
            }
        });
    }

    /// Runs a function of the records in the thread of the connections.
    fn run<T, F>(&self, function: impl FnOnce(Arc<Records>, Arc<Database>) -> F) -> StorageFuture<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, sqlx::Error>> + Send + 'static,
    {
        let (records, location) = (Arc::clone(&self.records), self.storage.location.clone());
        let running = self.storage.run(TIMEOUT, |database| function(records, database));
        Box::pin(async move {
            let result = running.await.unwrap_or_else(|_| Err(INTERRUPTED.to_owned()));
            result.map_err(|reason| IdempotencyError::new(format!("{location}: {reason}")))
        })
    }
}

/// Removes all expired records in batches, and counts the others.
async fn clean(records: &Records, database: &Database) -> Result<(), String> {
    let mut batch = MAX_BATCH;
    loop {
        let start = Instant::now();
        let result = within(TIMEOUT, records.remove_expired(database, batch)).await;
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
    within(TIMEOUT, records.count_records(database)).await
}

impl IdempotencyStorage for SqlIdempotency {
    fn claim(&self, claim: KeyClaim) -> StorageFuture<IdempotencyKeyState> {
        self.run(|records, database| async move { records.claim(&database, claim).await })
    }

    fn renew(&self, claimed: &ClaimedKey, lease: Duration) -> StorageFuture<()> {
        let claimed = claimed.clone();
        self.run(move |records, database| async move { records.renew(&database, &claimed, lease).await })
    }

    fn store(&self, claimed: &ClaimedKey, response: Vec<u8>, lifetime: Duration) -> StorageFuture<()> {
        let claimed = claimed.clone();
        self.run(move |records, database| async move { records.store(&database, &claimed, &response, lifetime).await })
    }

    fn release(&self, claimed: &ClaimedKey) -> StorageFuture<()> {
        let claimed = claimed.clone();
        self.run(move |records, database| async move { records.release(&database, &claimed).await })
    }

    fn check(&self) -> StorageFuture<()> {
        self.run(|records, database| async move { records.check(&database).await })
    }

    fn private_files(&self) -> Vec<PathBuf> {
        self.storage.file.iter().cloned().collect()
    }
}

impl fmt::Debug for SqlIdempotency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlIdempotency").field("location", &self.location()).finish_non_exhaustive()
    }
}
