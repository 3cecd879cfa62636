//! Limits the number of failed logins of a client address: in total, and with one login name.
//!
//! Failures are not counted for a login name alone, because then anyone who knows a login name could lock its user out.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use quick_cache::unsync::Cache;

/// The maximum number of failed logins from one address within [`WINDOW`].
pub(crate) const MAX_PER_ADDRESS: usize = 10;
/// The maximum number of failed logins from one address with the same login name within [`WINDOW`].
const MAX_PER_LOGIN_NAME: usize = 5;
/// The time after which a failed login is forgotten.
const WINDOW: Duration = Duration::from_secs(60);
/// The maximum number of addresses whose failures are remembered. They need at most about 5 MiB of memory.
const MAX_ADDRESSES: usize = 10_000;

/// The failed logins of the last minute, for each client address the latest ones. Ten logins of an address may fail
/// within a minute, five of them with the same login name. It is for programs that verify passwords themselves;
/// [`Logins`](crate::Logins) contains it.
#[derive(Debug)]
pub struct FailedLogins {
    by_address: Mutex<Cache<IpAddr, Vec<LoginFailure>>>,
    /// The table contains hashes of login names, so that its memory does not depend on their length. The hashes are
    /// keyed, so that clients cannot choose two names with the same hash.
    hash_keys: RandomState,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct LoginFailure {
    login_hash: u64,
    at: Instant,
}

/// A login whose outcome is not known yet. It counts as failed until it succeeds or is not counted, so that parallel
/// logins cannot exceed the limits, and a client gains nothing by disconnecting.
#[derive(Debug)]
pub struct Attempt {
    failed_logins: Arc<FailedLogins>,
    address: IpAddr,
    failure: LoginFailure,
}

impl FailedLogins {
    /// Creates a table without failures.
    #[must_use]
    pub fn new() -> Self {
        Self { by_address: Mutex::new(Cache::new(MAX_ADDRESSES)), hash_keys: RandomState::new() }
    }

    /// Begins a login from an address at the time `now`.
    ///
    /// # Errors
    /// Fails if too many logins have failed. The error is the time after which the client can try again.
    pub fn begin(self: &Arc<Self>, address: IpAddr, login: &str, now: Instant) -> Result<Attempt, Duration> {
        let failure = LoginFailure { login_hash: self.hash_keys.hash_one(login), at: now };
        let mut table = self.lock();
        let mut failures = table.remove(&address).map(|(_, failures)| failures).unwrap_or_default();
        failures.retain(|earlier| now.saturating_duration_since(earlier.at) < WINDOW);
        let with_this_name = failures.iter().filter(|earlier| earlier.login_hash == failure.login_hash);
        let waits = [
            wait_until_below(MAX_PER_ADDRESS, failures.iter(), now),
            wait_until_below(MAX_PER_LOGIN_NAME, with_this_name, now),
        ];
        let wait = waits.into_iter().flatten().max();
        if wait.is_none() {
            failures.push(failure);
        }
        table.insert(address, failures);
        drop(table);
        wait.map_or_else(|| Ok(Attempt { failed_logins: Arc::clone(self), address, failure }), Err)
    }

    fn lock(&self) -> MutexGuard<'_, Cache<IpAddr, Vec<LoginFailure>>> {
        self.by_address.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for FailedLogins {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the time until fewer than `limit` of these failures, which are ordered by time, are in the window; `None` if
/// there are fewer now.
fn wait_until_below<'f>(
    limit: usize,
    failures: impl DoubleEndedIterator<Item = &'f LoginFailure>,
    now: Instant,
) -> Option<Duration> {
    let decisive = failures.rev().nth(limit - 1)?;
    // A parallel request may have read the clock after `now`.
    Some((decisive.at + WINDOW).saturating_duration_since(now).min(WINDOW))
}

impl Attempt {
    /// Forgets this attempt and all failures with the same login name from the same address.
    pub fn succeed(self) {
        self.update(|failures| failures.retain(|earlier| earlier.login_hash != self.failure.login_hash));
    }

    /// Forgets this attempt, because the server has not checked the password.
    pub fn do_not_count(self) {
        self.update(|failures| {
            if let Some(index) = failures.iter().position(|earlier| *earlier == self.failure) {
                failures.remove(index);
            }
        });
    }

    fn update(&self, change: impl FnOnce(&mut Vec<LoginFailure>)) {
        if let Some(mut failures) = self.failed_logins.lock().get_mut(&self.address) {
            change(&mut failures);
        }
    }
}
