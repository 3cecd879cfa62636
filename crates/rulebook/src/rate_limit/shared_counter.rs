//! The interface of counters that several servers share.

use std::pin::Pin;
use std::time::Duration;

use rulebook_model::model::{SharedLimits, WhenUnavailable};
use rulebook_model::span::Spanned;
use thiserror::Error;

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
    /// Creates a claim of `desired` requests, of which `needed` are needed, without a share: for tests of counters.
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
