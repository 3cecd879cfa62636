//! The storage of idempotency keys in a database: a file of SQLite, or a database that several servers share.
//!
//! A record whose time `expires` has passed does not count: its key is free. For a claim, `expires` is the end of the
//! lease; for a response, the end of its lifetime. Times are in milliseconds. All values are sent and received as
//! texts. A `?` is a parameter in all dialects.

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rulebook::idempotency::{
    ClaimedKey, IdempotencyError, IdempotencyKeyState, IdempotencyStorage, KeyClaim, StorageFuture,
};
use tokio::sync::Mutex as AsyncMutex;

use crate::database::{Database, Dialect};
use crate::storage::{INTERRUPTED, OpenError, Storage, create_tables, execute_repeatedly, within};

/// The maximum time for one function of the storage. Requests wait for it.
const TIMEOUT: Duration = Duration::from_secs(5);
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
        let ClaimedKey { id, token, .. } = claimed.clone();
        self.run(move |records, database| async move {
            execute_repeatedly(&database, &records.statements.renew, &[&millis(lease), &id, &token]).await.map(drop)
        })
    }

    fn store(&self, claimed: &ClaimedKey, response: Vec<u8>, lifetime: Duration) -> StorageFuture<()> {
        let ClaimedKey { id, payload, token, .. } = claimed.clone();
        self.run(move |records, database| async move {
            let (lifetime, response) = (millis(lifetime), BASE64.encode(response));
            let parameters: [&str; 5] = [&id, &payload, &token, &lifetime, &response];
            execute_repeatedly(&database, &records.statements.store, &parameters).await.map(drop)
        })
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

/// The number of attempts to claim a key whose record another server changes at the same time.
const ATTEMPTS: usize = 5;
/// The part of the remaining records that a server adds until it counts those of all servers again, and the least part
/// of the maximum, because counting many records takes long.
const PART_OF_REMAINING: u64 = 16;
const MIN_PART: u64 = 1_000;
/// The minimum time between two counts of records by requests while there are too many.
const COUNT_INTERVAL: Duration = Duration::from_secs(1);

struct Records {
    statements: Statements,
    /// The number of records that have not expired, as far as it is known: other servers add some, and some expire.
    count: AtomicU64,
    /// The number of records at which a request counts them again.
    count_again_at: AtomicU64,
    /// The maximum number of records of the last request.
    max: AtomicU64,
    /// The time at which a request has counted the records and found too many. It is locked while they are counted, so
    /// that other requests wait for the result.
    found_full: AsyncMutex<Option<Instant>>,
}

impl Records {
    fn new(statements: Statements) -> Self {
        Self {
            statements,
            count: AtomicU64::default(),
            count_again_at: AtomicU64::default(),
            max: AtomicU64::default(),
            found_full: AsyncMutex::default(),
        }
    }

    /// Creates the table if it does not exist, and counts the records.
    async fn prepare(&self, database: &Database) -> Result<(), sqlx::Error> {
        if self.check(database).await.is_err() {
            create_tables(database, self.statements.create).await?;
        }
        self.count_records(database).await
    }

    async fn claim(&self, database: &Database, claim: KeyClaim) -> Result<IdempotencyKeyState, sqlx::Error> {
        let KeyClaim { key, lease, max_records, .. } = &claim;
        let is_full = self.is_full(database, *max_records).await?;
        let lease = millis(*lease);
        for _ in 0..ATTEMPTS {
            if !is_full {
                let rows =
                    execute_repeatedly(database, &self.statements.claim, &[&key.id, &key.payload, &key.token, &lease])
                        .await?;
                if !rows.is_empty() {
                    self.count.fetch_add(1, Ordering::Relaxed);
                    return Ok(IdempotencyKeyState::Claimed);
                }
            }
            let rows = execute_repeatedly(database, &self.statements.read, &[&key.id]).await?;
            let Some([Some(token), Some(payload), response]) = rows.first().map(Vec::as_slice) else {
                if is_full {
                    return Ok(IdempotencyKeyState::Full);
                }
                // The record has expired since the key was claimed.
                continue;
            };
            if **token == *key.token {
                self.count.fetch_add(1, Ordering::Relaxed);
                return Ok(IdempotencyKeyState::Claimed);
            }
            let payload = payload.as_str().into();
            return match response {
                None => Ok(IdempotencyKeyState::InUse { payload }),
                Some(response) => {
                    let response = BASE64.decode(response).map_err(|error| sqlx::Error::Decode(error.into()))?;
                    Ok(IdempotencyKeyState::Stored { payload, response })
                }
            };
        }
        Err(sqlx::Error::Protocol("the record changes again and again".to_owned()))
    }

    /// Returns `true` if there are too many records. Counts them again if this server has added some since it counted
    /// them, unless there were too many less than [`COUNT_INTERVAL`] ago.
    async fn is_full(&self, database: &Database, max: u64) -> Result<bool, sqlx::Error> {
        self.max.store(max, Ordering::Relaxed);
        let must_count = || self.count.load(Ordering::Relaxed) >= self.count_again_at.load(Ordering::Relaxed).min(max);
        if !must_count() {
            return Ok(false);
        }
        let mut found_full = self.found_full.lock().await;
        let is_full = || self.count.load(Ordering::Relaxed) >= max;
        // Another request may have counted the records in the meantime.
        if must_count() && found_full.is_none_or(|time| time.elapsed() >= COUNT_INTERVAL) {
            // Keys that are claimed at the same time may be counted twice: there are too many only if the database has
            // counted too many. This ends, because later claims wait for the lock.
            while self.count_while_locked(database).await? < max && is_full() {}
            *found_full = is_full().then(Instant::now);
        }
        Ok(is_full())
    }

    async fn release(&self, database: &Database, key: &ClaimedKey) -> Result<(), sqlx::Error> {
        execute_repeatedly(database, self.statements.release, &[&key.id, &key.token]).await?;
        // If the claim had ended before, the number is too small until the records are counted again.
        let less_one = |count: u64| count.checked_sub(1);
        let _ = self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less_one);
        Ok(())
    }

    /// Removes expired records, at most `limit`. Returns `true` if there are more of them.
    async fn remove_expired(&self, database: &Database, limit: u32) -> Result<bool, sqlx::Error> {
        execute_repeatedly(database, &self.statements.remove_expired(limit), &[]).await?;
        let rows = execute_repeatedly(database, &self.statements.find_expired, &[]).await?;
        Ok(!rows.is_empty())
    }

    /// Counts the records that have not expired.
    async fn count_records(&self, database: &Database) -> Result<(), sqlx::Error> {
        let _locked = self.found_full.lock().await;
        self.count_while_locked(database).await.map(drop)
    }

    /// Counts the records, and returns the number that the database has counted.
    async fn count_while_locked(&self, database: &Database) -> Result<u64, sqlx::Error> {
        let before = self.count.load(Ordering::Relaxed);
        let rows = execute_repeatedly(database, &self.statements.count, &[]).await?;
        let counted: Option<u64> = rows.first().and_then(|row| row.first()?.as_deref()?.parse().ok());
        let counted = counted.unwrap_or_default();
        // The result may or may not contain the keys that were claimed in the meantime. If they are counted twice, a
        // request that finds too many records counts them again.
        let add_claimed = |count: u64| Some(counted + count.saturating_sub(before));
        let _ = self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add_claimed);
        let (count, max) = (self.count.load(Ordering::Relaxed), self.max.load(Ordering::Relaxed));
        let step = (max.saturating_sub(count) / PART_OF_REMAINING).max(max / MIN_PART).max(1);
        self.count_again_at.store(count + step, Ordering::Relaxed);
        Ok(counted)
    }

    async fn check(&self, database: &Database) -> Result<(), sqlx::Error> {
        execute_repeatedly(database, &self.statements.read, &[""]).await.map(drop)
    }
}

