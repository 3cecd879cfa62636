//! The table in which requests look up keys.
//!
//! Each request looks up one id and compares one hash, even if no key has the id. So the response time does not reveal
//! which ids exist. Only keys that the worker has verified before are recognised without this comparison.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use hmac::Mac;
use jiff::Timestamp;

use super::key_file::{self, Entry};
use super::pepper::Pepper;
use super::usage::{Usage, Usages, UsedRequests};
use super::{KeyError, Limit, token};
use crate::auth::VerifiedCredentials;
use crate::call::{Identity, RateLimiter};
use crate::file_stamp::FileStamp;

/// The precision in seconds with which the time of a key's last use is recorded. All workers share this time, and a
/// request writes it only if the recorded time is at least this old.
const LAST_USE_PRECISION: i64 = 10;

/// The keys of a key file, by their ids.
pub(super) struct KeyTable {
    /// The keys that each worker has verified. As soon as a new table replaces this table, each key is verified again.
    verified: VerifiedCredentials<StoredKey>,
    pepper: Pepper,
    by_id: HashMap<Box<str>, StoredKey>,
    /// The metadata of the key file when it was read; `None` if the file did not exist.
    pub(super) stamp: Option<FileStamp>,
}

/// One key of the table, without its secret.
#[derive(Clone)]
pub(super) struct StoredKey {
    hash: [u8; 32],
    /// The identity of a request that has this key.
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
    /// The token does not have the format of a key.
    Malformed(token::TokenError),
    /// The key does not exist, or its secret is wrong.
    Unknown,
    /// The key has expired.
    Expired,
}

/// Where a new table gets the earlier usage of its keys from.
pub(super) enum PreviousUsage<'b> {
    /// From the usage file, which an earlier process has written.
    File(Usages),
    /// From the table that the new table replaces while the server runs.
    Table(&'b KeyTable),
}

impl KeyTable {
    /// Loads the keys of a key file, for this number of workers. A file that does not exist counts as a file without
    /// keys.
    pub(super) fn load(path: &Path, previous: &PreviousUsage<'_>, workers: usize) -> Result<Self, KeyError> {
        let (file, stamp) = key_file::read_key_file(path)?;
        let pepper = if file.keys.is_empty() {
            Pepper::random()?
        } else {
            let file_path = || path.to_owned();
            let pepper = Pepper::read(path)?.ok_or_else(|| KeyError::NoPepper { file: file_path() })?;
            if file.pepper.is_some_and(|known| known != pepper.fingerprint()) {
                return Err(KeyError::WrongPepper { file: file_path() });
            }
            pepper
        };
        let key = |entry| StoredKey::new(entry, previous, workers);
        let by_id = file.keys.into_iter().filter_map(key).collect();
        Ok(Self { verified: VerifiedCredentials::new(), pepper, by_id, stamp })
    }

    /// Returns the number of keys in the table.
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
        self.verified.remember(key, StoredKey { identity: stored.identity.unshared(), ..stored.clone() });
        stored.record_use(now)
    }

    /// Returns the usage of all keys that have been used. [`RateLimiter::last_window_usage`] describes `exact`.
    pub(super) fn usages(&self, exact: bool) -> Usages {
        let usages = self.by_id.iter().map(|(id, stored)| (id.clone(), stored.usage(exact)));
        usages.filter(|(_, usage)| *usage != Usage::default()).collect()
    }
}

impl StoredKey {
    fn new(entry: Entry, previous: &PreviousUsage<'_>, workers: usize) -> Option<(Box<str>, Self)> {
        let Entry { id, hash, name, scope, patterns, expires, limit, .. } = entry;
        // Entries without a valid hash are rejected when the file is read.
        let hash = key_file::decode_hash(&hash)?;
        let expires = expires.map(Timestamp::as_second);
        let (last_used, rate_limiter) = match previous {
            PreviousUsage::File(usages) => {
                let usage = usages.get(&*id).copied().unwrap_or_default();
                let used = usage.used.map_or(0, Timestamp::as_second);
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
        let identity = Identity::new(&name, scope);
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
            None => Arc::new(new_rate_limiter(id, limit, self.usage(true).spent, workers)),
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

    fn usage(&self, exact: bool) -> Usage {
        let used = self.last_used.load(Ordering::Relaxed);
        let used = if used == 0 { None } else { Timestamp::from_second(used).ok() };
        let spent = self.rate_limiter.as_ref().and_then(|rate_limiter| {
            let (since, requests) = rate_limiter.last_window_usage(exact);
            let since = Timestamp::from_second(i64::try_from(since).ok()?).ok()?;
            (requests > 0).then_some(UsedRequests { since, requests })
        });
        Usage { used, spent }
    }
}

/// Creates the rate limiter of the key with this id. It continues from the requests in `used`, which count against the limit already.
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
