//! Bearer keys (RFC 6750): their storage, the management of keys, and the authenticator that checks them.
//!
//! A key is a bearer token that consists of an id and a secret of 40 random bytes. The storage of keys, which is a file
//! ([`KeyFile`]) or something else ([`KeyStorage`]), contains only the HMAC of the secret, computed with the *pepper*:
//! another secret, which belongs to the server. A random secret of this length needs neither a salt nor a slow hash.
//! Requests look up keys in a table in memory; when the keys in the storage change, a new table replaces it. This Rust
//! module must not interpret permissions.

mod manage;
mod storage;
mod token;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use hmac::Mac;
use jiff::Timestamp;

use crate::auth::VerifiedCredentials;
use crate::call::{AuthScheme, Authenticate, Authentication, Head, Identity, RateLimiter};
use crate::time::RepeatingThread;

pub use manage::{KeyEntryError, KeyError, NewKey, add, copy, list, revoke, rotate};
pub use storage::{
    Entry, KeyFile, KeySet, KeyState, KeyStorage, KeyVersion, Limit, Per, Usage, Usages, UsedRequests, now,
};
use storage::{check_keys, decode_hash, pepper_of, pepper_without_keys};
use token::Pepper;

/// The name of the key file in the data folder.
pub const FILE: &str = "keys.json";

/// Returns the name of the key with which a caller has been identified; `None` for callers without a key.
pub(crate) fn key_name(caller: &Identity) -> Option<&str> {
    (&*caller.qualified_name().namespace == NAMESPACE).then(|| caller.name())
}

/// The authenticator that accepts the bearer keys in a key file, or in another storage of keys.
///
/// The storage contains the hash, the name and the permissions of each key. `rulebook keys add` creates a key.
///
/// ```
/// use rulebook::key::Keys;
/// use rulebook::Rulebook;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = Keys::load("data/keys.json".as_ref())?;
/// // Until this is dropped, new and revoked keys take effect within a second.
/// let watcher = keys.watch()?;
/// let rulebook = Rulebook::load("api").authenticator(keys);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Keys(Arc<SharedKeys>);

struct SharedKeys {
    table: ArcSwap<KeyTable>,
    storage: Arc<dyn KeyStorage>,
    workers: usize,
    /// Why the keys may not be current; `None` if they are.
    problem: ArcSwapOption<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("keys", &self.len()).finish()
    }
}

impl Keys {
    /// Reads a key file, for a server with one worker per processor. A file that does not exist counts as a file
    /// without keys. The pepper is the value of the environment variable `RULEBOOK_PEPPER` or, if the variable is not
    /// set, of the file `pepper` beside the key file.
    ///
    /// # Errors
    /// Fails if the key file cannot be read or is invalid, or if the pepper is missing or is not the one that the keys
    /// were created with.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        Self::load_for(path, std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// Same as [`Keys::load`], for a server with this number of workers. The rate limit of a key is divided among the
    /// workers by a [`RateLimiter`].
    ///
    /// # Errors
    /// Fails like [`Keys::load`].
    pub fn load_for(path: &Path, workers: usize) -> Result<Self, KeyError> {
        Self::open(Arc::new(KeyFile::new(path)), Some(workers))
    }

    /// Reads the keys of any storage, for a server with this number of workers; `None` for one per processor.
    ///
    /// # Errors
    /// Fails if the storage cannot be read, or if the pepper is missing or is not the one that the keys were created
    /// with.
    pub fn open(storage: Arc<dyn KeyStorage>, workers: Option<usize>) -> Result<Self, KeyError> {
        let workers = workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        let previous = PreviousUsage::Storage(storage.load_usages()?);
        let table = ArcSwap::from_pointee(KeyTable::load(&*storage, &previous, workers)?);
        Ok(Self(Arc::new(SharedKeys { table, storage, workers, problem: ArcSwapOption::empty() })))
    }

    /// Returns the authentication schemes of keys, which do not depend on the storage.
    pub(crate) fn auth_schemes() -> Vec<AuthScheme> {
        vec![AuthScheme::bearer()]
    }

