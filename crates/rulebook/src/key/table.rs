//! The table in which requests look up keys.
//!
//! Each request looks up one id and compares one hash, even if no key has the id. So the response time does not reveal
//! which ids exist. Only keys that the worker has verified before are recognised without this comparison.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use hmac::Mac;
use jiff::Timestamp;

use super::entry::{self, Entry};
use super::pepper::Pepper;
use super::storage::{
    KeyState, KeyStorage, KeyVersion, Usage, Usages, UsedRequests, check_keys, pepper_of, pepper_without_keys,
};
use super::{KeyError, Limit, token};
use crate::auth::VerifiedCredentials;
use crate::call::{Identity, RateLimiter};

/// The precision in seconds with which the time of a key's last use is recorded. All workers share this time, and a
/// request writes it only if the recorded time is at least this old.
const LAST_USE_PRECISION: i64 = 10;

/// The difference in milliseconds between the clock of a storage and that of this server by which the difference that
/// a table uses may be wrong.
const CLOCK_PRECISION: i64 = 1_500;
pub(super) const NAMESPACE: &str = "keys";

/// The keys of a storage, by their ids.
pub(super) struct KeyTable {
    /// The keys that each worker has verified. As soon as a new table replaces this table, each key is verified again.
    verified: VerifiedCredentials<StoredKey>,
    pepper: Pepper,
    by_id: HashMap<Box<str>, StoredKey>,
    version: KeyVersion,
    /// The seconds by which the clock of the storage is ahead of the clock of this server.
    clock_offset: i64,
}

#[derive(Clone)]
pub(super) struct StoredKey {
    hash: [u8; 32],
    identity: Identity,
    /// The Unix time in seconds at which the key expires; `None` if it does not expire.
    expires: Option<i64>,
    /// The Unix time of the last use in seconds; 0 if the key has not been used.
    last_used: Arc<AtomicI64>,
    rate_limiter: Option<Arc<RateLimiter>>,
}

/// Why the key of a request is not valid.
#[derive(Debug, Clone, Copy)]
pub(super) enum LookupError {
    Malformed(token::KeyTokenError),
    /// The key does not exist, or its secret is wrong.
    Unknown,
    Expired,
}

/// Where a new table gets the earlier usage of its keys from.
pub(super) enum PreviousUsage<'b> {
    /// From the storage, in which an earlier process has recorded it.
    Storage(Usages),
    /// From the table that the new table replaces while the server runs.
    Table(&'b KeyTable),
}

impl KeyTable {
    /// Loads the keys of a storage, for this number of workers.
    pub(super) fn load(
        storage: &dyn KeyStorage,
        previous: &PreviousUsage<'_>,
        workers: usize,
    ) -> Result<Self, KeyError> {
        let (mut set, state) = storage.load()?;
        check_keys(storage, &mut set)?;
        let pepper = if set.keys.is_empty() { pepper_without_keys(storage)? } else { pepper_of(storage, &set)? };
        let clock_offset = rounded_seconds(clock_difference(&state));
        let key = |entry| StoredKey::new(entry, previous, workers, clock_offset);
        let by_id = set.keys.into_iter().filter_map(key).collect();
        let verified = VerifiedCredentials::new();
        Ok(Self { verified, pepper, by_id, version: state.version, clock_offset })
    }

