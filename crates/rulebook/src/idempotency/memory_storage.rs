//! A storage of idempotency keys in memory, for programs without another storage and for tests.

use std::collections::HashMap;
use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::storage::StorageFuture;
use super::{ClaimedKey, IdempotencyStorage, KeyClaim, KeyState};

/// The minimum time between two searches for expired records.
const CLEAN_INTERVAL: Duration = Duration::from_secs(10);

/// Stores idempotency keys in memory. They are lost when the program ends, and other servers do not know them.
#[derive(Debug, Default)]
pub struct MemoryStorage(Mutex<Records>);

#[derive(Debug, Default)]
struct Records {
    by_id: HashMap<Box<str>, Record>,
    cleaned: Option<Instant>,
}

#[derive(Debug)]
struct Record {
    payload: Box<str>,
    token: Box<str>,
    expires: Instant,
    /// `None` while the request is being handled.
    response: Option<Vec<u8>>,
}

impl MemoryStorage {
    fn lock(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the record of a key that was not claimed again.
    fn change(&self, claimed: &ClaimedKey, lifetime: Duration, response: Option<Vec<u8>>) -> StorageFuture<()> {
        let mut records = self.lock();
        if let Some(record) = records.by_id.get_mut(&claimed.id).filter(|record| record.token == claimed.token) {
            record.expires = Instant::now() + lifetime;
            record.response = response.or(record.response.take());
        }
        Box::pin(ready(Ok(())))
    }
}

impl Records {
    fn claim(&mut self, claim: KeyClaim) -> KeyState {
        let now = Instant::now();
        match self.by_id.get(&claim.key.id).filter(|record| record.expires > now) {
            Some(Record { payload, response: Some(response), .. }) => {
                return KeyState::Stored { payload: payload.clone(), response: response.clone() };
            }
            Some(Record { payload, response: None, .. }) => return KeyState::InUse { payload: payload.clone() },
            None => {}
        }
        let is_full = self.by_id.len() as u64 >= claim.max_records;
        if is_full || self.cleaned.is_none_or(|cleaned| cleaned + CLEAN_INTERVAL < now) {
            self.by_id.retain(|_, record| record.expires > now);
            self.cleaned = Some(now);
        }
        if self.by_id.len() as u64 >= claim.max_records {
            return KeyState::Full;
        }
        let ClaimedKey { id, payload, token } = claim.key;
        self.by_id.insert(id, Record { payload, token, expires: now + claim.lease, response: None });
        KeyState::Claimed
    }
}

impl IdempotencyStorage for MemoryStorage {
    fn claim(&self, claim: KeyClaim) -> StorageFuture<KeyState> {
        let state = self.lock().claim(claim);
        Box::pin(ready(Ok(state)))
    }

    fn renew(&self, claimed: &ClaimedKey, lease: Duration) -> StorageFuture<()> {
        self.change(claimed, lease, None)
    }

    fn store(&self, claimed: &ClaimedKey, response: Vec<u8>, lifetime: Duration) -> StorageFuture<()> {
        self.change(claimed, lifetime, Some(response))
    }

    fn release(&self, claimed: &ClaimedKey) -> StorageFuture<()> {
        let mut records = self.lock();
        if records.by_id.get(&claimed.id).is_some_and(|record| record.token == claimed.token) {
            records.by_id.remove(&claimed.id);
        }
        Box::pin(ready(Ok(())))
    }

    fn check(&self) -> StorageFuture<()> {
        Box::pin(ready(Ok(())))
    }
}
