//! A storage of idempotency keys in memory, for programs without another storage and for tests.

use std::collections::HashMap;
use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::storage::StorageFuture;
use super::{ClaimedKey, IdempotencyKeyState, IdempotencyStorage, KeyClaim};

/// The minimum time between two searches for expired records.
const CLEAN_INTERVAL: Duration = Duration::from_secs(10);
/// The minimum time between two searches while no further key can be stored.
const CLEAN_INTERVAL_WHEN_FULL: Duration = Duration::from_secs(1);
const MAX_BYTES: usize = 64 << 20;

/// Stores idempotency keys in memory. They are lost when the program ends, and other servers do not know them. If the
/// responses have more than 64 MiB together, further keys are refused until some of them expire.
#[derive(Debug, Default)]
pub struct MemoryStorage(Mutex<Records>);

#[derive(Debug, Default)]
struct Records {
    by_id: HashMap<Box<str>, Record>,
    bytes: usize,
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

impl Record {
    fn size(&self) -> usize {
        self.response.as_ref().map_or(0, Vec::len)
    }
}

impl MemoryStorage {
    fn lock(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the record of a key that was not claimed again.
    fn change(&self, claimed: &ClaimedKey, lifetime: Duration, response: Option<Vec<u8>>) -> StorageFuture<()> {
        let Records { by_id, bytes, .. } = &mut *self.lock();
        let record = by_id.get_mut(&claimed.id).filter(|record| record.token == claimed.token);
        // A renewal that comes late leaves the stored response as it is.
        if let Some(record) = record.filter(|record| record.response.is_none()) {
            record.expires = Instant::now() + lifetime;
            *bytes += response.as_ref().map_or(0, Vec::len);
            record.response = response;
        }
        Box::pin(ready(Ok(())))
    }
}

impl Records {
    fn claim(&mut self, claim: KeyClaim) -> IdempotencyKeyState {
        let now = Instant::now();
        match self.by_id.get(&claim.key.id).filter(|record| record.expires > now) {
            Some(Record { payload, response: Some(response), .. }) => {
                return IdempotencyKeyState::Stored { payload: payload.clone(), response: response.clone() };
            }
            Some(Record { payload, response: None, .. }) => {
                return IdempotencyKeyState::InUse { payload: payload.clone() };
            }
            None => {}
        }
        let is_full = |records: &Self| records.by_id.len() as u64 >= claim.max_records || records.bytes > MAX_BYTES;
        let interval = if is_full(self) { CLEAN_INTERVAL_WHEN_FULL } else { CLEAN_INTERVAL };
        if self.cleaned.is_none_or(|cleaned| cleaned + interval < now) {
            self.by_id.retain(|_, record| record.expires > now);
            self.bytes = self.by_id.values().map(Record::size).sum();
            self.cleaned = Some(now);
        }
        if is_full(self) {
            return IdempotencyKeyState::Full;
        }
        let ClaimedKey { id, payload, token } = claim.key;
        let record = Record { payload, token, expires: now + claim.lease, response: None };
        let expired = self.by_id.insert(id, record);
        self.bytes -= expired.as_ref().map_or(0, Record::size);
        IdempotencyKeyState::Claimed
    }
}

impl IdempotencyStorage for MemoryStorage {
    fn claim(&self, claim: KeyClaim) -> StorageFuture<IdempotencyKeyState> {
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
            let removed = records.by_id.remove(&claimed.id);
            records.bytes -= removed.as_ref().map_or(0, Record::size);
        }
        Box::pin(ready(Ok(())))
    }

    fn check(&self) -> StorageFuture<()> {
        Box::pin(ready(Ok(())))
    }
}