fn millis(time: Duration) -> String {
    time.as_millis().to_string()
}

struct Statements {
    /// Create the table, unless it exists.
    pub create: &'static [&'static str],
    /// Claims a key if it is free. Parameters: id, payload, token, lease. If the key was claimed, returns a row, or
    /// `read` returns the token.
    pub claim: String,
    /// Returns the token, the payload and the response of a key that is not free. Parameter: id.
    pub read: String,
    /// Extends a claim. Parameters: lease, id, token.
    pub renew: String,
    /// Stores a response. Parameters: id, payload, token, lifetime, response.
    pub store: String,
    /// Removes a record. Parameters: id, token.
    pub release: &'static str,
    /// Returns a row if `remove_expired` would remove a record.
    pub find_expired: String,
    /// Returns the number of records that have not expired.
    pub count: String,
    dialect: Dialect,
}

impl Statements {
    fn new(dialect: Dialect) -> Self {
        let DialectSql { now, statement_start, skip_locked, duration_parameter, text_type } = DialectSql::of(dialect);
        let (alias, on_claim, on_store) = match dialect {
            Dialect::Sqlite | Dialect::Postgres => (
                " AS r",
                format!(
                    "ON CONFLICT (id) DO UPDATE SET payload = excluded.payload, token = excluded.token, \
                     expires = excluded.expires, response = NULL WHERE r.expires <= {now} RETURNING token"
                ),
                "ON CONFLICT (id) DO UPDATE SET expires = excluded.expires, response = excluded.response \
                 WHERE r.token = excluded.token",
            ),
            // MySQL assigns the columns from left to right, and later assignments see the new values: the token, which
            // is different for each claim, shows whether the key was free.
            Dialect::Mysql => (
                "",
                format!(
                    "ON DUPLICATE KEY UPDATE token = IF(expires <= {now}, VALUES(token), token), \
                     payload = IF(token = VALUES(token), VALUES(payload), payload), \
                     response = IF(token = VALUES(token), NULL, response), \
                     expires = IF(token = VALUES(token), VALUES(expires), expires)"
                ),
                "ON DUPLICATE KEY UPDATE response = IF(token = VALUES(token), VALUES(response), response), \
                 expires = IF(token = VALUES(token), VALUES(expires), expires)",
            ),
        };
        let insert = format!(
            "INSERT INTO rulebook_idempotency{alias} (id, payload, token, expires, response) \
             VALUES (?, ?, ?, {now} + {duration_parameter}, "
        );
        Self {
            create: create(dialect),
            claim: format!("{insert}NULL) {on_claim}"),
            read: format!("SELECT token, payload, response FROM rulebook_idempotency WHERE id = ? AND expires > {now}"),
            renew: format!(
                "UPDATE rulebook_idempotency SET expires = {now} + {duration_parameter} \
                 WHERE id = ? AND token = ? AND response IS NULL"
            ),
            store: format!("{insert}?) {on_store}"),
            release: "DELETE FROM rulebook_idempotency WHERE id = ? AND token = ?",
            find_expired: format!(
                "SELECT id FROM rulebook_idempotency WHERE expires <= {statement_start} \
                 ORDER BY expires LIMIT 1{skip_locked}"
            ),
            count: format!(
                "SELECT CAST(COUNT(*) AS {text_type}) FROM rulebook_idempotency WHERE expires > {statement_start}"
            ),
            dialect,
        }
    }