    /// Starts a thread that watches the storage for changes and records the usage of keys, until the returned watcher
    /// is dropped. Call it before the server starts, so that the usage of the first requests is recorded too.
    ///
    /// # Errors
    /// Fails if the thread cannot be started.
    pub fn watch(&self) -> io::Result<KeyWatcher> {
        KeyWatcher::start(Arc::clone(&self.0))
    }

    /// Loads the keys again, even if they seem unchanged, and logs their number. If they cannot be loaded, logs the
    /// error; the keys that were loaded before remain valid. [`Keys::watch`] calls this when the keys change; a program
    /// can also call it when it receives a signal.
    pub fn reload(&self) {
        if let Err(error) = reload(&self.0) {
            log_reload_error(&error);
        }
    }

    /// Returns whether the keys are current, for a [readiness check](crate::Rulebook::readiness_check).
    ///
    /// # Errors
    /// Fails if the watcher cannot read the storage, so that changes of the keys do not take effect. The error is the
    /// reason.
    pub fn check(&self) -> Result<(), String> {
        self.0.problem.load().as_deref().map_or(Ok(()), |problem| Err(problem.clone()))
    }

    /// Returns the place of the keys for messages: a path, or an address without its password.
    #[must_use]
    pub fn location(&self) -> String {
        self.0.storage.location()
    }

    /// Returns `true` if there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.table.load().len()
    }

    fn check_key(&self, head: &Head) -> Authentication {
        let Some(key) = head.bearer() else {
            return match head.has_bearer_scheme() {
                true => Authentication::Invalid("the header field Authorization is malformed or repeated".to_owned()),
                false => Authentication::Anonymous,
            };
        };
        match self.0.table.load().find(key, Timestamp::now().as_second()) {
            Ok(identity) => Authentication::Identity(identity),
            // The key may be one of those that cannot be read.
            Err(LookupError::Unknown) => match self.check() {
                Err(problem) => Authentication::Unavailable(problem),
                Ok(()) => Authentication::Invalid("the key is unknown".to_owned()),
            },
            Err(LookupError::Invalid(reason)) => Authentication::Invalid(reason.to_owned()),
        }
    }
}

/// A request without a bearer token is anonymous for this authenticator, even if it has another credential: a proxy may
/// add `Authorization: Basic`, for example.
impl Authenticate for Keys {
    async fn authenticate(&self, head: &Head) -> Authentication {
        self.check_key(head)
    }

    fn authenticate_at_once(&self, head: &Head) -> Option<Authentication> {
        Some(self.check_key(head))
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        Self::auth_schemes()
    }
}

// The table in which requests look up keys.
//
// Each request looks up one id and compares one hash, even if no key has the id. So the response time does not reveal
// which ids exist. Only keys that the worker has verified before are recognised without this comparison.

/// The precision in seconds with which the time of a key's last use is recorded. All workers share this time, and a
/// request writes it only if the recorded time is at least this old.
const LAST_USE_PRECISION: i64 = 10;

/// The difference in milliseconds between the clock of a storage and that of this server by which the difference that
/// a table uses may be wrong.
const CLOCK_PRECISION: i64 = 1_500;
const NAMESPACE: &str = "keys";

struct KeyTable {
    /// The keys that each worker has verified. As soon as a new table replaces this table, each key is verified again.
    verified: VerifiedCredentials<StoredKey>,
    pepper: Pepper,
    by_id: HashMap<Box<str>, StoredKey>,
    version: KeyVersion,
    /// The seconds by which the clock of the storage is ahead of the clock of this server.
    clock_offset: i64,
}

