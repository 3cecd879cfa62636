//! The requests that this server has claimed from a shared counter and not used yet.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{Claim, Grant};
use crate::call::Quota;

/// The number of parts of the table. Each part has a lock, so that workers rarely wait for each other.
const SHARDS: usize = 64;
/// The time for which a server remembers how many requests remain of a limit without a period.
const LIFETIME_WITHOUT_PERIOD: Duration = Duration::from_secs(60);
/// The minimum time between two searches for leases that have ended.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The number of a period that no counter has.
const NO_PERIOD: u64 = u64::MAX;

/// The leases of all limits and callers.
pub struct Leases {
    hashers: [RandomState; 2],
    max_leases_per_shard: usize,
    shards: Box<[PaddedShard]>,
}

#[repr(align(128))]
struct PaddedShard(Mutex<Shard>);

struct Shard {
    leases: HashMap<u128, Lease>,
    swept: Instant,
}

/// Requests of one limit and caller that this server may use until the period ends.
struct Lease {
    /// The number of requests that this server may still use.
    left: u32,
    /// The number of requests that remained for all servers after the last claim. It only decreases in a period.
    remaining: u32,
    period: u64,
    ends: Instant,
    /// The cost of the requests that wait for the claim in progress.
    waiting: u32,
    /// The cost of the requests that have waited for the last claim, and for which its grant was too small.
    demand: u32,
    /// Is closed when the claim in progress ends; `None` if no claim is in progress.
    claiming: Option<watch::Receiver<()>>,
}

/// What a lease says about a request.
pub enum Attempt {
    /// The request has been counted, in this period.
    Counted(Quota, u64),
    /// Fewer requests remain than the request needs.
    UsedUp(Quota),
    /// Another request claims requests of the same limit and caller. The receiver is closed when the claim ends.
    Wait(watch::Receiver<()>),
    /// The request should claim requests, and drop the sender when the claim ends.
    Claim(Claim, watch::Sender<()>),
    /// The request may not wait for the counter.
    Unavailable,
}

/// The limit against which a request is counted.
#[derive(Debug, Clone, Copy)]
pub struct LeasedLimit {
    pub requests: u32,
    pub seconds: u32,
}

impl LeasedLimit {
    fn quota(self, remaining: u32, ends: Instant, now: Instant) -> Quota {
        let Self { requests, seconds } = self;
        // A part of a second counts as a second, so that the next period has begun when the client tries again.
        let reset = ends.saturating_duration_since(now).as_millis().div_ceil(1000);
        let reset = if seconds == 0 { 0 } else { u64::try_from(reset).unwrap_or(u64::MAX) };
        Quota { requests, seconds, remaining, reset }
    }
}

impl Leases {
    /// Creates a table of at most about `max_leases` leases.
    pub fn new(max_leases: usize) -> Self {
        let now = Instant::now();
        let shard = |_| PaddedShard(Mutex::new(Shard { leases: HashMap::new(), swept: now }));
        Self {
            hashers: [RandomState::new(), RandomState::new()],
            max_leases_per_shard: max_leases.div_ceil(SHARDS).max(1),
            shards: (0..SHARDS).map(shard).collect(),
        }
    }

    /// Returns the functions that compute the key of a lease.
    pub fn hashers(&self) -> &[RandomState; 2] {
        &self.hashers
    }

    /// Returns the key of the lease of the limit with this name and the caller with this number.
    pub fn key(&self, name: &str, caller: u128) -> u128 {
        let [high, low] = self.hashers.each_ref().map(|hasher| u128::from(hasher.hash_one((name, caller))));
        high << 64 | low
    }

    /// Counts a request as `cost` requests if the lease allows it. Otherwise returns what the request has to do.
    /// `may_claim` returns whether a request may use the counter now, and `may_wait` whether it may wait for the
    /// claim of another request. `name` returns the name of the limit and the caller for the counter.
    pub fn attempt(
        &self,
        key: u128,
        (limit, cost): (LeasedLimit, u32),
        now: Instant,
        (may_claim, may_wait): (impl FnOnce() -> bool, impl FnOnce() -> bool),
        name: impl FnOnce() -> String,
    ) -> Attempt {
        let mut shard = self.shard(key);
        let lease = shard.leases.get_mut(&key);
        let mut held = 0;
        if let Some(lease) = lease.as_ref().filter(|lease| now < lease.ends) {
            let total = lease.left.saturating_add(lease.remaining);
            if total < cost {
                return Attempt::UsedUp(limit.quota(total, lease.ends, now));
            }
            held = lease.left;
        }
        if held >= cost
            && let Some(lease) = lease
        {
            lease.left -= cost;
            let remaining = lease.left.saturating_add(lease.remaining);
            return Attempt::Counted(limit.quota(remaining, lease.ends, now), lease.period);
        }
        if let Some(lease) = shard.leases.get_mut(&key)
            && let Some(claiming) = lease.claiming.clone().filter(|claiming| claiming.has_changed().is_ok())
        {
            if !may_wait() {
                return Attempt::Unavailable;
            }
            lease.waiting = lease.waiting.saturating_add(cost);
            return Attempt::Wait(claiming);
        }
        if !may_claim() {
            return Attempt::Unavailable;
        }
        let (sender, receiver) = watch::channel(());
        if !shard.leases.contains_key(&key) {
            shard.remove_leases(self.max_leases_per_shard, now);
        }
        let lease = shard.leases.entry(key).or_insert_with(|| Lease::without_requests(now));
        lease.claiming = Some(receiver);
        let needed = cost - held;
        let desired = needed.saturating_add(std::mem::take(&mut lease.demand)).min(limit.requests).max(needed);
        let LeasedLimit { requests, seconds } = limit;
        // Requests of a limit without a period are never claimed in advance: they would be lost if the server
        // stopped.
        let claim = match seconds {
            0 => Claim { name: name(), requests, seconds, needed, desired: needed, shares: false },
            _ => Claim { name: name(), requests, seconds, needed, desired, shares: true },
        };
        Attempt::Claim(claim, sender)
    }

