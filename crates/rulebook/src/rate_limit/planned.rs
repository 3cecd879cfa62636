//! A limit of the number of requests in the plan, which counts the requests of each caller in bounded memory, and whose
//! requests a limit counts together.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;

use quick_cache::sync::{Cache, EntryAction, EntryResult};
use rulebook_model::model::{RateLimit, RateLimitBy};
use sha2::{Digest, Sha256};

use crate::call::{Identity, QualifiedName, Quota, RateLimiter};
use crate::client_shares::client_network;

/// A limit of the number of requests that the definition sets, with the counts of this server. Methods that take the
/// limit from their module or from the API share it.
pub struct PlannedRateLimit {
    /// The limit in the definition.
    pub limit: RateLimit,
    /// The name of the limit in the header fields of responses.
    pub policy_name: Box<str>,
    /// The beginning of the names of the shared counters. It is different for all limits of the API.
    pub shared_name: Box<str>,
    counts: Counts,
    hashers: [RandomState; 2],
}

enum Counts {
    Together(Box<RateLimiter>),
    ByCaller(CallerTable),
}

impl PlannedRateLimit {
    /// Creates a limit for a server with this number of workers. `scope` is the part of the API to which the limit
    /// belongs, such as `method:article.get`. `max_callers` is the number of callers whose requests are counted.
    pub fn new(limit: RateLimit, scope: &str, workers: usize, max_callers: u64) -> Self {
        let RateLimit { requests, per, by, .. } = limit;
        let policy_name = limit.policy_name();
        Self {
            shared_name: format!("{scope}:{policy_name}").into(),
            policy_name: policy_name.into(),
            counts: match by {
                RateLimitBy::All => Counts::Together(Box::new(RateLimiter::new(requests, per.seconds(), workers))),
                _ => Counts::ByCaller(CallerTable::new(requests, per.seconds(), max_callers)),
            },
            hashers: [RandomState::new(), RandomState::new()],
            limit,
        }
    }

    /// Counts a request of a caller as `cost` requests at the Unix time `now`. Returns the state of the limit after the
    /// request, and the period in which it counts.
    ///
    /// # Errors
    /// Fails if fewer than `cost` requests remain; the request then is not counted.
    pub fn count(&self, caller: Caller<'_>, now: u64, cost: u32) -> Result<(Quota, u32), Quota> {
        match &self.counts {
            Counts::Together(limiter) => limiter.count(now, cost),
            Counts::ByCaller(table) => table.count(wide_hash(&self.hashers, caller), now, cost),
        }
    }

    /// Takes back a request that [`PlannedRateLimit::count`] has counted in this period.
    pub fn give_back(&self, caller: Caller<'_>, window: u32, cost: u32) {
        match &self.counts {
            Counts::Together(limiter) => limiter.give_back(window, cost),
            Counts::ByCaller(table) => table.give_back(wide_hash(&self.hashers, caller), window, cost),
        }
    }
}

/// Counts the requests of each caller against a limit. Periods begin with those of the clock in UTC. If there are too
/// many callers, those that send few requests are forgotten.
struct CallerTable {
    requests: u32,
    seconds: u32,
    counts: Cache<u128, UsedInPeriod>,
}

#[derive(Clone)]
struct UsedInPeriod {
    /// The number of the period.
    window: u32,
    requests: u32,
}

impl CallerTable {
    fn new(requests: u32, seconds: u32, max_callers: u64) -> Self {
        let max_callers = usize::try_from(max_callers).unwrap_or(usize::MAX);
        Self { requests, seconds: seconds.max(1), counts: Cache::new(max_callers.max(1)) }
    }

    fn count(&self, caller: u128, now: u64, cost: u32) -> Result<(Quota, u32), Quota> {
        let count = |used: &mut UsedInPeriod| self.count_for(used, now, cost);
        match self.counts.entry(&caller, None, |_, used| EntryAction::Retain(count(used))) {
            EntryResult::Retained(counted) => counted,
            vacant => {
                let mut used = UsedInPeriod { window: 0, requests: 0 };
                let counted = count(&mut used);
                if let EntryResult::Vacant(entry) = vacant {
                    // Fails only if another entry of the caller has been inserted meanwhile.
                    let _ = entry.insert(used);
                }
                counted
            }
        }
    }

    fn count_for(&self, used: &mut UsedInPeriod, now: u64, cost: u32) -> Result<(Quota, u32), Quota> {
        let seconds = u64::from(self.seconds);
        // The number of the period fits into 32 bits until 2106 if a period is a second.
        let window = (now / seconds) as u32;
        // Another worker with a slightly later clock may have begun the next period.
        if used.window != window && used.window != window.wrapping_add(1) {
            *used = UsedInPeriod { window, requests: 0 };
        }
        let reset = ((u64::from(used.window) + 1) * seconds).saturating_sub(now);
        let quota = |remaining| Quota { requests: self.requests, seconds: self.seconds, remaining, reset };
        let remaining = self.requests.saturating_sub(used.requests);
        let after = remaining.checked_sub(cost).ok_or_else(|| quota(remaining))?;
        used.requests = self.requests - after;
        Ok((quota(after), used.window))
    }

    fn give_back(&self, caller: u128, window: u32, cost: u32) {
        let _ = self.counts.entry(&caller, None, |_, used| {
            if used.window == window {
                used.requests = used.requests.saturating_sub(cost);
            }
            EntryAction::Retain(())
        });
    }
}

/// The client whose requests a limit counts together.
#[derive(Debug, Clone, Copy, Hash)]
pub enum Caller<'a> {
    All,
    /// The clients in this network: an IPv4 address, or an IPv6 network of the size /64. `None` stands for all clients
    /// without an address.
    Address(Option<IpAddr>),
    /// The caller with this name.
    Identity(&'a QualifiedName),
}

impl<'a> Caller<'a> {
    /// Returns the client whose requests a limit counts together, for a request from this address.
    pub fn new(by: RateLimitBy, identity: Option<&'a Identity>, client: Option<IpAddr>) -> Self {
        match (by, identity) {
            (RateLimitBy::All, _) => Self::All,
            (RateLimitBy::Caller, Some(identity)) => Self::Identity(identity.qualified_name()),
            (RateLimitBy::Caller, None) | (RateLimitBy::Address, _) => Self::Address(client.map(client_network)),
        }
    }

    /// Returns the caller as the end of the name of a shared counter. It contains only a hash of a name, because names
    /// can be long, and can be data of persons.
    pub fn shared_name(self) -> String {
        match self {
            Self::All => String::new(),
            Self::Address(None) => ":address:unknown".to_owned(),
            Self::Address(Some(IpAddr::V4(address))) => format!(":address:{address}"),
            Self::Address(Some(IpAddr::V6(address))) => format!(":address:{:x}", address.to_bits() >> 64),
            Self::Identity(QualifiedName { namespace, name }) => {
                let mut hash = Sha256::new();
                // The length separates the namespace from the name.
                hash.update((namespace.len() as u64).to_le_bytes());
                hash.update(&**namespace);
                hash.update(&**name);
                format!(":caller:{}", hex::encode(&hash.finalize()[..16]))
            }
        }
    }
}

/// Returns a hash of a limit or a caller. Two hashes are equal with negligible probability.
pub fn wide_hash(hashers: &[RandomState; 2], of: impl Hash + Copy) -> u128 {
    let [high, low] = hashers.each_ref().map(|hasher| u128::from(hasher.hash_one(of)));
    high << 64 | low
}