    /// Returns the statement that removes expired records, at most `limit`: many records at once would be locked for a
    /// long time. With the order, the database searches the index. Otherwise PostgreSQL may read the whole table, and
    /// MySQL lock it.
    fn remove_expired(&self, limit: u32) -> String {
        let DialectSql { statement_start, skip_locked, .. } = DialectSql::of(self.dialect);
        let delete = format!("DELETE FROM rulebook_idempotency WHERE expires <= {statement_start}");
        let first = format!("ORDER BY expires LIMIT {limit}{skip_locked}");
        let batch = format!("SELECT id FROM rulebook_idempotency WHERE expires <= {statement_start} {first}");
        match self.dialect {
            Dialect::Sqlite => format!("{delete} AND id IN ({batch})"),
            // The array is made once. With `IN`, PostgreSQL may execute the selection more than once.
            Dialect::Postgres => format!("{delete} AND id = ANY (ARRAY({batch}))"),
            Dialect::Mysql => format!("{delete} {first}"),
        }
    }
}

/// The parts of statements that differ between the dialects.
struct DialectSql {
    /// The current time of the database.
    now: &'static str,
    /// The time at which the statement has started. The database finds records by this time in the index.
    statement_start: &'static str,
    /// The end of a selection that ignores records that another transaction has locked.
    skip_locked: &'static str,
    /// A parameter that is a period of time.
    duration_parameter: &'static str,
    text_type: &'static str,
}

const SQLITE_NOW: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";
const MYSQL_NOW: &str = "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)";

impl DialectSql {
    fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Sqlite => Self {
                now: SQLITE_NOW,
                statement_start: SQLITE_NOW,
                skip_locked: "",
                duration_parameter: "CAST(? AS INTEGER)",
                text_type: "TEXT",
            },
            Dialect::Postgres => Self {
                // This time is read after the statement has waited for the lock of a record.
                now: "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint",
                statement_start: "(EXTRACT(EPOCH FROM statement_timestamp()) * 1000)::bigint",
                skip_locked: " FOR UPDATE SKIP LOCKED",
                duration_parameter: "?::text::bigint",
                text_type: "TEXT",
            },
            Dialect::Mysql => Self {
                now: MYSQL_NOW,
                statement_start: MYSQL_NOW,
                // MySQL reads without waiting for locks.
                skip_locked: "",
                duration_parameter: "CAST(? AS SIGNED)",
                text_type: "CHAR",
            },
        }
    }
}

fn create(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::Sqlite => &[
            "CREATE TABLE IF NOT EXISTS rulebook_idempotency (id TEXT PRIMARY KEY, payload TEXT NOT NULL, \
             token TEXT NOT NULL, expires INTEGER NOT NULL, response TEXT) WITHOUT ROWID",
            CREATE_INDEX,
        ],
        Dialect::Postgres => &[
            // Without the lock, two servers that create the table at the same time could fail.
            "SELECT pg_advisory_xact_lock(7821064330)",
            "CREATE TABLE IF NOT EXISTS rulebook_idempotency (id VARCHAR(64) PRIMARY KEY, payload VARCHAR(64) NOT NULL, \
             token VARCHAR(32) NOT NULL, expires BIGINT NOT NULL, response TEXT)",
            CREATE_INDEX,
        ],
        Dialect::Mysql => &["CREATE TABLE IF NOT EXISTS rulebook_idempotency \
             (id CHAR(64) CHARACTER SET ascii PRIMARY KEY, payload CHAR(64) CHARACTER SET ascii NOT NULL, \
             token CHAR(32) CHARACTER SET ascii NOT NULL, expires BIGINT NOT NULL, \
             response LONGTEXT CHARACTER SET ascii, INDEX rulebook_idempotency_expires (expires)) ENGINE = InnoDB"],
    }
}

const CREATE_INDEX: &str = "CREATE INDEX IF NOT EXISTS rulebook_idempotency_expires ON rulebook_idempotency (expires)";
