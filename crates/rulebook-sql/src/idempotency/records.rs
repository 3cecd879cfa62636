//! Reads and changes the records of idempotency keys.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rulebook::idempotency::{ClaimedKey, IdempotencyKeyState, KeyClaim};
use tokio::sync::Mutex as AsyncMutex;

use super::statements::Statements;
use crate::database::Database;
use crate::storage::{create_tables, execute_repeatedly};

/// The number of attempts to claim a key whose record another server changes at the same time.
const ATTEMPTS: usize = 5;
/// The part of the remaining records that a server adds until it counts those of all servers again, and the least part
/// of the maximum, because counting many records takes long.
const PART_OF_REMAINING: u64 = 16;
const MIN_PART: u64 = 1_000;
/// The minimum time between two counts of records by requests while there are too many.
const COUNT_INTERVAL: Duration = Duration::from_secs(1);

/// What a server knows about the records in the table of idempotency keys.
pub(super) struct Records {
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
    pub(super) fn new(statements: Statements) -> Self {
        Self {
            statements,
            count: AtomicU64::default(),
            count_again_at: AtomicU64::default(),
            max: AtomicU64::default(),
            found_full: AsyncMutex::default(),
        }
    }

    /// Creates the table if it does not exist, and counts the records.
    pub(super) async fn prepare(&self, database: &Database) -> Result<(), sqlx::Error> {
        if self.check(database).await.is_err() {
            create_tables(database, self.statements.create).await?;
        }
        self.count_records(database).await
    }

    pub(super) async fn claim(&self, database: &Database, claim: KeyClaim) -> Result<IdempotencyKeyState, sqlx::Error> {
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

    pub(super) async fn renew(
        &self,
        database: &Database,
        key: &ClaimedKey,
        lease: Duration,
    ) -> Result<(), sqlx::Error> {
        execute_repeatedly(database, &self.statements.renew, &[&millis(lease), &key.id, &key.token]).await.map(drop)
    }

    pub(super) async fn store(
        &self,
        database: &Database,
        key: &ClaimedKey,
        response: &[u8],
        time: Duration,
    ) -> Result<(), sqlx::Error> {
        let (time, response) = (millis(time), BASE64.encode(response));
        let parameters: [&str; 5] = [&key.id, &key.payload, &key.token, &time, &response];
        execute_repeatedly(database, &self.statements.store, &parameters).await.map(drop)
    }

    pub(super) async fn release(&self, database: &Database, key: &ClaimedKey) -> Result<(), sqlx::Error> {
        execute_repeatedly(database, self.statements.release, &[&key.id, &key.token]).await?;
        // If the claim had ended before, the number is too small until the records are counted again.
        let less_one = |count: u64| count.checked_sub(1);
        let _ = self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less_one);
        Ok(())
    }

    /// Removes expired records, at most `limit`. Returns `true` if there are more of them.
    pub(super) async fn remove_expired(&self, database: &Database, limit: u32) -> Result<bool, sqlx::Error> {
        execute_repeatedly(database, &self.statements.remove_expired(limit), &[]).await?;
        let rows = execute_repeatedly(database, &self.statements.find_expired, &[]).await?;
        Ok(!rows.is_empty())
    }

    /// Counts the records that have not expired.
    pub(super) async fn count_records(&self, database: &Database) -> Result<(), sqlx::Error> {
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

    pub(super) async fn check(&self, database: &Database) -> Result<(), sqlx::Error> {
        execute_repeatedly(database, &self.statements.read, &[""]).await.map(drop)
    }
}

fn millis(time: Duration) -> String {
    time.as_millis().to_string()
}
