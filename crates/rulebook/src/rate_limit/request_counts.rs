//! Counts a request against all limits that apply to it.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use rulebook_model::error::ErrorCode;
use rulebook_model::model::{RateLimitBy, WhenUnavailable};

use super::leases::LeasedLimit;
use super::planned::Caller;
use super::shared_limiter::{NotCounted, SharedLimit};
use super::{PlannedRateLimit, SharedLimiter};
use crate::call::{ApiError, Identity, Quota, RateLimiter};
use crate::time::unix_time;

static RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
static RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// The name of the limit of an identity in the header fields of responses.
const IDENTITY_POLICY: &str = "default";

/// The limits that apply to a request, or some of them.
#[derive(Clone, Copy)]
pub struct RequestCounts<'a> {
    /// Counts requests for several servers; `None` if each server counts by itself.
    pub shared: Option<&'a Arc<SharedLimiter>>,
    /// The limits of the API method.
    pub limits: &'a [Arc<PlannedRateLimit>],
    /// The number of requests as which the request counts.
    pub cost: u32,
    /// The identity of the caller; `None` if it is anonymous or not known yet.
    pub identity: Option<&'a Identity>,
    /// The address of the client.
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

/// Identifies one of the limits that apply to a request.
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

    /// Returns the limit as several servers count it together; `None` if each server counts by itself.
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

    /// Takes the request back from all limits for which it has been counted.
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
    /// Returns `true` if the request was counted for no limit.
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
