//! Limits how often a client address can do something, such as registering users.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use quick_cache::unsync::Cache;
use rulebook::{ApiError, Context, Head};

/// The maximum number of addresses that a [`ClientRate`] remembers. They need at most about 1 MiB of memory.
const MAX_ADDRESSES: usize = 10_000;

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
        Self { at_once, interval, busy_until: Mutex::new(Cache::new(MAX_ADDRESSES)) }
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
