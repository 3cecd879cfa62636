//! How many requests somebody may make: counted without a lock, and told with each answer.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderName, HeaderValue};

use super::{Outcome, Reason, Refusal};

/// How many blocks a worker would take if it had what is left to itself: the smaller they are, the less lies idle with
/// a worker that is not asked any more.
const BLOCKS: u32 = 4;
/// Seconds until another try of somebody who has spent all there ever was: a person may have given more by then.
const SPENT_FOR_EVER: u64 = 24 * 60 * 60;

/// Counts the requests of somebody who may make so many in a time.
///
/// Times follow each other without a gap, as the clock's minutes, hours and days do. What workers share is one number,
/// of which each takes a block at a time, and counts down in a place of its own: at most a quarter of its part of what
/// is left, at least 1. So never more requests are let through than may be, and a few less where workers that have a
/// block are not asked again.
///
/// ```
/// use std::sync::Arc;
///
/// use rulebook::{Identity, Meter};
///
/// // What an `Inspect` of the program's own could give.
/// let meter = Arc::new(Meter::new(100, 60, 2));
/// let identity = Identity::new("ada", ["reader"]).metered(meter);
/// ```
#[derive(Debug)]
pub struct Meter {
    requests: u32,
    seconds: u32,
    /// In which time, and how many of it have been given out.
    claimed: Padded,
    /// What is left of each worker's block.
    blocks: Box<[Padded]>,
}

/// A time and a count, alone in its cache line: what one worker writes, no other has to wait for.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Padded(AtomicU64);

fn pack(time: u32, count: u32) -> u64 {
    u64::from(time) << 32 | u64::from(count)
}

/// The time and the count. Both halves fit.
fn unpack(packed: u64) -> (u32, u32) {
    ((packed >> 32) as u32, packed as u32)
}

impl Meter {
    /// Lets `requests` through every so many seconds, or, where these are 0, ever; by so many workers.
    #[must_use]
    pub fn new(requests: u32, seconds: u32, workers: usize) -> Self {
        let blocks = (0..workers.clamp(1, 512)).map(|_| Padded::default()).collect();
        Self { requests, seconds, claimed: Padded::default(), blocks }
    }

    /// How many it lets through.
    #[must_use]
    pub fn requests(&self) -> u32 {
        self.requests
    }

    /// Per how many seconds; 0 for ever.
    #[must_use]
    pub fn seconds(&self) -> u32 {
        self.seconds
    }

    /// Counts a request that comes now.
    ///
    /// # Errors
    /// All have been made, and this is one too many.
    pub fn take(&self) -> Result<Quota, Quota> {
        self.take_at(seconds())
    }

