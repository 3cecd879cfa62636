//! A limit of the number of requests in the plan.

use std::hash::RandomState;

use rulebook_model::model::{RateLimit, RateLimitBy};

use super::caller::Caller;
use super::caller_table::CallerTable;
use crate::call::{Quota, RateLimiter};

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
    /// The requests of all callers.
    Together(Box<RateLimiter>),
    /// The requests of each caller.
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
            Counts::ByCaller(table) => table.count(caller.number(&self.hashers), now, cost),
        }
    }

    /// Takes back a request that [`PlannedRateLimit::count`] has counted in this period.
    pub fn give_back(&self, caller: Caller<'_>, window: u32, cost: u32) {
        match &self.counts {
            Counts::Together(limiter) => limiter.give_back(window, cost),
            Counts::ByCaller(table) => table.give_back(caller.number(&self.hashers), window, cost),
        }
    }
}
