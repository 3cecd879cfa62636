//! The counters of one worker for one plan: arrays to which only this worker writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rulebook_model::error::{ErrorCode, codes};
use rulebook_model::model::ServerPath;

use crate::pipeline::{ErrorContext, Route};
use crate::plan::{Plan, PlannedMethod};

/// The kind of a request, by which it is counted and logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum RequestKind {
    /// The method with this index.
    Method(usize),
    /// A path that does not exist.
    Nothing,
    /// OPTIONS on a URI of the API.
    Options,
    /// A document of the API.
    Document,
    /// A page of the server or a static file.
    Static,
    /// A file at a signed link.
    Link,
    /// The health or readiness of the server.
    Health,
    /// The metrics.
    Metrics,
}

impl RequestKind {
    /// All kinds but methods, in the order of their rows.
    const FIXED: [Self; 7] =
        [Self::Nothing, Self::Options, Self::Document, Self::Static, Self::Link, Self::Health, Self::Metrics];

    /// Returns the id of the method, or for other kinds a name that begins with a dash.
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

    /// Returns the kind of a request with this route.
    pub(in crate::server) fn of(route: &Route<'_>) -> Self {
        match route {
            Route::Method(matched) => Self::Method(matched.method_index),
            Route::NeedsBody(pending) => pending.error_context().into(),
            Route::Options(_) => Self::Options,
            Route::Fallback => Self::Static,
            Route::Error(unrouted) => unrouted.context.into(),
            Route::Server(path) => match path {
                ServerPath::OpenApi | ServerPath::LlmsTxt => Self::Document,
                ServerPath::Docs | ServerPath::Static => Self::Static,
                ServerPath::Link => Self::Link,
                ServerPath::Health | ServerPath::Readiness => Self::Health,
                ServerPath::Metrics => Self::Metrics,
            },
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

impl From<RequestKind> for ErrorContext {
    fn from(kind: RequestKind) -> Self {
        match kind {
            RequestKind::Method(index) => Self::Method(index),
            RequestKind::Nothing | RequestKind::Options => Self::Nothing,
            _ => Self::ServerPath,
        }
    }
}

impl From<ErrorContext> for RequestKind {
    fn from(context: ErrorContext) -> Self {
        match context {
            ErrorContext::Method(index) => Self::Method(index),
            _ => Self::Nothing,
        }
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Status {
    /// The client disconnected before the response.
    ClientGone,
    /// The server sent a response with this HTTP status, and with this code if it is an error.
    Sent(u16, Option<ErrorCode>),
}

/// The counters of one worker and plan.
pub(in crate::server) struct Shard {
    plan: Arc<Plan>,
    rows: Box<[Row]>,
    in_flight: AtomicU64,
}

/// The counters of one kind of request.
struct Row {
    /// The number of responses, in the order of [`Columns`].
    responses: Box<[AtomicU64]>,
    /// The number of requests for each duration bucket. The last counter is for durations longer than all of
    /// [`BUCKETS`].
    durations: [AtomicU64; BUCKETS.len() + 1],
    nanoseconds: AtomicU64,
}

/// The upper bounds of the duration buckets, in seconds.
pub(super) const BUCKETS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];
/// The upper bounds of the duration buckets, in nanoseconds.
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

/// The statuses without an error code of all requests that do not call a method.
const FIXED_STATUSES: [u16; 16] = [200, 204, 206, 301, 302, 303, 304, 307, 308, 400, 403, 404, 405, 412, 416, 503];

/// The columns of a row: one for disconnected clients, one for other statuses, then one for each status of a success,
/// for each error code, and for each status of an error that the method declares.
struct Columns<'p> {
    plain: &'p [u16],
    method: Option<&'p PlannedMethod>,
}

const GONE: usize = 0;
const OTHER: usize = 1;
const PLAIN: usize = 2;

impl<'p> Columns<'p> {
    fn of(plan: &'p Plan, kind: RequestKind) -> Self {
        match kind {
            RequestKind::Method(index) => {
                let method = &plan.methods[index];
                Self { plain: std::slice::from_ref(&method.success_status), method: Some(method) }
            }
            _ => Self { plain: &FIXED_STATUSES, method: None },
        }
    }

    fn codes(&self) -> usize {
        PLAIN + self.plain.len()
    }

    fn errors(&self) -> usize {
        self.codes() + codes::ERROR_CODES.len()
    }

    fn len(&self) -> usize {
        self.errors() + self.method.map_or(0, |method| method.declared_errors.len())
    }

    /// Returns the column that counts requests that ended with this status.
    fn column(&self, status: Status) -> usize {
        match status {
            Status::ClientGone => GONE,
            Status::Sent(status, None) => {
                self.plain.iter().position(|known| *known == status).map_or(OTHER, |index| PLAIN + index)
            }
            Status::Sent(status, Some(code)) => {
                let errors = self.method.map(|method| &method.declared_errors).filter(|_| code == ErrorCode::Failed);
                let index = errors.and_then(|errors| errors.iter().position(|error| error.status.get() == status));
                index.map_or(self.codes() + code as usize, |index| self.errors() + index)
            }
        }
    }

    /// Returns the labels of a column.
    fn labels(&self, column: usize) -> Labels {
        match column {
            GONE => Labels { status: None, code: "-gone" },
            OTHER => Labels { status: None, code: "" },
            _ => match (self.plain.get(column - PLAIN), codes::ERROR_CODES.get(column.wrapping_sub(self.codes()))) {
                (Some(status), _) => Labels { status: Some(*status), code: "" },
                (None, Some(row)) => Labels { status: Some(row.status), code: row.name },
                (None, None) => {
                    let error =
                        self.method.and_then(|method| method.declared_errors.get(column.wrapping_sub(self.errors())));
                    Labels { status: error.map(|error| error.status.get()), code: ErrorCode::Failed.row().name }
                }
            },
        }
    }
}

/// The labels that distinguish the responses to one kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Labels {
    /// The HTTP status; `None` if there was no response, or no column counts its status.
    pub(super) status: Option<u16>,
    /// The error code; empty if the response is not an error.
    pub(super) code: &'static str,
}

/// The counts of one kind of request.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    /// The number of responses for each column; columns without responses are omitted.
    pub(super) responses: Vec<(Labels, u64)>,
    /// The number of requests by duration.
    pub(super) durations: [u64; BUCKETS.len() + 1],
    /// The sum of all durations.
    pub(super) nanoseconds: u64,
}

impl Shard {
    pub(super) fn new(plan: &Arc<Plan>) -> Self {
        let rows = kinds(plan).map(|kind| Row {
            responses: (0..Columns::of(plan, kind).len()).map(|_| AtomicU64::new(0)).collect(),
            durations: Default::default(),
            nanoseconds: AtomicU64::new(0),
        });
        Self { rows: rows.collect(), plan: Arc::clone(plan), in_flight: AtomicU64::new(0) }
    }

