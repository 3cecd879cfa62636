//! Limits the number of requests of an identity in a time window. Worker threads count requests without a lock.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::{ApiError, ErrorKind};
use crate::time::unix_time;

/// The number of blocks into which a worker's share is divided. The smaller the blocks are, the more accurate are the
/// remaining requests in responses, which do not include the blocks of other workers.
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
    /// Several servers count together under it; `None` if each counts by itself.
    shared_name: Option<Box<str>>,
    /// And the requests that workers have claimed in it.
    claimed: PaddedCounter,
    /// For each worker, the window of its block and what remains in it.
    blocks: Box<[PaddedCounter]>,
}

/// A counter in a separate cache line, so that the writes of one worker do not slow down others.
#[derive(Debug, Default)]
#[repr(align(128))]
struct PaddedCounter(AtomicU64);

impl PaddedCounter {
    /// Returns the number of a window, and the number of requests in it.
    fn load(&self) -> (u32, u32) {
        Self::unpack(self.0.load(Ordering::Relaxed))
    }

    fn unpack(packed: u64) -> (u32, u32) {
        // Each half of `packed` fits into 32 bits, so that no bits are lost.
        ((packed >> 32) as u32, packed as u32)
    }

    fn store(&self, window: u32, count: u32) {
        self.0.store(u64::from(window) << 32 | u64::from(count), Ordering::Relaxed);
    }

    /// `change` gets `None` for another window. Returns the number before, or as an error the number that `change` has
    /// left.
    fn update(&self, window: u32, change: impl Fn(Option<u32>) -> Option<u32>) -> Result<u32, u32> {
        let count = |packed| Some(Self::unpack(packed)).filter(|(of, _)| *of == window).map(|(_, count)| count);
        let update = |packed| change(count(packed)).map(|count| u64::from(window) << 32 | u64::from(count));
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, update);
        before.map(|packed| count(packed).unwrap_or(0)).map_err(|packed| count(packed).unwrap_or(0))
    }
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

    /// At the Unix time `now`, as `cost` requests; returns the window too. Fails without counting if fewer remain.
    pub(crate) fn count(&self, now: u64, cost: u32) -> Result<(Quota, u32), Quota> {
        let window = self.current_window(now);
        let block = self.block();
        let before = loop {
            let held = match block.update(window, |held| held?.checked_sub(cost)) {
                Ok(before) => break before,
                Err(held) => held,
            };
            let needed = cost.saturating_sub(held);
            let claimed = self.claim_block(window, needed);
            let taken = if claimed < needed { self.take_from_other_blocks(window, needed - claimed) } else { 0 };
            let _ = block.update(window, |held| Some(held.unwrap_or(0).saturating_add(claimed + taken)));
            if claimed + taken < needed {
                return Err(self.quota_at(now, window, held + claimed + taken));
            }
            // Another thread may take the requests first. Then more are claimed.
        };
        let (of, claimed) = self.claimed.load();
        let unclaimed = self.requests.saturating_sub(if of == window { claimed } else { 0 });
        Ok((self.quota_at(now, window, unclaimed.saturating_add(before - cost)), window))
    }

    /// Gives back requests that [`RateLimiter::count`] has counted in this window.
    pub(crate) fn give_back(&self, window: u32, cost: u32) {
        let _ = self.block().update(window, |held| Some(held?.saturating_add(cost)));
    }

    /// Records requests that a counter of several servers has granted; [`RateLimiter::last_window_usage`] includes
    /// them.
    pub(crate) fn record(&self, requests: u32) {
        let window = self.current_window(unix_time());
        let add = |claimed: Option<u32>| Some(claimed.unwrap_or(0).saturating_add(requests).min(self.requests));
        let _ = self.claimed.update(window, add);
    }

    /// Sets the name under which several servers count the requests together, if the program has a
    /// [shared counter](crate::Rulebook::shared_counter). Limiters with the same name on all servers must have the same
    /// limit.
    #[must_use]
    pub fn with_shared_name(self, name: impl Into<Box<str>>) -> Self {
        Self { shared_name: Some(name.into()), ..self }
    }

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
        let (claimed_in, claimed) = self.claimed.load();
        let is_allowed =
            claimed_in != window || claimed < self.requests || self.unused(window).any(|unused| unused > 0);
        if is_allowed { Ok(()) } else { Err(self.quota_at(now, window, 0)) }
    }

    /// Returns the start of the last window with requests, as a Unix time in seconds, and the number of requests that
    /// workers have claimed in this window. If `exact` is `true`, requests that workers have claimed but not used are
    /// subtracted; the result is exact only if no request is counted at the same time.
    #[must_use]
    pub fn last_window_usage(&self, exact: bool) -> (u64, u32) {
        let (window, claimed) = self.claimed.load();
        let used = if exact { self.unused(window).fold(claimed, u32::saturating_sub) } else { claimed };
        (u64::from(window) * u64::from(self.seconds), used)
    }

    /// Returns the unused requests of each worker that has a block of this window.
    fn unused(&self, window: u32) -> impl Iterator<Item = u32> {
        self.blocks.iter().map(PaddedCounter::load).filter(move |(of, _)| *of == window).map(|(_, remaining)| remaining)
    }

    /// Restores the state that [`RateLimiter::last_window_usage`] of an earlier limiter has returned. `since` is the
    /// start of the window.
    #[must_use]
    pub fn with_used(self, since: u64, used: u32) -> Self {
        self.claimed.store(self.window_at(since), used);
        self
    }

    /// At least `needed` requests, or all that no worker has claimed if they are fewer.
    fn claim_block(&self, window: u32, needed: u32) -> u32 {
        let workers = u32::try_from(self.blocks.len()).unwrap_or(u32::MAX);
        let block = |claimed: u32| {
            let unclaimed = self.requests.saturating_sub(claimed);
            (unclaimed / workers.saturating_mul(BLOCKS_PER_WORKER)).max(needed).min(unclaimed)
        };
        let add = |claimed: Option<u32>| {
            let claimed = claimed.unwrap_or(0);
            (block(claimed) > 0).then(|| claimed + block(claimed))
        };
        self.claimed.update(window, add).map_or(0, block)
    }

    /// At most `needed` requests that other workers have claimed and not used.
    fn take_from_other_blocks(&self, window: u32, needed: u32) -> u32 {
        let this = self.block_index();
        let others = self.blocks.iter().enumerate().filter(|(index, _)| *index != this);
        others.fold(0, |taken, (_, block)| {
            let part = |held: u32| held.min(needed - taken);
            let remove = |held: Option<u32>| held.filter(|held| part(*held) > 0).map(|held| held - part(held));
            taken + block.update(window, remove).map_or(0, part)
        })
    }

    fn block(&self) -> &PaddedCounter {
        &self.blocks[self.block_index()]
    }

    fn block_index(&self) -> usize {
        worker_index() % self.blocks.len()
    }

    fn window_at(&self, now: u64) -> u32 {
        // For windows of a minute or longer, the number fits into 32 bits for the next eight thousand years.
        now.checked_div(self.seconds.into()).map_or(0, |window| window as u32)
    }

    /// Clocks of workers differ: if one has already started a new window, the other must not return to the previous
    /// one.
    fn current_window(&self, now: u64) -> u32 {
        let window = self.window_at(now);
        let (known, _) = self.claimed.load();
        if known == window.wrapping_add(1) { known } else { window }
    }

    fn quota_at(&self, now: u64, window: u32, remaining: u32) -> Quota {
        let end = (u64::from(window) + 1) * u64::from(self.seconds);
        Quota { requests: self.requests, seconds: self.seconds, remaining, reset: end.saturating_sub(now) }
    }
}