    /// Adds granted requests to a lease. `sent` is a time before the counter granted the requests: from then on, the
    /// period lasts at least as long as the counter says, so that no request is used in the next period.
    pub fn add(&self, key: u128, limit: LeasedLimit, grant: Grant, sent: Instant) {
        let mut shard = self.shard(key);
        let lease = shard.leases.entry(key).or_insert_with(|| Lease::without_requests(sent));
        lease.demand = lease.waiting.saturating_sub(grant.granted);
        lease.waiting = 0;
        lease.claiming = None;
        lease.add(limit, grant, sent);
    }

    /// Adds requests that were granted after the time limit of their claim. Another claim may be in progress.
    pub fn add_late(&self, key: u128, limit: LeasedLimit, grant: Grant, sent: Instant) {
        let mut shard = self.shard(key);
        let lease = shard.leases.entry(key).or_insert_with(|| Lease::without_requests(sent));
        // A later claim may have begun a new period, in which these requests count for nothing.
        if lease.period == grant.period || Instant::now() >= lease.ends {
            lease.add(limit, grant, sent);
        }
    }

    /// Takes back a request that [`Leases::attempt`] has counted in this period.
    pub fn give_back(&self, key: u128, period: u64, cost: u32) {
        if let Some(lease) = self.shard(key).leases.get_mut(&key).filter(|lease| lease.period == period) {
            lease.left = lease.left.saturating_add(cost);
        }
    }

    fn shard(&self, key: u128) -> MutexGuard<'_, Shard> {
        // The remainder is below the number of shards. The key is a hash.
        self.shards[(key % SHARDS as u128) as usize].0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    /// Removes leases that have ended or, if no lease has ended, another one, so that there are fewer than `max`. The
    /// requests of a removed lease stay unused.
    fn remove_leases(&mut self, max: usize, now: Instant) {
        if self.leases.len() < max {
            return;
        }
        if now.saturating_duration_since(self.swept) >= SWEEP_INTERVAL {
            self.swept = now;
            self.leases.retain(|_, lease| now < lease.ends || lease.claiming.is_some());
        }
        if self.leases.len() >= max {
            let removed = self.leases.iter().find(|(_, lease)| lease.claiming.is_none());
            if let Some(key) = removed.or_else(|| self.leases.iter().next()).map(|(key, _)| *key) {
                self.leases.remove(&key);
            }
        }
    }
}

impl Lease {
    fn without_requests(now: Instant) -> Self {
        Self { left: 0, remaining: 0, period: NO_PERIOD, ends: now, waiting: 0, demand: 0, claiming: None }
    }

    /// Adds granted requests, of a claim that was sent at this time.
    fn add(&mut self, limit: LeasedLimit, grant: Grant, sent: Instant) {
        let Grant { granted, remaining, period, ends_in } = grant;
        let is_same_period = self.period == period;
        let kept = if is_same_period { self.left } else { 0 };
        let lasts = if limit.seconds == 0 { LIFETIME_WITHOUT_PERIOD } else { ends_in };
        self.left = kept.saturating_add(granted);
        // The grant of an earlier claim may arrive after that of a later one. A limit without a period has a single
        // period, whose requests an administrator may have reset: when the lease has ended, the new number counts.
        let is_current = is_same_period && sent < self.ends;
        self.remaining = if is_current { self.remaining.min(remaining) } else { remaining };
        self.period = period;
        self.ends = sent.checked_add(lasts).unwrap_or(sent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: u128 = 1;

    /// Counts a request, and returns how many requests remain.
    fn count(leases: &Leases, limit: LeasedLimit, now: Instant) -> Option<u32> {
        match leases.attempt(KEY, (limit, 1), now, (|| false, || false), String::new) {
            Attempt::Counted(quota, _) => Some(quota.remaining),
            _ => None,
        }
    }

    #[test]
    fn a_late_grant_does_not_raise_the_remaining_requests() {
        let (now, minute) = (Instant::now(), Duration::from_secs(60));
        let grant = |remaining, period| Grant { granted: 5, remaining, period, ends_in: minute };
        let limit = LeasedLimit { requests: 100, seconds: 60 };
        let leases = Leases::new(10);
        leases.add(KEY, limit, grant(80, 7), now);
        leases.add_late(KEY, limit, grant(85, 7), now);
        assert_eq!(count(&leases, limit, now), Some(5 + 5 - 1 + 80));
        leases.add(KEY, limit, grant(60, 7), now);
        assert_eq!(count(&leases, limit, now), Some(9 + 5 - 1 + 60));
        leases.add(KEY, limit, grant(95, 8), now);
        assert_eq!(count(&leases, limit, now), Some(5 - 1 + 95), "another period");
    }

    #[test]
    fn more_requests_may_remain_of_a_limit_without_a_period_when_its_lease_has_ended() {
        let now = Instant::now();
        let grant = |remaining| Grant { granted: 1, remaining, period: 0, ends_in: Duration::ZERO };
        let limit = LeasedLimit { requests: 100, seconds: 0 };
        let leases = Leases::new(10);
        leases.add(KEY, limit, grant(3), now);
        assert_eq!(count(&leases, limit, now), Some(3));
        let later = now + LIFETIME_WITHOUT_PERIOD;
        leases.add(KEY, limit, grant(99), later);
        assert_eq!(count(&leases, limit, later), Some(99));
    }
}