    /// Counts the begin of a request. Only the worker of this shard may call this and the other methods that count.
    pub(in crate::server) fn begin(&self) {
        // No other thread writes here, so that no count is lost between the load and the store.
        self.in_flight.store(self.in_flight.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    /// Counts the end of a request.
    pub(in crate::server) fn end(&self, kind: RequestKind, status: Status, duration: Duration) {
        let row = &self.rows[kind.row()];
        add(&row.responses[Columns::of(&self.plan, kind).column(status)], 1);
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = NANOSECONDS.iter().position(|bound| nanoseconds <= *bound).unwrap_or(BUCKETS.len());
        add(&row.durations[bucket], 1);
        add(&row.nanoseconds, nanoseconds);
    }

    /// Counts the end of a request in flight that has [begun](Shard::begin).
    pub(in crate::server) fn leave(&self) {
        self.in_flight.store(self.in_flight.load(Ordering::Relaxed).saturating_sub(1), Ordering::Release);
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Returns all counts with the id of their method or kind. Kinds without requests are omitted.
    pub(super) fn counts(&self) -> impl Iterator<Item = (&str, Counts)> {
        let rows = kinds(&self.plan).zip(&self.rows);
        rows.filter_map(|(kind, row)| {
            let columns = Columns::of(&self.plan, kind);
            let counted = row.responses.iter().map(load).enumerate().filter(|(_, count)| *count > 0);
            let responses: Vec<_> = counted.map(|(column, count)| (columns.labels(column), count)).collect();
            let durations = std::array::from_fn(|index| load(&row.durations[index]));
            let counts = Counts { responses, durations, nanoseconds: load(&row.nanoseconds) };
            (!counts.responses.is_empty()).then(|| (kind.id(&self.plan), counts))
        })
    }
}

/// Returns all kinds of requests, in the order of their rows.
fn kinds(plan: &Plan) -> impl Iterator<Item = RequestKind> + use<> {
    RequestKind::FIXED.into_iter().chain((0..plan.methods.len()).map(RequestKind::Method))
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Adds to a counter to which only this thread writes. A load and a store are faster than an atomic addition.
fn add(counter: &AtomicU64, count: u64) {
    counter.store(load(counter).wrapping_add(count), Ordering::Relaxed);
}
