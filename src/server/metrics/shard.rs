//! The counters of one worker: plain arrays, written by that worker alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::{Code, codes};
use crate::pipeline::Of;
use crate::plan::{Method, Plan};

/// What a request was for, which is what it is counted and logged under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum For {
    /// A method, by its index.
    Method(usize),
    /// Nothing that there is.
    Nothing,
    /// OPTIONS on anything.
    Options,
    /// A document made at start.
    Document,
    /// What the App behind the API has.
    Static,
    /// A file that a link leads to.
    Link,
    /// Whether the server lives and is ready.
    Health,
    /// The counters themselves.
    Metrics,
}

impl For {
    /// All but methods, in the order of their rows.
    const FIXED: [Self; 7] =
        [Self::Nothing, Self::Options, Self::Document, Self::Static, Self::Link, Self::Health, Self::Metrics];

    /// The method's id, or a name of ours, which begins with a dash.
    pub(in crate::server) fn id(self, plan: &Plan) -> &str {
        match self {
            Self::Method(index) => &plan.methods[index].id,
            Self::Nothing => "-unrouted",
            Self::Options => "-options",
            Self::Document => "-document",
            Self::Static => "-static",
            Self::Link => "-link",
            Self::Health => "-health",
            Self::Metrics => "-metrics",
        }
    }

    fn row(self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Options => 1,
            Self::Document => 2,
            Self::Static => 3,
            Self::Link => 4,
            Self::Health => 5,
            Self::Metrics => 6,
            Self::Method(index) => Self::FIXED.len() + index,
        }
    }
}

impl From<For> for Of {
    fn from(purpose: For) -> Self {
        match purpose {
            For::Method(index) => Self::Method(index),
            _ => Self::Nothing,
        }
    }
}

impl From<Of> for For {
    fn from(of: Of) -> Self {
        match of {
            Of::Method(index) => Self::Method(index),
            _ => Self::Nothing,
        }
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Answer {
    /// Its client has gone before.
    Gone,
    /// With an HTTP status, and perhaps a refusal's code.
    Status(u16, Option<Code>),
}

/// The counters of one worker and plan.
pub(in crate::server) struct Shard {
    plan: Arc<Plan>,
    rows: Box<[Row]>,
    in_flight: AtomicU64,
}

/// The counters of what requests are for.
struct Row {
    /// In the order of [`Slots`].
    answers: Box<[AtomicU64]>,
    /// By duration, the last for those above all of [`BUCKETS`].
    durations: [AtomicU64; BUCKETS.len() + 1],
    nanoseconds: AtomicU64,
}

/// The upper bounds of durations, in seconds.
pub(super) const BUCKETS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];
/// The same in nanoseconds.
const NANOSECONDS: [u64; BUCKETS.len()] = [
    1_000_000,
    5_000_000,
    10_000_000,
    50_000_000,
    100_000_000,
    500_000_000,
    1_000_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// Statuses without a refusal's code, of all that is no method.
const FIXED_STATUSES: [u16; 16] = [200, 204, 206, 301, 302, 303, 304, 307, 308, 400, 403, 404, 405, 412, 416, 503];

/// The counters that a row has for answers: for clients that have gone, for statuses that nobody thought of, for
/// statuses of successes, for every code, and for the statuses of the method's own errors.
struct Slots<'p> {
    plain: &'p [u16],
    method: Option<&'p Method>,
}

const GONE: usize = 0;
const OTHER: usize = 1;
const PLAIN: usize = 2;

impl<'p> Slots<'p> {
    fn of(plan: &'p Plan, of: For) -> Self {
        match of {
            For::Method(index) => {
                let method = &plan.methods[index];
                Self { plain: std::slice::from_ref(&method.status), method: Some(method) }
            }
            _ => Self { plain: &FIXED_STATUSES, method: None },
        }
    }

    fn codes(&self) -> usize {
        PLAIN + self.plain.len()
    }

    fn errors(&self) -> usize {
        self.codes() + codes::TABLE.len()
    }

    fn len(&self) -> usize {
        self.errors() + self.method.map_or(0, |method| method.errors.len())
    }