    /// Returns `true` if the storage still has the keys of this table, and its clock has not been changed.
    pub(super) fn is_current(&self, state: &KeyState) -> bool {
        let clock_error = clock_difference(state) - self.clock_offset * 1_000;
        self.version == state.version && clock_error.abs() <= CLOCK_PRECISION
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Returns the identity for a request with this key, and records the use of the key. `now` is the Unix time in
    /// seconds.
    pub(super) fn find(&self, key: &str, now: i64) -> Result<Identity, LookupError> {
        if let Some(found) = self.verified.recall(key, |stored| stored.record_use(now)) {
            return found;
        }
        let token = token::parse(key).map_err(LookupError::Malformed)?;
        let stored = self.by_id.get(token.id);
        // For an unknown id, a hash is compared as well, so that the comparison takes as long as for a wrong secret.
        let hash = stored.map_or([0; 32], |stored| stored.hash);
        let is_valid = self.pepper.mac(token.secret).verify_slice(&hash).is_ok();
        let stored = stored.filter(|_| is_valid).ok_or(LookupError::Unknown)?;
        // A copy for this worker alone: workers that shared the identity would write to its reference count.
        let unshared = StoredKey { identity: stored.identity.unshared(), ..stored.clone() };
        self.verified.remember(key, unshared, stored.identity.memory_size());
        stored.record_use(now)
    }

    /// Returns the usage of all keys that have been used. [`RateLimiter::last_window_usage`] describes `exact`.
    pub(super) fn usages(&self, exact: bool) -> Usages {
        let usages = self.by_id.iter().map(|(id, stored)| (id.clone(), stored.usage(exact, self.clock_offset)));
        usages.filter(|(_, usage)| *usage != Usage::default()).collect()
    }
}

impl StoredKey {
    fn new(entry: Entry, previous: &PreviousUsage<'_>, workers: usize, clock_offset: i64) -> Option<(Box<str>, Self)> {
        let Entry { id, hash, name, scope, patterns, expires, limit, .. } = entry;
        // Entries without a valid hash are rejected when they are read.
        let hash = entry::decode_hash(&hash)?;
        // Requests compare it with the clock of this server.
        let expires = expires.map(|expires| expires.as_second() - clock_offset);
        let (last_used, rate_limiter) = match previous {
            PreviousUsage::Storage(usages) => {
                let usage = usages.get(&*id).copied().unwrap_or_default();
                let used = usage.used.map_or(0, |used| used.as_second() - clock_offset);
                let rate_limiter = limit.map(|limit| Arc::new(new_rate_limiter(&id, limit, usage.spent, workers)));
                (Arc::new(AtomicI64::new(used)), rate_limiter)
            }
            PreviousUsage::Table(table) => match table.by_id.get(&*id) {
                Some(stored) => {
                    (Arc::clone(&stored.last_used), limit.map(|limit| stored.rate_limiter(&id, limit, workers)))
                }
                None => (Arc::default(), limit.map(|limit| Arc::new(new_rate_limiter(&id, limit, None, workers)))),
            },
        };
        let identity = Identity::new(&name, scope).with_namespace(NAMESPACE);
        let identity = match &rate_limiter {
            Some(rate_limiter) => identity.with_rate_limiter(Arc::clone(rate_limiter)),
            None => identity,
        };
        let identity = match patterns {
            Some(patterns) => identity.with_file_patterns(patterns),
            None => identity,
        };
        Some((id.into(), Self { hash, identity, expires, last_used, rate_limiter }))
    }

    /// Returns the rate limiter for a limit: the current limiter if the limit is the same. Otherwise returns a new
    /// limiter, which continues from the number of requests that the current limiter has counted.
    fn rate_limiter(&self, id: &str, limit: Limit, workers: usize) -> Arc<RateLimiter> {
        let has_limit = |limiter: &&Arc<RateLimiter>| {
            limiter.requests() == limit.requests && limiter.seconds() == limit.per.seconds()
        };
        match self.rate_limiter.as_ref().filter(has_limit) {
            Some(limiter) => Arc::clone(limiter),
            None => Arc::new(new_rate_limiter(id, limit, self.used_requests(true), workers)),
        }
    }

    /// Records the use of the key by a request, and returns the identity of the request. Fails if the key has expired.
    fn record_use(&self, now: i64) -> Result<Identity, LookupError> {
        if self.expires.is_some_and(|expires| expires <= now) {
            return Err(LookupError::Expired);
        }
        if now - self.last_used.load(Ordering::Relaxed) >= LAST_USE_PRECISION {
            self.last_used.store(now, Ordering::Relaxed);
        }
        Ok(self.identity.clone())
    }

    fn usage(&self, exact: bool, clock_offset: i64) -> Usage {
        let used = self.last_used.load(Ordering::Relaxed);
        let used = if used == 0 { None } else { Timestamp::from_second(used + clock_offset).ok() };
        Usage { used, spent: self.used_requests(exact) }
    }

    fn used_requests(&self, exact: bool) -> Option<UsedRequests> {
        let (since, requests) = self.rate_limiter.as_ref()?.last_window_usage(exact);
        let since = Timestamp::from_second(i64::try_from(since).ok()?).ok()?;
        (requests > 0).then_some(UsedRequests { since, requests })
    }
}

/// Returns the milliseconds by which the clock of a storage is ahead of the clock of this server.
fn clock_difference(state: &KeyState) -> i64 {
    state.now.map_or(0, |now| now.as_millisecond() - Timestamp::now().as_millisecond())
}

fn rounded_seconds(milliseconds: i64) -> i64 {
    (milliseconds + 500).div_euclid(1_000)
}

/// Creates the rate limiter of the key with this id. It continues from the requests in `used`, which count against the
/// limit already.
fn new_rate_limiter(id: &str, limit: Limit, used: Option<UsedRequests>, workers: usize) -> RateLimiter {
    let rate_limiter = RateLimiter::new(limit.requests, limit.per.seconds(), workers);
    // Servers that share the limits of keys need not share the key file.
    let rate_limiter = rate_limiter.with_shared_name(format!("key:{id}"));
    match used {
        Some(UsedRequests { since, requests }) => {
            rate_limiter.with_used(u64::try_from(since.as_second()).unwrap_or_default(), requests)
        }
        None => rate_limiter,
    }
}
