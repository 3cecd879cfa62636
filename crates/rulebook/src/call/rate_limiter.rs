//! Limits the number of requests of an identity in a time window. Worker threads count requests without a lock.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::Quota;
use crate::unix_time::unix_time;

/// The number of blocks into which a worker's share of the allowed requests is divided. The smaller the blocks are, the
/// more accurate are the remaining requests in responses, which do not include the blocks of other workers.
const BLOCKS_PER_WORKER: u32 = 4;

/// Limits the number of requests of an identity in a time window.
///
/// Each window begins when the previous window ends, like the minutes, hours and days of a clock in UTC; windows do not
/// slide.
///
/// Workers share one atomic counter, from which each worker claims blocks of requests. A worker then counts down its
/// block without accessing the shared counter. The share of a worker is the number of remaining requests divided by the
/// number of workers; a block is a quarter of this share, but at least one request. If too few requests are left, a
/// worker takes those of other workers' blocks, so that a limiter allows exactly the requests of its limit.
///
/// ```
/// use std::sync::Arc;
///
/// use rulebook::{Identity, RateLimiter};
///
/// // 100 requests a minute, for a server with 2 workers. An `Authenticate` keeps one limiter for each identity.
/// let limiter = Arc::new(RateLimiter::new(100, 60, 2));
/// let identity = Identity::new("ada", ["reader"]).with_rate_limiter(limiter);
/// ```
#[derive(Debug)]
pub struct RateLimiter {
    requests: u32,
    seconds: u32,
    /// The name under which several servers count the requests together; `None` if each server counts by itself.
    shared_name: Option<Box<str>>,
    /// The current window, and the number of requests that workers have claimed in this window.
    claimed: PaddedCounter,
    /// For each worker, the window to which its block belongs, and the number of requests that remain in the block.
    blocks: Box<[PaddedCounter]>,
}

/// A window and a number of requests, in a separate cache line, so that the writes of one worker do not slow down other
/// workers.
#[derive(Debug, Default)]
#[repr(align(128))]
struct PaddedCounter(AtomicU64);

fn pack_window_and_count(window: u32, count: u32) -> u64 {
    u64::from(window) << 32 | u64::from(count)
}

/// Returns the window and the number of requests that [`pack_window_and_count`] has combined.
fn unpack_window_and_count(packed: u64) -> (u32, u32) {
    // Each half of `packed` fits into 32 bits, so that no bits are lost.
    ((packed >> 32) as u32, packed as u32)
}

impl RateLimiter {
    /// Creates a limiter that allows the number `requests` in every window of `seconds`. If `seconds` is 0, the limiter
    /// allows this number of requests in total. `workers` is the number of worker threads of the server.
    #[must_use]
    pub fn new(requests: u32, seconds: u32, workers: usize) -> Self {
        let blocks = (0..workers.clamp(1, 512)).map(|_| PaddedCounter::default()).collect();
        Self { requests, seconds, shared_name: None, claimed: PaddedCounter::default(), blocks }
    }

    /// The maximum number of requests in a window.
    #[must_use]
    pub fn requests(&self) -> u32 {
        self.requests
    }

    /// The length of a window in seconds; 0 if the limit has no window.
    #[must_use]
    pub fn seconds(&self) -> u32 {
        self.seconds
    }

    /// Counts a request at the current time. Returns the state of the limit after the request.
    ///
    /// # Errors
    /// Fails if the limit is used up; the request then is not counted.
    pub fn take(&self) -> Result<Quota, Quota> {
        self.take_at(unix_time())
    }

    /// Counts a request at the Unix time `now`, in seconds. Returns the state of the limit after the request.
    ///
    /// # Errors
    /// Fails under the same conditions as [`RateLimiter::take`].
    pub fn take_at(&self, now: u64) -> Result<Quota, Quota> {
        self.count(now, 1).map(|(quota, _)| quota)
    }

