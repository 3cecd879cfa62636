//! Limits of the number of requests: those that the definition sets for methods, and those that several servers count
//! together. [`RateLimiter`](crate::RateLimiter) counts the requests of one limit without a lock.
//!
//! A worker counts a request before the body is read. For limits by client address and for limits of all callers, it
//! does so before the caller is identified, so that requests with wrong credentials count too.

mod shared;

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use quick_cache::sync::{Cache, EntryAction, EntryResult};
use rulebook_model::error::ErrorCode;
use rulebook_model::model::{RateLimit, RateLimitBy, WhenUnavailable};
use sha2::{Digest, Sha256};

use crate::call::{ApiError, Identity, QualifiedName, Quota, RateLimiter};
use crate::client_shares::client_network;
use crate::time::unix_time;

pub use shared::{Claim, ClaimError, Grant, SharedCounter, SharedCounterSettings, SharedLimiter};
use shared::{LeasedLimit, NotCounted, SharedLimit};

static RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
static RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// The name of the limit of an identity in the header fields of responses.
const IDENTITY_POLICY: &str = "default";

/// The limits that apply to a request, or some of them.
#[derive(Clone, Copy)]
pub struct RequestCounts<'a> {
    /// `None` if each server counts by itself.
    pub shared: Option<&'a Arc<SharedLimiter>>,
    pub limits: &'a [Arc<PlannedRateLimit>],
    /// For how many requests this request counts.
    pub cost: u32,
    /// `None` if the caller is anonymous or not known yet.
    pub identity: Option<&'a Identity>,
    pub client: Option<IpAddr>,
    /// `true` for limits that depend on the identity, `false` for all others.
    pub by_identity: bool,
}

/// The limits for which a request has been counted, with their states after the request.
#[derive(Debug, Default)]
pub struct CountedRequest {
    /// The state of the limit of the identity with the fewest remaining requests.
    identity_quota: Option<Quota>,
    counted: Vec<CountedLimit>,
}

#[derive(Debug)]
struct CountedLimit {
    limit: LimitIndex,
    quota: Quota,
    /// The period in which the request was counted; `None` if it was not counted.
    period: Option<Period>,
}

#[derive(Debug, Clone, Copy)]
enum Period {
    Local(u32),
    Shared(u64),
}

#[derive(Debug, Clone, Copy)]
enum LimitIndex {
    Identity(usize),
    Method(usize),
}

type CountResult = Result<(Quota, Period), NotCounted>;

impl<'a> RequestCounts<'a> {
    /// Counts the request against each limit. If a limit refuses the request, the request is not counted for the other
    /// limits either.
    ///
    /// # Errors
    /// Fails if a limit is used up, or if the shared counter is unavailable and requests are refused then.
    pub async fn count(&self, counted: &mut CountedRequest) -> Result<(), ApiError> {
        let of_identity = if self.by_identity { self.identity_limiters().len() } else { 0 };
        let depends_on_identity = |limit: &PlannedRateLimit| limit.limit.by == RateLimitBy::Caller;
        let of_method = self.limits.iter().enumerate();
        let of_method = of_method.filter(|(_, limit)| depends_on_identity(limit) == self.by_identity);
        let of_method = of_method.map(|(index, _)| LimitIndex::Method(index));
        for limit in (0..of_identity).map(LimitIndex::Identity).chain(of_method) {
            let result = match self.shared.zip(self.shared_limit(limit)) {
                Some((shared, of)) => match shared.count_at_once(&of, self.cost) {
                    Some(result) => result.map(|(quota, at)| (quota, Period::Shared(at))),
                    // The future is boxed because only few requests wait for the shared counter.
                    None => Box::pin(self.count_waiting(limit, shared, of)).await,
                },
                None => self.count_local(limit),
            };
            self.record(limit, &result, counted)?;
        }
        Ok(())
    }

