//! Counts the requests of each caller, in bounded memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use crate::call::Quota;

/// The number of parts of a table. Each part has a lock, so that workers rarely wait for each other.
const SHARDS: usize = 64;
/// The number of callers of which one is forgotten if a part of the table is full.
const COMPARED_CALLERS: usize = 8;

/// Counts the requests of each caller against a limit. Periods begin with those of the clock in UTC. When a new period
/// has begun, the counts of the old one are forgotten.
pub struct CallerTable {
    requests: u32,
    seconds: u32,
    max_callers_per_shard: usize,
    hasher: RandomState,
    shards: Box<[Shard]>,
}

/// A part of the table, in a separate cache line.
#[derive(Default)]
#[repr(align(128))]
struct Shard(Mutex<ShardCounts>);

#[derive(Default)]
struct ShardCounts {
    /// The number of the period.
    window: u32,
    counts: HashMap<u128, u32>,
}

impl CallerTable {
    /// Creates a table that counts the requests of at most about `max_callers` callers. `seconds` is at least 1.
    pub fn new(requests: u32, seconds: u32, max_callers: u64) -> Self {
        let max_callers = usize::try_from(max_callers).unwrap_or(usize::MAX);
        Self {
            requests,
            seconds: seconds.max(1),
            max_callers_per_shard: max_callers.div_ceil(SHARDS).max(1),
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
        }
    }

    /// Counts a request of a caller as `cost` requests at the Unix time `now`. Returns the state of the limit after the
    /// request, and the period in which it counts.
    ///
    /// # Errors
    /// Fails if fewer than `cost` requests remain; the request then is not counted.
    pub fn count(&self, caller: u128, now: u64, cost: u32) -> Result<(Quota, u32), Quota> {
        let seconds = u64::from(self.seconds);
        // The number of the period fits into 32 bits until 2106 if a period is a second.
        let window = (now / seconds) as u32;
        self.with_shard(caller, |shard| {
            // Another worker with a slightly later clock may have begun the next period.
            let window = if shard.window == window.wrapping_add(1) { shard.window } else { window };
            if shard.window != window {
                *shard = ShardCounts { window, counts: HashMap::new() };
            }
            let reset = ((u64::from(window) + 1) * seconds).saturating_sub(now);
            let used = shard.counts.get(&caller).copied();
            let remaining = self.requests.saturating_sub(used.unwrap_or(0));
            let quota = |remaining| Quota { requests: self.requests, seconds: self.seconds, remaining, reset };
            let Some(after) = remaining.checked_sub(cost) else { return Err(quota(remaining)) };
            if used.is_none() && shard.counts.len() >= self.max_callers_per_shard {
                shard.forget_caller();
            }
            shard.counts.insert(caller, self.requests - after);
            Ok((quota(after), window))
        })
    }

    /// Takes back a request that [`CallerTable::count`] has counted in this period.
    pub fn give_back(&self, caller: u128, window: u32, cost: u32) {
        self.with_shard(caller, |shard| {
            if let Some(used) = shard.counts.get_mut(&caller).filter(|_| shard.window == window) {
                *used = used.saturating_sub(cost);
            }
        });
    }

    /// Returns the number of callers whose requests are counted.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.0.lock().unwrap_or_else(PoisonError::into_inner).counts.len()).sum()
    }

    fn with_shard<T>(&self, caller: u128, run: impl FnOnce(&mut ShardCounts) -> T) -> T {
        let hash = self.hasher.hash_one(caller);
        // The remainder is below the number of shards.
        let shard = &self.shards[(hash % SHARDS as u64) as usize];
        run(&mut shard.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ShardCounts {
    /// Forgets the caller with the fewest requests of a few callers.
    fn forget_caller(&mut self) {
        let compared = self.counts.iter().take(COMPARED_CALLERS);
        if let Some(caller) = compared.min_by_key(|(_, used)| **used).map(|(caller, _)| *caller) {
            self.counts.remove(&caller);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_beyond_the_maximum_are_forgotten_and_old_periods_too() {
        let table = CallerTable::new(10, 60, 640);
        for caller in 0..100_000 {
            assert!(table.count(caller, 60, 1).is_ok());
        }
        assert!(table.len() <= 640, "{}", table.len());
        for caller in 0..10_000 {
            let _ = table.count(caller, 120, 1);
        }
        let shards = table.shards.iter().map(|shard| shard.0.lock().unwrap());
        assert!(shards.into_iter().all(|shard| shard.window == 2 && shard.counts.len() <= 10));
    }

    #[test]
    fn callers_with_many_requests_are_remembered_if_others_are_forgotten() {
        let table = CallerTable::new(1000, 60, 640);
        for _ in 0..900 {
            table.count(7, 0, 1).unwrap();
        }
        for caller in 1_000..20_000 {
            let _ = table.count(caller, 0, 1);
        }
        assert_eq!(table.count(7, 0, 1).unwrap().0.remaining, 99);
    }

    #[test]
    fn a_request_counts_as_its_cost_or_not_at_all() {
        let table = CallerTable::new(10, 60, 100);
        let (quota, window) = table.count(1, 59, 7).unwrap();
        assert_eq!((quota.remaining, quota.reset, window), (3, 1, 0));
        assert_eq!(table.count(1, 59, 4).unwrap_err().remaining, 3);
        assert_eq!(table.count(1, 59, 3).unwrap().0.remaining, 0);
        table.give_back(1, 0, 3);
        table.give_back(1, 5, 3);
        assert_eq!(table.count(1, 59, 1).unwrap().0.remaining, 2);
        assert_eq!(table.count(1, 60, 10).unwrap().0.remaining, 0, "the next period");
        assert!(table.count(1, 59, 1).is_err(), "a worker whose clock is late counts in the next period");
        assert!(table.count(2, 60, 11).is_err());
    }
}
