//! Limits that several servers count together: the interface of their counter, the requests that this server has
//! claimed from it and not used yet, and counting with both.

use std::hash::RandomState;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use quick_cache::sync::{Cache, EntryAction};
use rulebook_model::model::{SharedLimits, WhenUnavailable};
use rulebook_model::span::Spanned;
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::{timeout, timeout_at};

use super::{Caller, change_entry, wide_hash};
use crate::call::{Quota, RateLimiter};

/// Counts the requests of limits for several servers.
///
/// A server claims several requests of a limit at once and counts them down itself, so that only few requests wait for
/// the counter. The crate `rulebook-redis` counts in Valkey or Redis. A program can count elsewhere: it implements this
/// trait, and passes the counter to [`Rulebook::shared_counter`](crate::Rulebook::shared_counter).
///
/// The counter must never grant more requests of a limit in one period than the limit, whatever servers claim at the
/// same time. It decides itself when a period begins and ends.
pub trait SharedCounter: Send + Sync + 'static {
    /// Claims requests of a limit in its current period.
    ///
    /// The future runs in a task of a worker. Requests wait for it until the time limit in [`SharedCounterSettings`];
    /// 30 seconds later, it is dropped. What it returns between is used by later requests.
    fn claim(&self, claim: Claim) -> Pin<Box<dyn Future<Output = Result<Grant, ClaimError>> + Send>>;

    /// Checks that the counter is available. `/readyz` reports the result if requests are refused while it is not.
    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), ClaimError>> + Send>>;
}

/// The requests that a server claims from a [`SharedCounter`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// The name of the limit, and of the caller whose requests it counts.
    pub name: String,
    /// The maximum number of requests in a period.
    pub requests: u32,
    /// The length of a period in seconds; 0 if the limit is the number of requests in total.
    pub seconds: u32,
    /// The number of requests that are needed at once. If fewer remain, the counter grants none.
    pub needed: u32,
    /// The number of requests that the server would like to have, at least `needed`. The counter can grant fewer of
    /// them. If `desired` is the same as `needed`, it should grant as many, because the server cannot use more.
    pub desired: u32,
    /// `true` if the counter should grant a share of the remaining requests, so that the server needs not claim again
    /// soon. A share should be small enough that other servers get theirs: a sixteenth of what remains.
    pub shares: bool,
}

impl Claim {
    /// Creates a claim of `desired` requests, at least `needed`, without a share: for tests of counters.
    #[must_use]
    pub fn new(name: impl Into<String>, requests: u32, seconds: u32, needed: u32, desired: u32) -> Self {
        Self { name: name.into(), requests, seconds, needed, desired, shares: false }
    }

    /// Returns the number of requests to grant if `remaining` requests remain in the current period.
    #[must_use]
    pub fn grant_of(&self, remaining: u32) -> u32 {
        if remaining < self.needed {
            return 0;
        }
        let share = if self.shares { remaining / Self::SHARES } else { 0 };
        self.desired.max(share).min(remaining)
    }

    /// The number of shares into which the remaining requests are divided.
    pub const SHARES: u32 = 16;
}

/// The requests that a [`SharedCounter`] has granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The number of granted requests; 0 if fewer than the needed requests remain.
    pub granted: u32,
    /// The number of requests that remain for all servers after the grant.
    pub remaining: u32,
    /// The number of the period. It is different for each period of a limit.
    pub period: u64,
    /// The time until the end of the period, from the moment at which the counter has granted the requests. It is
    /// ignored if the limit has no period.
    pub ends_in: Duration,
}

/// Why a [`SharedCounter`] is unavailable, for the log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct ClaimError(String);

impl ClaimError {
    /// Creates an error. `reason` must not contain secrets, such as a password in a URL.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// How a server uses a [`SharedCounter`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedCounterSettings {
    pub(super) when_unavailable: WhenUnavailable,
    pub(super) timeout: Duration,
    pub(super) prefix: Box<str>,
}

impl SharedCounterSettings {
    /// Returns the default settings: each server counts by itself while the counter is unavailable, a request waits for
    /// at most 250 ms, and names begin with `rulebook`.
    #[must_use]
    pub fn new() -> Self {
        Self::from(&SharedLimits::new(Spanned::default()))
    }

    /// Sets what happens to requests with a limit while the counter is unavailable.
    #[must_use]
    pub fn when_unavailable(self, when_unavailable: WhenUnavailable) -> Self {
        Self { when_unavailable, ..self }
    }

    pub(crate) fn refuses_when_unavailable(&self) -> bool {
        self.when_unavailable == WhenUnavailable::Closed
    }