/// Returns the index of this thread: threads are numbered from 0 in the order in which they first count a request.
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

/// `Retry-After` in seconds without a time window: an administrator may have raised the limit by then.
const RETRY_AFTER_USED_UP: u64 = 24 * 60 * 60;

/// The state of a rate limit after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quota {
    /// The maximum number of requests in a window.
    pub requests: u32,
    /// The length of a window in seconds; 0 if the limit has no window.
    pub seconds: u32,
    /// The number of requests that remain in this window. Blocks of other workers may contain a few more requests.
    pub remaining: u32,
    /// The number of seconds until the next window; 0 if the limit has no window.
    pub reset: u64,
}

impl Quota {
    /// Returns the error for a request over the limit.
    #[must_use]
    pub fn error(self) -> ApiError {
        let retry_after = if self.seconds == 0 { RETRY_AFTER_USED_UP } else { self.reset.max(1) };
        ApiError::new(ErrorKind::TooManyRequests { retry_after })
    }

    /// Returns an item of `RateLimit-Policy` and one of `RateLimit` (draft-ietf-httpapi-ratelimit-headers, version 10).
    pub(crate) fn header_items(self, name: &str) -> [String; 2] {
        let Self { requests, seconds, remaining, reset } = self;
        match seconds {
            0 => [format!("\"{name}\";q={requests}"), format!("\"{name}\";r={remaining}")],
            _ => [format!("\"{name}\";q={requests};w={seconds}"), format!("\"{name}\";r={remaining};t={reset}")],
        }
    }
}