#[derive(Clone)]
struct StoredKey {
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
enum LookupError {
    /// The key is malformed or has expired, for this reason.
    /// The key is malformed or has expired, for this reason.
    Invalid(&'static str),
    /// The key does not exist, or its secret is wrong.
    Unknown,
}

/// Where a new table gets the earlier usage of its keys from.
enum PreviousUsage<'b> {
    /// From the storage, in which an earlier process has recorded it.
    Storage(Usages),
    /// From the table that the new table replaces while the server runs.
    Table(&'b KeyTable),
}

impl KeyTable {
    fn load(storage: &dyn KeyStorage, previous: &PreviousUsage<'_>, workers: usize) -> Result<Self, KeyError> {
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
    fn is_current(&self, state: &KeyState) -> bool {
        let clock_error = clock_difference(state) - self.clock_offset * 1_000;
        self.version == state.version && clock_error.abs() <= CLOCK_PRECISION
    }

    fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Records the use of the key. `now` is the Unix time in seconds.
    fn find(&self, key: &str, now: i64) -> Result<Identity, LookupError> {
        if let Some(found) = self.verified.recall(key, |stored| stored.record_use(now)) {
            return found;
        }
        let token = token::parse(key).map_err(LookupError::Invalid)?;
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

    /// [`RateLimiter::last_window_usage`] describes `exact`.
    fn usages(&self, exact: bool) -> Usages {
        let usages = self.by_id.iter().map(|(id, stored)| (id.clone(), stored.usage(exact, self.clock_offset)));
        usages.filter(|(_, usage)| *usage != Usage::default()).collect()
    }
}

impl StoredKey {
    fn new(entry: Entry, previous: &PreviousUsage<'_>, workers: usize, clock_offset: i64) -> Option<(Box<str>, Self)> {
        let Entry { id, hash, name, scope, patterns, expires, limit, .. } = entry;
        // Entries without a valid hash are rejected when they are read.
        let hash = decode_hash(&hash)?;
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
        let mut identity = Identity::new(&name, scope).with_namespace(NAMESPACE);
        if let Some(rate_limiter) = &rate_limiter {
            identity = identity.with_rate_limiter(Arc::clone(rate_limiter));
        }
        if let Some(patterns) = patterns {
            identity = identity.with_file_patterns(patterns);
        }
        Some((id.into(), Self { hash, identity, expires, last_used, rate_limiter }))
    }

    /// Returns the current limiter if the limit is the same; otherwise a new one, which continues from its count.
    fn rate_limiter(&self, id: &str, limit: Limit, workers: usize) -> Arc<RateLimiter> {
        let has_limit = |limiter: &&Arc<RateLimiter>| {
            limiter.requests() == limit.requests && limiter.seconds() == limit.per.seconds()
        };
        match self.rate_limiter.as_ref().filter(has_limit) {
            Some(limiter) => Arc::clone(limiter),
            None => Arc::new(new_rate_limiter(id, limit, self.used_requests(true), workers)),
        }
    }

    /// Fails if the key has expired.
    fn record_use(&self, now: i64) -> Result<Identity, LookupError> {
        if self.expires.is_some_and(|expires| expires <= now) {
            return Err(LookupError::Invalid("the key has expired"));
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

/// The interval at which the thread checks whether the keys have changed, so that a revoked key is refused within a
/// second.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// The minimum time between two records of the usage if the number of requests that count against a rate limit has
/// changed.
const COUNTS_RECORD_INTERVAL: Duration = Duration::from_secs(1);
/// The minimum time between two records of the usage if only the times at which keys were used have changed.
const LAST_USE_RECORD_INTERVAL: Duration = Duration::from_secs(60);

/// Watches the storage of keys until it is dropped. New and revoked keys take effect within a second, and the usage of
/// keys is recorded. Drop the watcher after the server has stopped, so that the last requests are included in the
/// usage.
#[derive(Debug)]
#[must_use = "the watcher stops when it is dropped"]
pub struct KeyWatcher {
    thread: RepeatingThread,
}

impl KeyWatcher {
    fn start(shared: Arc<SharedKeys>) -> io::Result<Self> {
        // Not in the thread, which may start after the first requests: their usage would be taken for recorded.
        let mut recorded = RecordedUsage::new(&shared);
        let mut report = ReloadReport(None);
        let watch = move |at_end| {
            if at_end {
                recorded.record_if_changed(&shared, true);
                shared.storage.close();
                return;
            }
            match reload_if_changed(&shared) {
                Ok(()) => report.clear(&shared),
                Err((version, error)) => report.set(&shared, version, &error),
            }
            recorded.record_if_changed(&shared, false);
        };
        Ok(Self { thread: RepeatingThread::start("keys", || POLL_INTERVAL, watch)? })
    }
}

impl Drop for KeyWatcher {
    fn drop(&mut self) {
        self.thread.stop();
    }
}

/// Loads the keys again if they have changed. The error contains the version of the keys that cannot be used; `None` if
/// the storage does not respond.
fn reload_if_changed(shared: &SharedKeys) -> Result<(), (Option<KeyVersion>, KeyError)> {
    let state = shared.storage.state().map_err(|error| (None, error))?;
    if shared.table.load().is_current(&state) {
        return Ok(());
    }
    reload(shared).map_err(|error| (Some(state.version), error))
}

/// Loads the keys again.
///
/// # Errors
/// Fails if the keys cannot be loaded. Those that were loaded before remain valid.
fn reload(shared: &SharedKeys) -> Result<(), KeyError> {
    let previous = shared.table.load();
    let table = KeyTable::load(&*shared.storage, &PreviousUsage::Table(&previous), shared.workers)?;
    log::info!("{}: keys: {}", shared.storage.location(), table.len());
    shared.table.store(Arc::new(table));
    Ok(())
}

fn log_reload_error(error: &KeyError) {
    log::error!("the keys stay as they were: {error}");
}

/// The error of [`reload_if_changed`] that was logged last, so that the same error is logged only once. While the
/// storage does not respond, the reason can change.
struct ReloadReport(Option<(Option<KeyVersion>, String)>);

impl ReloadReport {
    fn clear(&mut self, shared: &SharedKeys) {
        let Some((version, _)) = self.0.take() else { return };
        shared.problem.store(None);
        if version.is_none() {
            log::info!("{}: the keys can be read again", shared.storage.location());
        }
    }

    /// Logs an error unless it was logged before.
    fn set(&mut self, shared: &SharedKeys, version: Option<KeyVersion>, error: &KeyError) {
        let message = error.to_string();
        let is_known =
            |(known, text): &(Option<KeyVersion>, String)| *known == version && (version.is_none() || *text == message);
        if !self.0.as_ref().is_some_and(is_known) {
            log_reload_error(error);
            shared.problem.store(Some(Arc::new(message.clone())));
            self.0 = Some((version, message));
        }
    }
}

struct RecordedUsage {
    usages: Usages,
    recorded_at: Instant,
    /// `true` if an error of recording has been logged since the last success.
    is_error_logged: bool,
}

impl RecordedUsage {
    fn new(shared: &SharedKeys) -> Self {
        Self { usages: shared.table.load().usages(true), recorded_at: Instant::now(), is_error_logged: false }
    }

    /// Records the usage if it has changed. While the server runs, the minimum interval between two records must also
    /// have passed.
    fn record_if_changed(&mut self, shared: &SharedKeys, at_end: bool) {
        let usages = shared.table.load().usages(at_end);
        let counts = |usages: &Usages| -> Vec<_> {
            usages.iter().filter_map(|(id, usage)| usage.spent.map(|count| (id.clone(), count))).collect()
        };
        let only_times = counts(&usages) == counts(&self.usages);
        let interval = if only_times { LAST_USE_RECORD_INTERVAL } else { COUNTS_RECORD_INTERVAL };
        if usages == self.usages || (!at_end && self.recorded_at.elapsed() < interval) {
            return;
        }
        match shared.storage.record_usages(&self.usages, &usages) {
            Ok(true) => {
                self.usages = usages;
                self.recorded_at = Instant::now();
                self.is_error_logged = false;
            }
            // Another server records the usage of its requests.
            Ok(false) => {}
            Err(error) => {
                if !self.is_error_logged {
                    log::error!("the usage of keys cannot be written: {error}");
                }
                self.is_error_logged = true;
            }
        }
    }
}