    /// Counts a request as `cost` requests at the Unix time `now`. Returns the state of the limit after the request,
    /// and the window in which it counts.
    ///
    /// # Errors
    /// Fails if fewer than `cost` requests remain; the request then is not counted.
    pub(crate) fn count(&self, now: u64, cost: u32) -> Result<(Quota, u32), Quota> {
        let window = self.current_window(now);
        let block = self.block();
        let take = |packed| match unpack_window_and_count(packed) {
            (of, remaining) if of == window && remaining >= cost => {
                Some(pack_window_and_count(window, remaining - cost))
            }
            _ => None,
        };
        let before = loop {
            let held = match block.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
                Ok(before) => break unpack_window_and_count(before).1,
                Err(known) => match unpack_window_and_count(known) {
                    (of, remaining) if of == window => remaining,
                    _ => 0,
                },
            };
            let needed = cost.saturating_sub(held);
            let claimed = self.claim_block(window, needed);
            let taken = if claimed < needed { self.take_from_other_blocks(window, needed - claimed) } else { 0 };
            self.add_to_block(window, claimed + taken);
            if claimed + taken < needed {
                return Err(self.quota_at(now, window, held + claimed + taken));
            }
            // Another thread may take the requests first. Then more are claimed.
        };
        let (of, claimed) = unpack_window_and_count(self.claimed.0.load(Ordering::Relaxed));
        let unclaimed = self.requests.saturating_sub(if of == window { claimed } else { 0 });
        Ok((self.quota_at(now, window, unclaimed.saturating_add(before - cost)), window))
    }

    /// Takes back a request that [`RateLimiter::count`] has counted in this window.
    pub(crate) fn give_back(&self, window: u32, cost: u32) {
        let add = |packed| match unpack_window_and_count(packed) {
            (of, remaining) if of == window => Some(pack_window_and_count(window, remaining.saturating_add(cost))),
            _ => None,
        };
        let _ = self.block().fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Records requests of the current window that a counter of several servers has granted, so that
    /// [`RateLimiter::last_window_usage`] includes them.
    pub(crate) fn record(&self, requests: u32) {
        let window = self.current_window(unix_time());
        let add = |packed| {
            let (of, claimed) = unpack_window_and_count(packed);
            let claimed = if of == window { claimed } else { 0 };
            Some(pack_window_and_count(window, claimed.saturating_add(requests).min(self.requests)))
        };
        let _ = self.claimed.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Sets the name under which several servers count the requests together, if the program has a
    /// [shared counter](crate::Rulebook::shared_counter). Limiters with the same name on all servers must have the same
    /// limit.
    #[must_use]
    pub fn with_shared_name(self, name: impl Into<Box<str>>) -> Self {
        Self { shared_name: Some(name.into()), ..self }
    }

    /// Returns the name that was set with [`RateLimiter::with_shared_name`].
    pub(crate) fn shared_name(&self) -> Option<&str> {
        self.shared_name.as_deref()
    }

    /// Checks whether a further request would be allowed, without counting a request.
    ///
    /// # Errors
    /// Fails if the limit is used up.
    pub fn check(&self) -> Result<(), Quota> {
        let now = unix_time();
        let window = self.current_window(now);
        let (claimed_in, claimed) = unpack_window_and_count(self.claimed.0.load(Ordering::Relaxed));
        let is_allowed =
            claimed_in != window || claimed < self.requests || self.unused(window).any(|unused| unused > 0);
        if is_allowed { Ok(()) } else { Err(self.quota_at(now, window, 0)) }
    }

    /// Returns the start of the last window with requests, as a Unix time in seconds, and the number of requests that
    /// workers have claimed in this window. If `exact` is `true`, requests that workers have claimed but not used are
    /// subtracted; the result is exact only if no request is counted at the same time.
    #[must_use]
    pub fn last_window_usage(&self, exact: bool) -> (u64, u32) {
        let (window, claimed) = unpack_window_and_count(self.claimed.0.load(Ordering::Relaxed));
        let used = if exact { self.unused(window).fold(claimed, u32::saturating_sub) } else { claimed };
        (u64::from(window) * u64::from(self.seconds), used)
    }

    /// Returns, for each worker with a block of this window, the number of requests that remain in the block.
    fn unused(&self, window: u32) -> impl Iterator<Item = u32> {
        let blocks = self.blocks.iter().map(|block| unpack_window_and_count(block.0.load(Ordering::Relaxed)));
        blocks.filter(move |(of, _)| *of == window).map(|(_, remaining)| remaining)
    }

    /// Restores the state that [`RateLimiter::last_window_usage`] of an earlier limiter has returned. `since` is the
    /// start of the window.
    #[must_use]
    pub fn with_used(self, since: u64, used: u32) -> Self {
        let window = self.window_at(since);
        self.claimed.0.store(pack_window_and_count(window, used), Ordering::Relaxed);
        self
    }

    /// Claims a block of at least `needed` requests, or all that no worker has claimed if they are fewer. Returns their
    /// number.
    fn claim_block(&self, window: u32, needed: u32) -> u32 {
        let workers = u32::try_from(self.blocks.len()).unwrap_or(u32::MAX);
        let next = |packed| {
            let (of, claimed) = unpack_window_and_count(packed);
            let claimed = if of == window { claimed } else { 0 };
            let unclaimed = self.requests.saturating_sub(claimed);
            let block = (unclaimed / workers.saturating_mul(BLOCKS_PER_WORKER)).max(needed).min(unclaimed);
            (block > 0).then_some((claimed, block))
        };
        let add = |packed| next(packed).map(|(claimed, block)| pack_window_and_count(window, claimed + block));
        let before = self.claimed.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).ok();
        before.and_then(next).map_or(0, |(_, block)| block)
    }

    /// Takes at most `needed` requests that other workers have claimed and not used. Returns their number.
    fn take_from_other_blocks(&self, window: u32, needed: u32) -> u32 {
        let this = self.block_index();
        let others = self.blocks.iter().enumerate().filter(|(index, _)| *index != this).map(|(_, block)| &block.0);
        others.fold(0, |taken, block| {
            let part = |packed| match unpack_window_and_count(packed) {
                (of, remaining) if of == window => Some((remaining, remaining.min(needed - taken))),
                _ => None,
            };
            let remove = |packed| {
                part(packed)
                    .filter(|(_, part)| *part > 0)
                    .map(|(held, part)| pack_window_and_count(window, held - part))
            };
            let before = block.fetch_update(Ordering::Relaxed, Ordering::Relaxed, remove).ok();
            taken + before.and_then(part).map_or(0, |(_, part)| part)
        })
    }

    /// Adds claimed requests to the block of this worker.
    fn add_to_block(&self, window: u32, claimed: u32) {
        let add = |packed| match unpack_window_and_count(packed) {
            (of, remaining) if of == window => Some(pack_window_and_count(window, remaining.saturating_add(claimed))),
            _ => Some(pack_window_and_count(window, claimed)),
        };
        let _ = self.block().fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Returns the block of this worker.
    fn block(&self) -> &AtomicU64 {
        &self.blocks[self.block_index()].0
    }

    fn block_index(&self) -> usize {
        worker_index() % self.blocks.len()
    }

    fn window_at(&self, now: u64) -> u32 {
        // For windows of a minute or longer, the number fits into 32 bits for the next eight thousand years.
        now.checked_div(self.seconds.into()).map_or(0, |window| window as u32)
    }

    /// Returns the window in which a request at the time `now` counts. Two workers may read the clock at slightly
    /// different times: if one of them has already started a new window, the other must not return to the previous
    /// window.
    fn current_window(&self, now: u64) -> u32 {
        let window = self.window_at(now);
        let (known, _) = unpack_window_and_count(self.claimed.0.load(Ordering::Relaxed));
        if known == window.wrapping_add(1) { known } else { window }
    }

    fn quota_at(&self, now: u64, window: u32, remaining: u32) -> Quota {
        let end = (u64::from(window) + 1) * u64::from(self.seconds);
        Quota { requests: self.requests, seconds: self.seconds, remaining, reset: end.saturating_sub(now) }
    }
}

/// Returns the index of the current thread: the first thread that counts a request has the index 0, the next thread the
/// index 1.
fn worker_index() -> usize {
    static NEXT_INDEX: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static THREAD_INDEX: Cell<Option<usize>> = const { Cell::new(None) };
    }
    THREAD_INDEX.with(|cell| {
        let index = cell.get().unwrap_or_else(|| NEXT_INDEX.fetch_add(1, Ordering::Relaxed));
        cell.set(Some(index));
        index
    })
}