    /// Sets the maximum time for which a request waits for the counter.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Sets the beginning of the names of all counters. Servers whose names have the same beginning count together.
    #[must_use]
    pub fn prefix(self, prefix: impl Into<Box<str>>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }
}

impl Default for SharedCounterSettings {
    fn default() -> Self {
        Self::new()
    }
}

impl From<&SharedLimits> for SharedCounterSettings {
    fn from(shared: &SharedLimits) -> Self {
        Self {
            when_unavailable: shared.when_unavailable,
            timeout: Duration::from_millis(shared.timeout_ms),
            prefix: shared.prefix.as_str().into(),
        }
    }
}

/// The time after the time limit for which a server waits for the requests of a claim.
const MAX_DELAY: Duration = Duration::from_secs(30);

/// The time after a failure until a request tries to use the counter again.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Counts requests with a counter that several servers share. The tasks that claim requests have it too.
pub struct SharedLimiter {
    counter: Arc<dyn SharedCounter>,
    settings: SharedCounterSettings,
    availability: Availability,
    leases: Leases,
}

#[derive(Clone, Copy)]
pub struct SharedLimit<'a> {
    /// The name of the limit, which is the same on all servers.
    pub name: &'a str,
    pub caller: Caller<'a>,
    pub limit: LeasedLimit,
    /// The limiter of this server that records the granted requests.
    pub recorder: Option<&'a Arc<RateLimiter>>,
}

pub enum NotCounted {
    /// Fewer requests remain than the request needs.
    UsedUp(Quota),
    Unavailable,
}

impl SharedLimiter {
    /// Creates a limiter of at most about `max_callers` callers.
    pub fn new(counter: Arc<dyn SharedCounter>, settings: SharedCounterSettings, max_callers: usize) -> Self {
        let consequence = match settings.when_unavailable {
            WhenUnavailable::Open => "until it is available, this server counts requests by itself",
            WhenUnavailable::Closed => "until it is available, requests with a rate limit are refused",
        };
        let (availability, leases) = (Availability::new(consequence), Leases::new(max_callers));
        Self { counter, settings, availability, leases }
    }

    pub fn when_unavailable(&self) -> WhenUnavailable {
        self.settings.when_unavailable
    }

    /// Returns the state of the limit and the period; `None` if the request has to wait.
    pub fn count_at_once(&self, limit: &SharedLimit<'_>, cost: u32) -> Option<Result<(Quota, u64), NotCounted>> {
        match self.attempt(limit, cost, Instant::now(), None) {
            LeaseResult::Counted(quota, period) => Some(Ok((quota, period))),
            LeaseResult::UsedUp(quota) => Some(Err(NotCounted::UsedUp(quota))),
            _ => None,
        }
    }

    /// Counts a request as `cost` requests, and waits for the counter if necessary. Returns the state of the limit and
    /// the period.
    ///
    /// # Errors
    /// Fails if fewer than `cost` requests remain, or if the counter is unavailable.
    pub async fn count(self: &Arc<Self>, limit: &SharedLimit<'_>, cost: u32) -> Result<(Quota, u64), NotCounted> {
        let deadline = tokio::time::Instant::now() + self.settings.timeout;
        loop {
            let mut claimed = match self.attempt(limit, cost, Instant::now(), Some(&self.availability)) {
                LeaseResult::Counted(quota, period) => return Ok((quota, period)),
                LeaseResult::UsedUp(quota) => return Err(NotCounted::UsedUp(quota)),
                LeaseResult::Unavailable => return Err(NotCounted::Unavailable),
                LeaseResult::Wait(claimed) => claimed,
                LeaseResult::Claim(claim, done) => {
                    let claimed = done.subscribe();
                    let (key, recorder) = (self.leases.key(limit.name, limit.caller), limit.recorder.cloned());
                    // The claim runs in a task, so that its requests are not lost if this client disconnects.
                    tokio::spawn(Arc::clone(self).claim(key, limit.limit, claim, recorder, done));
                    claimed
                }
            };
            // The sender sends nothing: the wait ends when it is dropped.
            if timeout_at(deadline, claimed.changed()).await.is_err() {
                return Err(NotCounted::Unavailable);
            }
        }
    }

    pub fn give_back(&self, limit: &SharedLimit<'_>, period: u64, cost: u32) {
        self.leases.give_back(self.leases.key(limit.name, limit.caller), period, cost);
    }

    fn attempt(&self, limit: &SharedLimit<'_>, cost: u32, now: Instant, counter: Option<&Availability>) -> LeaseResult {
        let name = || format!("{}:{}{}", self.settings.prefix, limit.name, limit.caller.shared_name());
        let key = self.leases.key(limit.name, limit.caller);
        self.leases.with_lease(key, now, |lease| lease.attempt(limit.limit, cost, now, counter, name))
    }

