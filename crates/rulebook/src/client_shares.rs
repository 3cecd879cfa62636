//! Shares out what all clients of a server use together, such as memory, so that one client cannot use up all of it.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of counters. Two clients rarely have the same counter, and then they have one share together. In return,
/// workers need no lock, and the memory is constant.
const COUNTERS: usize = 1024;
/// A provider assigns them to a client, which chooses the others.
const CLIENT_NETWORK: u128 = !0 << 64;

/// An amount that all clients of a server use together.
#[derive(Debug)]
pub struct ClientShares {
    max: usize,
    max_per_client: usize,
    used: AtomicUsize,
    by_client: Box<[AtomicUsize]>,
    /// Random, so that no client can find the clients with the same counter.
    hasher: RandomState,
}

/// What one request or response uses, until this value is dropped.
#[derive(Debug)]
pub struct Share {
    shares: Arc<ClientShares>,
    counter: Option<usize>,
    amount: usize,
}

/// There is nothing left: for all clients, or for this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedUp;

impl ClientShares {
    /// Creates an amount that is divided into this number of parts. A client can use one part or, if `parts` is `None`,
    /// the whole amount.
    pub fn new(max: usize, parts: Option<usize>) -> Self {
        Self {
            max,
            max_per_client: parts.map_or(usize::MAX, |parts| max.div_ceil(parts)),
            used: AtomicUsize::default(),
            by_client: (0..COUNTERS).map(|_| AtomicUsize::default()).collect(),
            hasher: RandomState::new(),
        }
    }

    /// If `client` is `None`, its address is unknown, or it is a proxy with many clients. Fails like [`Share::grow`].
    pub fn take(self: &Arc<Self>, client: Option<IpAddr>, amount: usize) -> Result<Share, UsedUp> {
        let mut share = Share { shares: Arc::clone(self), counter: self.counter_of(client), amount: 0 };
        share.grow(amount)?;
        Ok(share)
    }

    /// Returns `true` if nothing is left: for all clients, or for this one.
    pub fn is_used_up(&self, client: Option<IpAddr>) -> bool {
        let used = self.used.load(Ordering::Relaxed);
        // Nothing is used as long as all is well, so that the counter of the client does not have to be found.
        used >= self.max
            || used > 0
                && self
                    .counter_of(client)
                    .is_some_and(|counter| self.by_client[counter].load(Ordering::Relaxed) >= self.max_per_client)
    }

    /// `None` if the use of the client is not limited.
    fn counter_of(&self, client: Option<IpAddr>) -> Option<usize> {
        let client = client.filter(|_| self.max_per_client != usize::MAX).map(client_network)?;
        // The remainder is less than `COUNTERS`, so that it fits into `usize`.
        Some((self.hasher.hash_one(client) % COUNTERS as u64) as usize)
    }
}

impl Share {
    /// Fails if nothing is left for all clients, or for this one, and takes nothing then. A client that uses nothing
    /// else can use more than its part, because a single request may need more.
    pub fn grow(&mut self, amount: usize) -> Result<(), UsedUp> {
        let ClientShares { max, max_per_client, used, by_client, .. } = &*self.shares;
        if let Some(counter) = self.counter {
            let before = by_client[counter].fetch_add(amount, Ordering::Relaxed);
            if before > self.amount && before.saturating_add(amount) > *max_per_client {
                by_client[counter].fetch_sub(amount, Ordering::Relaxed);
                return Err(UsedUp);
            }
        }
        if used.fetch_add(amount, Ordering::Relaxed).saturating_add(amount) > *max {
            self.give_back(amount);
            return Err(UsedUp);
        }
        self.amount += amount;
        Ok(())
    }

    fn give_back(&self, amount: usize) {
        if let Some(counter) = self.counter {
            self.shares.by_client[counter].fetch_sub(amount, Ordering::Relaxed);
        }
        self.shares.used.fetch_sub(amount, Ordering::Relaxed);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back(self.amount);
    }
}

/// Returns the network of a client: an IPv4 address, or the first 64 bits of an IPv6 address.
pub fn client_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & CLIENT_NETWORK).into(),
        address => address,
    }
}
