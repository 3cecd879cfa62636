//! Limits for each client address: how often logins may fail, in total and with one login name, and how often something
//! else can be done, such as registering users.
//!
//! Failures are not counted for a login name alone, because then anyone who knows a login name could lock its user out.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use quick_cache::unsync::Cache;
use rulebook::{ApiError, Context, Head};

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

/// The maximum number of addresses that a [`ClientRate`] remembers. They need at most about 1 MiB of memory.
const MAX_RATE_ADDRESSES: usize = 10_000;

/// Limits how often an action is permitted for each client address: a number of actions at once, and then one in each
/// interval. A client with IPv6 is known by the first 64 bits of its address.
#[derive(Debug)]
pub struct ClientRate {
    at_once: u32,
    interval: Duration,
    /// For each address, the time at which all its actions are forgotten. Each action adds an interval.
    busy_until: Mutex<Cache<IpAddr, Instant>>,
}

impl ClientRate {
    /// Permits `at_once` actions, and then one in each `interval`.
    #[must_use]
    pub fn new(at_once: u32, interval: Duration) -> Self {
        Self { at_once, interval, busy_until: Mutex::new(Cache::new(MAX_RATE_ADDRESSES)) }
    }

    /// Counts an action of the client that sends the request. Calls from code have no client, and no limit.
    ///
    /// # Errors
    /// Returns the declared error `error` if the client has done too many actions, and sets `Retry-After`.
    pub fn count(&self, context: &Context, error: &'static str) -> Result<(), ApiError> {
        let Some(head) = context.head() else { return Ok(()) };
        let Err(wait) = self.take(client_network(head), Instant::now()) else { return Ok(()) };
        context.set_header("Retry-After", whole_seconds(wait))?;
        Err(ApiError::declared(error))
    }

    /// Forgets an action that [`ClientRate::count`] has counted.
    pub fn forget(&self, context: &Context) {
        if let Some(head) = context.head()
            && let Some(mut until) = self.lock().get_mut(&client_network(head))
        {
            *until = until.checked_sub(self.interval).unwrap_or(*until);
        }
    }

    /// Counts an action of an address at the time `now`.
    ///
    /// # Errors
    /// Fails if the address has done too many actions. The error is the time after which the client can try again.
    fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut table = self.lock();
        let until = table.get(&address).map_or(now, |until| *until.max(&now)) + self.interval;
        let wait = until.saturating_duration_since(now + self.interval * self.at_once);
        if !wait.is_zero() {
            return Err(wait);
        }
        table.insert(address, until);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Cache<IpAddr, Instant>> {
        self.busy_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the address of the client for IPv4. For IPv6, returns the first 64 bits, because one client can usually use
/// all addresses with the same first 64 bits.
#[must_use]
pub fn client_network(head: &Head) -> IpAddr {
    match head.client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address @ IpAddr::V4(_) => address,
    }
}

/// Returns a time in seconds for `Retry-After`, rounded up so that a retry after this time is not rejected again.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