    /// Counts the request against a limit, and waits for the shared counter.
    async fn count_waiting(&self, limit: LimitIndex, shared: &Arc<SharedLimiter>, of: SharedLimit<'_>) -> CountResult {
        match shared.count(&of, self.cost).await {
            Err(NotCounted::Unavailable) if shared.when_unavailable() == WhenUnavailable::Open => {
                self.count_local(limit)
            }
            result => result.map(|(quota, at)| (quota, Period::Shared(at))),
        }
    }

    fn identity_limiters(&self) -> &'a [Arc<RateLimiter>] {
        self.identity.map_or(&[], Identity::rate_limiters)
    }

    fn caller(&self, limit: &PlannedRateLimit) -> Caller<'a> {
        Caller::new(limit.limit.by, self.identity, self.client)
    }

    /// `None` if each server counts by itself.
    fn shared_limit(&self, index: LimitIndex) -> Option<SharedLimit<'a>> {
        match index {
            LimitIndex::Identity(index) => {
                let limiter = &self.identity_limiters()[index];
                let limit = LeasedLimit { requests: limiter.requests(), seconds: limiter.seconds() };
                Some(SharedLimit { name: limiter.shared_name()?, caller: Caller::All, limit, recorder: Some(limiter) })
            }
            LimitIndex::Method(index) => {
                let planned = &self.limits[index];
                let limit = LeasedLimit { requests: planned.limit.requests, seconds: planned.limit.per.seconds() };
                Some(SharedLimit { name: &planned.shared_name, caller: self.caller(planned), limit, recorder: None })
            }
        }
    }

    fn count_local(&self, index: LimitIndex) -> CountResult {
        let now = unix_time();
        let counted = match index {
            LimitIndex::Identity(index) => self.identity_limiters()[index].count(now, self.cost),
            LimitIndex::Method(index) => {
                let planned = &self.limits[index];
                planned.count(self.caller(planned), now, self.cost)
            }
        };
        counted.map(|(quota, window)| (quota, Period::Local(window))).map_err(NotCounted::UsedUp)
    }

    /// Records that the request has been counted for a limit or, if the limit refuses the request, takes the request
    /// back from the other limits.
    fn record(&self, limit: LimitIndex, result: &CountResult, counted: &mut CountedRequest) -> Result<(), ApiError> {
        let (quota, period) = match *result {
            Ok((quota, period)) => (quota, Some(period)),
            Err(NotCounted::UsedUp(quota)) => (quota, None),
            Err(NotCounted::Unavailable) => {
                self.give_back_all(counted);
                // The log contains one warning about the counter instead of one for each request.
                return Err(ApiError::plain(ErrorCode::Unavailable));
            }
        };
        if let LimitIndex::Identity(_) = limit {
            let fewest = counted.identity_quota.is_none_or(|known| quota.remaining < known.remaining);
            if period.is_none() || fewest {
                counted.identity_quota = Some(quota);
            }
        }
        // The only limit of a request needs no record: nothing can refuse the request afterwards.
        if !self.limits.is_empty() || self.identity_limiters().len() > 1 {
            counted.counted.push(CountedLimit { limit, quota, period });
        }
        if period.is_some() {
            return Ok(());
        }
        self.give_back_all(counted);
        Err(quota.error())
    }

    fn give_back_all(&self, counted: &mut CountedRequest) {
        for CountedLimit { limit, quota, period } in &mut counted.counted {
            let cost = self.cost;
            match (period.take(), *limit) {
                (None, _) => continue,
                (Some(Period::Shared(period)), limit) => {
                    if let Some((shared, of)) = self.shared.zip(self.shared_limit(limit)) {
                        shared.give_back(&of, period, cost);
                    }
                }
                (Some(Period::Local(window)), LimitIndex::Identity(index)) => {
                    self.identity_limiters()[index].give_back(window, cost);
                }
                (Some(Period::Local(window)), LimitIndex::Method(index)) => {
                    let planned = &self.limits[index];
                    planned.give_back(self.caller(planned), window, cost);
                }
            }
            quota.remaining = quota.remaining.saturating_add(cost);
        }
    }
}

