//! Counts requests with a counter that several servers share.

use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use rulebook_model::model::WhenUnavailable;
use tokio::sync::watch;
use tokio::time::{timeout, timeout_at};

use super::leases::{LeaseResult, LeasedLimit, Leases};
use super::planned::Caller;
use super::{Claim, ClaimError, Grant, SharedCounter, SharedCounterSettings};
use crate::call::{Quota, RateLimiter};

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

/// A limit that several servers count together.
#[derive(Clone, Copy)]
pub struct SharedLimit<'a> {
    /// The name of the limit, which is the same on all servers.
    pub name: &'a str,
    /// Whose requests are counted.
    pub caller: Caller<'a>,
    /// The number of requests and the period.
    pub limit: LeasedLimit,
    /// The limiter of this server that records the granted requests.
    pub recorder: Option<&'a Arc<RateLimiter>>,
}

/// Why a request was not counted.
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

    /// Returns what happens to requests while the counter is unavailable.
    pub fn when_unavailable(&self) -> WhenUnavailable {
        self.settings.when_unavailable
    }

    /// Counts a request as `cost` requests if that is possible without waiting. Returns the state of the limit and the
    /// period; `None` if the request has to wait.
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

    /// Takes back a request that was counted in this period.
    pub fn give_back(&self, limit: &SharedLimit<'_>, period: u64, cost: u32) {
        self.leases.give_back(self.leases.key(limit.name, limit.caller), period, cost);
    }

    fn attempt(&self, limit: &SharedLimit<'_>, cost: u32, now: Instant, counter: Option<&Availability>) -> LeaseResult {
        let name = || format!("{}:{}{}", self.settings.prefix, limit.name, limit.caller.shared_name());
        self.leases.attempt(self.leases.key(limit.name, limit.caller), (limit.limit, cost), now, counter, name)
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
pub struct Availability {
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

    /// Returns `true` if the last claim failed.
    pub fn is_unavailable(&self) -> bool {
        self.retry_at.load(Ordering::Relaxed) != 0
    }

    /// Returns `true` if a request may use the counter now.
    pub fn may_try(&self, now: Instant) -> bool {
        let retry_at = self.retry_at.load(Ordering::Relaxed);
        if retry_at == 0 {
            return true;
        }
        let now = self.milliseconds(now);
        let next = now + RETRY_INTERVAL.as_millis() as u64;
        now >= retry_at && self.retry_at.compare_exchange(retry_at, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Records that the counter could be used.
    pub fn set_available(&self) {
        if self.is_unavailable() && self.retry_at.swap(0, Ordering::Relaxed) != 0 {
            log::info!("the shared counter of rate limits is available again");
        }
    }

    /// Records that the counter could not be used.
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