    /// Claims requests, and adds them to the lease. `done` is dropped when requests no longer wait for the claim, also
    /// if its task ends.
    async fn claim(
        self: Arc<Self>,
        key: u128,
        limit: LeasedLimit,
        claim: Claim,
        recorder: Option<Arc<RateLimiter>>,
        done: watch::Sender<()>,
    ) {
        let (sent, maximum) = (Instant::now(), claim.requests);
        let claiming: Pin<Box<_>> = self.counter.claim(claim);
        let claiming = AssertUnwindSafe(claiming).catch_unwind().map(|claimed| match claimed {
            Ok(grant) => grant.map(|grant| Grant { granted: grant.granted.min(maximum), ..grant }),
            Err(_) => Err(ClaimError::new("its code panicked")),
        });
        let mut claiming = pin!(claiming);
        let record = |grant: &Grant| {
            if let Some(recorder) = &recorder {
                recorder.record(grant.granted);
            }
        };
        match timeout(self.settings.timeout, &mut claiming).await {
            Ok(Ok(grant)) => {
                record(&grant);
                self.leases.add(key, limit, grant, sent);
                self.availability.set_available();
            }
            Ok(Err(error)) => self.availability.set_unavailable(&error),
            Err(_) => {
                self.availability.set_unavailable(&ClaimError::new("it did not respond in time"));
                drop(done);
                // The counter may still grant the requests: unless they are added then, no server can use them.
                if let Ok(Ok(grant)) = timeout(MAX_DELAY, claiming).await {
                    record(&grant);
                    self.leases.add_late(key, limit, grant, sent);
                }
            }
        }
    }
}

/// Whether a shared counter is available. While it is not, only one request per second tries to use it.
#[derive(Debug)]
struct Availability {
    start: Instant,
    /// The time from `start` in milliseconds at which a request may try to use the counter again; 0 while the counter
    /// is available.
    retry_at: AtomicU64,
    /// What happens while the counter is unavailable, for the log.
    consequence: &'static str,
}

impl Availability {
    pub fn new(consequence: &'static str) -> Self {
        Self { start: Instant::now(), retry_at: AtomicU64::new(0), consequence }
    }

    pub fn is_unavailable(&self) -> bool {
        self.retry_at.load(Ordering::Relaxed) != 0
    }

    pub fn may_try(&self, now: Instant) -> bool {
        let retry_at = self.retry_at.load(Ordering::Relaxed);
        if retry_at == 0 {
            return true;
        }
        let now = self.milliseconds(now);
        let next = now + RETRY_INTERVAL.as_millis() as u64;
        now >= retry_at && self.retry_at.compare_exchange(retry_at, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    pub fn set_available(&self) {
        if self.is_unavailable() && self.retry_at.swap(0, Ordering::Relaxed) != 0 {
            log::info!("the shared counter of rate limits is available again");
        }
    }

    pub fn set_unavailable(&self, error: &ClaimError) {
        let next = self.milliseconds(Instant::now() + RETRY_INTERVAL).max(1);
        if self.retry_at.swap(next, Ordering::Relaxed) == 0 {
            log::warn!("the shared counter of rate limits is unavailable: {error}; {}", self.consequence);
        }
    }

    fn milliseconds(&self, time: Instant) -> u64 {
        u64::try_from(time.saturating_duration_since(self.start).as_millis()).unwrap_or(u64::MAX)
    }
}

/// The time for which a server remembers how many requests remain of a limit without a period.
const LIFETIME_WITHOUT_PERIOD: Duration = Duration::from_secs(60);
const NO_PERIOD: u64 = u64::MAX;

struct Leases {
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

enum LeaseResult {
    Counted(Quota, u64),
    /// Fewer requests remain than the request needs.
    UsedUp(Quota),
    /// Another request claims requests of the same limit and caller. The receiver is closed when the claim ends.
    Wait(watch::Receiver<()>),
    /// The request should claim requests, and drop the sender when the claim ends.
    Claim(Claim, watch::Sender<()>),
    Unavailable,
}

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

    pub fn key(&self, name: &str, caller: Caller<'_>) -> u128 {
        wide_hash(&self.hashers, (name, caller))
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
        change_entry(&self.leases, key, || Lease::without_requests(now), run)
    }
}

impl Lease {
    fn without_requests(now: Instant) -> Self {
        Self { left: 0, remaining: 0, period: NO_PERIOD, ends: now, waiting: 0, demand: 0, claiming: None }
    }

    fn attempt(
        &mut self,
        limit: LeasedLimit,
        cost: u32,
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