impl CountedRequest {
    pub fn is_empty(&self) -> bool {
        self.identity_quota.is_none() && self.counted.is_empty()
    }

    /// Returns the header fields `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers, version 10).
    /// `limits` are the limits of the API method.
    pub fn headers(&self, limits: &[Arc<PlannedRateLimit>]) -> Vec<(HeaderName, HeaderValue)> {
        if self.is_empty() {
            return Vec::new();
        }
        let of_identity = self.identity_quota.map(|quota| quota.header_items(IDENTITY_POLICY));
        let of_method = self.counted.iter().filter_map(|counted| match counted.limit {
            LimitIndex::Identity(_) => None,
            LimitIndex::Method(index) => Some(counted.quota.header_items(&limits.get(index)?.policy_name)),
        });
        let (policies, states): (Vec<_>, Vec<_>) =
            of_identity.into_iter().chain(of_method).map(|[policy, state]| (policy, state)).unzip();
        let field = |name: &HeaderName, items: Vec<String>| {
            HeaderValue::try_from(items.join(", ")).ok().map(|value| (name.clone(), value))
        };
        [field(&RATE_LIMIT_POLICY, policies), field(&RATE_LIMIT, states)].into_iter().flatten().collect()
    }
}

/// Checks that no limit of the identity is used up, without counting a request. Limits that several servers count
/// together are not checked.
///
/// # Errors
/// Fails if a limit is used up.
pub fn check_limits_of_identity(
    shared: Option<&Arc<SharedLimiter>>,
    identity: Option<&Identity>,
) -> Result<(), ApiError> {
    let limiters = identity.map_or(&[][..], Identity::rate_limiters).iter();
    for limiter in limiters.filter(|limiter| shared.is_none() || limiter.shared_name().is_none()) {
        limiter.check().map_err(|quota| {
            let counted = CountedRequest { identity_quota: Some(quota), counted: Vec::new() };
            quota.error().with_headers(counted.headers(&[]))
        })?;
    }
    Ok(())
}

/// A limit of the number of requests that the definition sets, with the counts of this server. Methods that take the
/// limit from their module or from the API share it.
pub struct PlannedRateLimit {
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
    window: u32,
    requests: u32,
}

impl CallerTable {
    fn new(requests: u32, seconds: u32, max_callers: u64) -> Self {
        let max_callers = usize::try_from(max_callers).unwrap_or(usize::MAX);
        Self { requests, seconds: seconds.max(1), counts: Cache::new(max_callers.max(1)) }
    }

    fn count(&self, caller: u128, now: u64, cost: u32) -> Result<(Quota, u32), Quota> {
        let new = || UsedInPeriod { window: 0, requests: 0 };
        change_entry(&self.counts, caller, new, |used| self.count_for(used, now, cost))
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
    Identity(&'a QualifiedName),
}

impl<'a> Caller<'a> {
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
fn wide_hash(hashers: &[RandomState; 2], of: impl Hash + Copy) -> u128 {
    let [high, low] = hashers.each_ref().map(|hasher| u128::from(hasher.hash_one(of)));
    high << 64 | low
}

/// Calls `change` with the value of a key, or with a new value.
fn change_entry<V: Clone, T>(
    values: &Cache<u128, V>,
    key: u128,
    new: impl FnOnce() -> V,
    change: impl Fn(&mut V) -> T,
) -> T {
    match values.entry(&key, None, |_, value| EntryAction::Retain(change(value))) {
        EntryResult::Retained(result) => result,
        vacant => {
            let mut value = new();
            let result = change(&mut value);
            if let EntryResult::Vacant(entry) = vacant {
                // Fails only if another value of the key has been inserted meanwhile.
                let _ = entry.insert(value);
            }
            result
        }
    }
}