    fn slot(&self, answer: Answer) -> usize {
        match answer {
            Answer::Gone => GONE,
            Answer::Status(status, None) => {
                self.plain.iter().position(|own| *own == status).map_or(OTHER, |index| PLAIN + index)
            }
            Answer::Status(status, Some(code)) => {
                let errors = self.method.map(|method| &method.errors).filter(|_| code == Code::Failed);
                let index = errors.and_then(|errors| errors.iter().position(|error| error.status.get() == status));
                index.map_or(self.codes() + code as usize, |index| self.errors() + index)
            }
        }
    }

    /// The labels of a slot: HTTP status and code.
    fn labels(&self, slot: usize) -> Labels {
        match slot {
            GONE => Labels { status: None, code: "-gone" },
            OTHER => Labels { status: None, code: "" },
            _ => match (self.plain.get(slot - PLAIN), codes::TABLE.get(slot.wrapping_sub(self.codes()))) {
                (Some(own), _) => Labels { status: Some(*own), code: "" },
                (None, Some(row)) => Labels { status: Some(row.status), code: row.name },
                (None, None) => {
                    let error = self.method.and_then(|method| method.errors.get(slot.wrapping_sub(self.errors())));
                    Labels { status: error.map(|error| error.status.get()), code: Code::Failed.row().name }
                }
            },
        }
    }
}

/// What tells the answers to requests for the same apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Labels {
    /// HTTP status; none where there is none, or one that nobody thought of.
    pub(super) status: Option<u16>,
    /// The refusal's code; empty where there is none.
    pub(super) code: &'static str,
}

/// What a row has counted.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    /// Answers, where there are any.
    pub(super) answers: Vec<(Labels, u64)>,
    /// By duration.
    pub(super) durations: [u64; BUCKETS.len() + 1],
    /// Of all together.
    pub(super) nanoseconds: u64,
}

impl Shard {
    pub(super) fn new(plan: &Arc<Plan>) -> Self {
        let all = all(plan).map(|of| Row {
            answers: (0..Slots::of(plan, of).len()).map(|_| AtomicU64::new(0)).collect(),
            durations: Default::default(),
            nanoseconds: AtomicU64::new(0),
        });
        Self { rows: all.collect(), plan: Arc::clone(plan), in_flight: AtomicU64::new(0) }
    }

    /// A request has come. To be called by its own worker only, as all that counts.
    pub(in crate::server) fn begin(&self) {
        // Only this worker writes, so nothing can be lost between reading and writing.
        self.in_flight.store(self.in_flight.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    /// It is answered, or its client has gone.
    pub(in crate::server) fn end(&self, of: For, answer: Answer, duration: Duration) {
        let row = &self.rows[of.row()];
        add(&row.answers[Slots::of(&self.plan, of).slot(answer)], 1);
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = NANOSECONDS.iter().position(|bound| nanoseconds <= *bound).unwrap_or(BUCKETS.len());
        add(&row.durations[bucket], 1);
        add(&row.nanoseconds, nanoseconds);
    }

    /// There is nothing more to do for a request that has [begun](Shard::begin).
    pub(in crate::server) fn leave(&self) {
        self.in_flight.store(self.in_flight.load(Ordering::Relaxed).saturating_sub(1), Ordering::Release);
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Everything that was counted, by id; what was never asked for is left out.
    pub(super) fn counts(&self) -> impl Iterator<Item = (&str, Counts)> {
        let rows = all(&self.plan).zip(&self.rows);
        rows.filter_map(|(of, row)| {
            let slots = Slots::of(&self.plan, of);
            let counted = row.answers.iter().map(load).enumerate().filter(|(_, count)| *count > 0);
            let answers: Vec<_> = counted.map(|(slot, count)| (slots.labels(slot), count)).collect();
            let durations = std::array::from_fn(|index| load(&row.durations[index]));
            let counts = Counts { answers, durations, nanoseconds: load(&row.nanoseconds) };
            (!counts.answers.is_empty()).then(|| (of.id(&self.plan), counts))
        })
    }
}

/// All that requests can be for, in the order of the rows.
fn all(plan: &Plan) -> impl Iterator<Item = For> + use<> {
    For::FIXED.into_iter().chain((0..plan.methods.len()).map(For::Method))
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Only one thread writes, which spares the locked instruction.
fn add(counter: &AtomicU64, count: u64) {
    counter.store(load(counter).wrapping_add(count), Ordering::Relaxed);
}