    /// Counts a request that comes so many seconds after the beginning of 1970.
    ///
    /// # Errors
    /// As for [`Meter::take`].
    pub fn take_at(&self, now: u64) -> Result<Quota, Quota> {
        let time = self.time(now);
        let block = &self.blocks[place() % self.blocks.len()].0;
        let own = block.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |packed| match unpack(packed) {
            (of, left) if of == time && left > 0 => Some(pack(time, left - 1)),
            _ => None,
        });
        let left = match own {
            Ok(before) => unpack(before).1 - 1,
            Err(_) => {
                let Some(claimed) = self.claim(time) else { return Err(self.quota(now, time, 0)) };
                // Another thread may have the same place, and a block in it.
                let add = |packed| match unpack(packed) {
                    (of, left) if of == time => Some(pack(time, left.saturating_add(claimed - 1))),
                    _ => Some(pack(time, claimed - 1)),
                };
                let _ = block.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
                claimed - 1
            }
        };
        let (of, claimed) = unpack(self.claimed.0.load(Ordering::Relaxed));
        let unclaimed = self.requests.saturating_sub(if of == time { claimed } else { 0 });
        Ok(self.quota(now, time, unclaimed.saturating_add(left)))
    }

    /// Whether a request that comes now would be one too many. It is not counted.
    ///
    /// # Errors
    /// It would.
    pub fn look(&self) -> Result<(), Quota> {
        let now = seconds();
        let time = self.time(now);
        let block = &self.blocks[place() % self.blocks.len()].0;
        let (of, left) = unpack(block.load(Ordering::Relaxed));
        let (since, claimed) = unpack(self.claimed.0.load(Ordering::Relaxed));
        let has_block = of == time && left > 0;
        if has_block || since != time || claimed < self.requests { Ok(()) } else { Err(self.quota(now, time, 0)) }
    }

    /// How many have been given out, and since when, in seconds since the beginning of 1970. `exactly` leaves out what
    /// workers have taken and not used, which only holds when they are at rest.
    #[must_use]
    pub fn spent(&self, exactly: bool) -> (u64, u32) {
        let (time, claimed) = unpack(self.claimed.0.load(Ordering::Relaxed));
        let unused = self.blocks.iter().map(|block| unpack(block.0.load(Ordering::Relaxed)));
        let unused = unused.filter(|(of, _)| exactly && *of == time).map(|(_, left)| left);
        (u64::from(time) * u64::from(self.seconds), unused.fold(claimed, u32::saturating_sub))
    }

    /// Begins with what was [`Meter::spent`] before.
    #[must_use]
    pub fn starting(self, since: u64, spent: u32) -> Self {
        let time = self.time_of(since);
        self.claimed.0.store(pack(time, spent), Ordering::Relaxed);
        self
    }

    /// Takes a block, and says how many requests it is good for; none where nothing is left.
    fn claim(&self, time: u32) -> Option<u32> {
        let workers = u32::try_from(self.blocks.len()).unwrap_or(u32::MAX);
        let block = |packed| {
            let (of, claimed) = unpack(packed);
            let claimed = if of == time { claimed } else { 0 };
            let left = self.requests.saturating_sub(claimed);
            (left > 0).then(|| (claimed, (left / workers.saturating_mul(BLOCKS)).max(1)))
        };
        let add = |packed| block(packed).map(|(claimed, block)| pack(time, claimed + block));
        let before = self.claimed.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).ok()?;
        block(before).map(|(_, block)| block)
    }

    fn time_of(&self, now: u64) -> u32 {
        // Minutes need 33 bits in eight thousand years.
        now.checked_div(self.seconds.into()).map_or(0, |time| time as u32)
    }

    /// The time that counts: a worker whose clock was read a moment before another's must not begin the last one anew.
    fn time(&self, now: u64) -> u32 {
        let time = self.time_of(now);
        let (known, _) = unpack(self.claimed.0.load(Ordering::Relaxed));
        if known == time.wrapping_add(1) { known } else { time }
    }

    fn quota(&self, now: u64, time: u32, remaining: u32) -> Quota {
        let end = (u64::from(time) + 1) * u64::from(self.seconds);
        Quota { requests: self.requests, seconds: self.seconds, remaining, reset: end.saturating_sub(now) }
    }
}

/// Seconds since the beginning of 1970.
fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The place of this thread among those that count.
fn place() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static PLACE: Cell<Option<usize>> = const { Cell::new(None) };
    }
    PLACE.with(|own| {
        let place = own.get().unwrap_or_else(|| NEXT.fetch_add(1, Ordering::Relaxed));
        own.set(Some(place));
        place
    })
}

/// What is left to somebody whose requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How many may be made.
    pub requests: u32,
    /// In how many seconds; 0 for ever.
    pub seconds: u32,
    /// How many more may be made; a few more may be left with other workers.
    pub remaining: u32,
    /// Seconds until all may be made again; 0 where that is never.
    pub reset: u64,
}

impl Quota {
    /// The refusal of a request that is one too many.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        let retry_after = if self.seconds == 0 { SPENT_FOR_EVER } else { self.reset.max(1) };
        Refusal::new(Reason::TooManyRequests { retry_after })
    }

    /// The outcome with what is left in the fields of its answer.
    pub fn told(self, outcome: Outcome) -> Outcome {
        match outcome {
            Ok(mut success) => {
                success.headers.extend(self.fields());
                Ok(success)
            }
            Err(refusal) => Err(refusal.with_headers(self.fields())),
        }
    }

    /// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers, version 10).
    pub(crate) fn fields(self) -> Vec<(HeaderName, HeaderValue)> {
        let Self { requests, seconds, remaining, reset } = self;
        let (policy, left) = match seconds {
            0 => (format!("\"default\";q={requests}"), format!("\"default\";r={remaining}")),
            _ => (format!("\"default\";q={requests};w={seconds}"), format!("\"default\";r={remaining};t={reset}")),
        };
        let field = |name, value| HeaderValue::try_from(value).ok().map(|value| (HeaderName::from_static(name), value));
        [field("ratelimit-policy", policy), field("ratelimit", left)].into_iter().flatten().collect()
    }
}
