//! The requests that this server has claimed from a shared counter and not used yet.

use std::hash::RandomState;
use std::time::{Duration, Instant};

use quick_cache::sync::{Cache, EntryAction, EntryResult};
use tokio::sync::watch;

use super::planned::{Caller, wide_hash};
use super::shared_limiter::Availability;
use super::{Claim, Grant};
use crate::call::Quota;

/// The time for which a server remembers how many requests remain of a limit without a period.
const LIFETIME_WITHOUT_PERIOD: Duration = Duration::from_secs(60);
const NO_PERIOD: u64 = u64::MAX;

/// The leases of all limits and callers.
pub struct Leases {
    hashers: [RandomState; 2],
    leases: Cache<u128, Lease>,
}

/// Requests of one limit and caller that this server may use until the period ends.
#[derive(Clone)]
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
pub enum LeaseResult {
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
    /// Creates a table of at most about `max_leases` leases. The requests of a lease that is removed stay unused.
    pub fn new(max_leases: usize) -> Self {
        Self { hashers: [RandomState::new(), RandomState::new()], leases: Cache::new(max_leases.max(1)) }
    }

    /// Returns the key of the lease of the limit with this name and a caller.
    pub fn key(&self, name: &str, caller: Caller<'_>) -> u128 {
        wide_hash(&self.hashers, (name, caller))
    }

    /// Counts a request as `cost` requests if the lease allows it. Otherwise returns what the request has to do.
    /// `counter` says whether the counter is available; `None` if the request may not wait for it. `name` returns the
    /// name of the limit and the caller for the counter.
    pub fn attempt(
        &self,
        key: u128,
        (limit, cost): (LeasedLimit, u32),
        now: Instant,
        counter: Option<&Availability>,
        name: impl Fn() -> String,
    ) -> LeaseResult {
        self.with_lease(key, now, |lease| lease.attempt((limit, cost), now, counter, &name))
    }

    /// Adds granted requests to a lease. `sent` is a time before the counter granted the requests: from then on, the
    /// period lasts at least as long as the counter says, so that no request is used in the next period.
    pub fn add(&self, key: u128, limit: LeasedLimit, grant: Grant, sent: Instant) {
        self.with_lease(key, sent, |lease| {
            lease.demand = lease.waiting.saturating_sub(grant.granted);
            lease.waiting = 0;
            lease.claiming = None;
            lease.add(limit, grant, sent);
        });
    }

    /// Adds requests that were granted after the time limit of their claim. Another claim may be in progress.
    pub fn add_late(&self, key: u128, limit: LeasedLimit, grant: Grant, sent: Instant) {
        self.with_lease(key, sent, |lease| {
            // A later claim may have begun a new period, in which these requests count for nothing.
            if lease.period == grant.period || Instant::now() >= lease.ends {
                lease.add(limit, grant, sent);
            }
        });
    }

    /// Takes back a request that [`Leases::attempt`] has counted in this period.
    pub fn give_back(&self, key: u128, period: u64, cost: u32) {
        let _ = self.leases.entry(&key, None, |_, lease| {
            if lease.period == period {
                lease.left = lease.left.saturating_add(cost);
            }
            EntryAction::Retain(())
        });
    }

    /// Calls `run` with the lease of a key, or with a new lease without requests.
    fn with_lease<T>(&self, key: u128, now: Instant, run: impl Fn(&mut Lease) -> T) -> T {
        match self.leases.entry(&key, None, |_, lease| EntryAction::Retain(run(lease))) {
            EntryResult::Retained(result) => result,
            vacant => {
                let mut lease = Lease::without_requests(now);
                let result = run(&mut lease);
                if let EntryResult::Vacant(entry) = vacant {
                    // Fails only if another lease of the key has been inserted meanwhile.
                    let _ = entry.insert(lease);
                }
                result
            }
        }
    }
}

impl Lease {
    fn without_requests(now: Instant) -> Self {
        Self { left: 0, remaining: 0, period: NO_PERIOD, ends: now, waiting: 0, demand: 0, claiming: None }
    }

    fn attempt(
        &mut self,
        (limit, cost): (LeasedLimit, u32),
        now: Instant,
        counter: Option<&Availability>,
        name: impl Fn() -> String,
    ) -> LeaseResult {
        let mut held = 0;
        if now < self.ends {
            let total = self.left.saturating_add(self.remaining);
            if total < cost {
                return LeaseResult::UsedUp(limit.quota(total, self.ends, now));
            }
            held = self.left;
        }
        if held >= cost {
            self.left -= cost;
            let remaining = self.left.saturating_add(self.remaining);
            return LeaseResult::Counted(limit.quota(remaining, self.ends, now), self.period);
        }
        if let Some(claiming) = self.claiming.clone().filter(|claiming| claiming.has_changed().is_ok()) {
            if counter.is_none_or(Availability::is_unavailable) {
                return LeaseResult::Unavailable;
            }
            self.waiting = self.waiting.saturating_add(cost);
            return LeaseResult::Wait(claiming);
        }
        if !counter.is_some_and(|counter| counter.may_try(now)) {
            return LeaseResult::Unavailable;
        }
        let (sender, receiver) = watch::channel(());
        self.claiming = Some(receiver);
        let needed = cost - held;
        let desired = needed.saturating_add(std::mem::take(&mut self.demand)).min(limit.requests).max(needed);
        let LeasedLimit { requests, seconds } = limit;
        // Requests of a limit without a period are never claimed in advance: they would be lost if the server stopped.
        let claim = match seconds {
            0 => Claim { name: name(), requests, seconds, needed, desired: needed, shares: false },
            _ => Claim { name: name(), requests, seconds, needed, desired, shares: true },
        };
        LeaseResult::Claim(claim, sender)
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
