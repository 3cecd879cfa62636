//! The counters of one worker for one plan, which consist of arrays that only this worker writes.
//!
//! The counters form a table. It has a row for each kind of request, and a column for each way in which a request can
//! end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rulebook_model::error::{ErrorCode, codes};
use rulebook_model::model::ServerPath;

use crate::pipeline::{ErrorContext, ReplyCode, Route};
use crate::plan::{Plan, PlannedMethod};

/// The kind of a request. Requests are counted by their kind, and the log shows the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestKind {
    /// A call of the method with this index in the plan.
    Method(usize),
    /// A request for a path that does not exist.
    Unrouted,
    /// OPTIONS at a path of the API.
    Options,
    /// A request for a document of the API, such as `/openapi.json`.
    Document,
    /// A request for a page of the server or a static file.
    Static,
    /// A request for a file by a signed download link.
    Link,
    /// A request for `/healthz` or `/readyz`.
    Health,
    /// A request for `/metrics`.
    Metrics,
}

impl RequestKind {
    /// All kinds of requests that do not call a method, in the order of their rows.
    const KINDS_WITHOUT_METHOD: [Self; 7] =
        [Self::Unrouted, Self::Options, Self::Document, Self::Static, Self::Link, Self::Health, Self::Metrics];

    /// Returns the id of the called method or, for another kind of request, a name that begins with a dash.
    pub(crate) fn method_label(self, plan: &Plan) -> &str {
        match self {
            Self::Method(index) => &plan.methods[index].id,
            Self::Unrouted => "-unrouted",
            Self::Options => "-options",
            Self::Document => "-document",
            Self::Static => "-static",
            Self::Link => "-link",
            Self::Health => "-health",
            Self::Metrics => "-metrics",
        }
    }

    /// Returns the kind of a request that was routed in this way.
    pub(crate) fn of(route: &Route) -> Self {
        match route {
            Route::Method(matched) => Self::Method(matched.method_index),
            Route::NeedsBody(pending) => pending.error_context().into(),
            Route::Options(_) => Self::Options,
            Route::Fallback => Self::Static,
            Route::Error(unrouted) => unrouted.context.into(),
            Route::Server(path) => match path {
                ServerPath::Document(_) | ServerPath::ProtectedResource => Self::Document,
                ServerPath::Docs | ServerPath::Static => Self::Static,
                ServerPath::Link => Self::Link,
                ServerPath::Health | ServerPath::Readiness => Self::Health,
                ServerPath::Metrics => Self::Metrics,
            },
        }
    }

    /// Returns the name of the error that the called method declares; `None` for other errors.
    pub(crate) fn declared_error(self, plan: &Plan, code: ReplyCode) -> Option<&str> {
        let Self::Method(index) = self else { return None };
        plan.methods[index].declared_errors.get(code.declared_error?).map(|error| &*error.name)
    }

    fn row_index(self) -> usize {
        match self {
            Self::Unrouted => 0,
            Self::Options => 1,
            Self::Document => 2,
            Self::Static => 3,
            Self::Link => 4,
            Self::Health => 5,
            Self::Metrics => 6,
            Self::Method(index) => Self::KINDS_WITHOUT_METHOD.len() + index,
        }
    }
}

impl From<RequestKind> for ErrorContext {
    fn from(kind: RequestKind) -> Self {
        match kind {
            RequestKind::Method(index) => Self::Method(index),
            RequestKind::Unrouted | RequestKind::Options => Self::Nothing,
            _ => Self::ServerPath,
        }
    }
}

impl From<ErrorContext> for RequestKind {
    fn from(context: ErrorContext) -> Self {
        match context {
            ErrorContext::Method(index) => Self::Method(index),
            _ => Self::Unrouted,
        }
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestEnd {
    /// The client disconnected before it received the response.
    ClientDisconnected,
    /// The server sent a response with this HTTP status. If the response is an error, it has this error code.
    Sent(u16, Option<ReplyCode>),
}

/// The counters of one worker for one plan.
pub(crate) struct WorkerCounters {
    plan: Arc<Plan>,
    rows: Box<[CounterRow]>,
    in_flight: AtomicU64,
}

/// The counters for one kind of request.
struct CounterRow {
    /// The number of requests for each column of [`RowColumns`].
    responses: Box<[AtomicU64]>,
    /// The number of requests by duration, one counter for each bucket. The last counter is for requests that took
    /// longer than all bounds in [`BUCKET_SECONDS`].
    durations: [AtomicU64; BUCKET_SECONDS.len() + 1],
    total_nanoseconds: AtomicU64,
}

/// The upper bounds of the duration buckets, in seconds.
pub(crate) const BUCKET_SECONDS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];
/// The upper bounds of the duration buckets, in nanoseconds.
const BUCKET_NANOSECONDS: [u64; BUCKET_SECONDS.len()] = [
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

/// The HTTP statuses that are counted for responses without an error code, if the request does not call a method.
const STATUSES_WITHOUT_METHOD: [u16; 16] =
    [200, 204, 206, 301, 302, 303, 304, 307, 308, 400, 403, 404, 405, 412, 416, 503];

/// The columns of a row. The first column is for disconnected clients, the second for HTTP statuses without a column.
/// Then follow a column for each status of a response without an error code, for each error code, and for each error
/// that the method declares.
struct RowColumns<'p> {
    statuses_without_code: &'p [u16],
    method: Option<&'p PlannedMethod>,
}

const DISCONNECTED_COLUMN: usize = 0;
const OTHER_STATUS_COLUMN: usize = 1;
const FIRST_STATUS_COLUMN: usize = 2;

impl<'p> RowColumns<'p> {
    fn of(plan: &'p Plan, kind: RequestKind) -> Self {
        match kind {
            RequestKind::Method(index) => {
                let method = &plan.methods[index];
                Self { statuses_without_code: std::slice::from_ref(&method.success_status), method: Some(method) }
            }
            _ => Self { statuses_without_code: &STATUSES_WITHOUT_METHOD, method: None },
        }
    }

    fn first_code_column(&self) -> usize {
        FIRST_STATUS_COLUMN + self.statuses_without_code.len()
    }

    fn first_declared_error_column(&self) -> usize {
        self.first_code_column() + codes::ERROR_CODES.len()
    }

    fn len(&self) -> usize {
        self.first_declared_error_column() + self.method.map_or(0, |method| method.declared_errors.len())
    }

    /// Returns the index of the column that counts requests that ended in this way.
    fn column_index(&self, status: RequestEnd) -> usize {
        match status {
            RequestEnd::ClientDisconnected => DISCONNECTED_COLUMN,
            RequestEnd::Sent(status, None) => self
                .statuses_without_code
                .iter()
                .position(|known| *known == status)
                .map_or(OTHER_STATUS_COLUMN, |index| FIRST_STATUS_COLUMN + index),
            RequestEnd::Sent(_, Some(code)) => {
                let declared = code.declared_error.filter(|_| self.method.is_some());
                declared.map_or(self.first_code_column() + code.code as usize, |index| {
                    self.first_declared_error_column() + index
                })
            }
        }
    }

    /// Returns the labels that `/metrics` shows for a column.
    fn labels(&self, column: usize) -> ResponseLabels {
        match column {
            DISCONNECTED_COLUMN => ResponseLabels::new(None, "-gone", ""),
            OTHER_STATUS_COLUMN => ResponseLabels::new(None, "", ""),
            _ => match (
                self.statuses_without_code.get(column - FIRST_STATUS_COLUMN),
                codes::ERROR_CODES.get(column.wrapping_sub(self.first_code_column())),
            ) {
                (Some(status), _) => ResponseLabels::new(Some(*status), "", ""),
                (None, Some(row)) => ResponseLabels::new(Some(row.status), row.name, ""),
                (None, None) => {
                    let error = self.method.and_then(|method| {
                        method.declared_errors.get(column.wrapping_sub(self.first_declared_error_column()))
                    });
                    let name = error.map_or("", |error| &error.name);
                    ResponseLabels::new(error.map(|error| error.status.get()), ErrorCode::Failed.row().name, name)
                }
            },
        }
    }
}

/// The labels of a counter, by which `/metrics` distinguishes the responses to one kind of request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ResponseLabels {
    /// The HTTP status; `None` if no response was sent, or if its status has no column.
    pub(crate) status: Option<u16>,
    /// The error code; empty if the response is not an error.
    pub(crate) code: &'static str,
    /// The name of the error in the errors that the method declares; empty for other errors.
    pub(crate) error: Box<str>,
}

impl ResponseLabels {
    fn new(status: Option<u16>, code: &'static str, error: &str) -> Self {
        Self { status, code, error: error.into() }
    }
}

/// The counts for one kind of request.
#[derive(Debug, Clone, Default)]
pub(crate) struct KindCounts {
    /// The number of responses by label. Labels without responses are omitted.
    pub(crate) responses: Vec<(ResponseLabels, u64)>,
    /// The number of requests by duration, for each bucket in [`BUCKET_SECONDS`], and for longer durations at the end.
    pub(crate) durations: [u64; BUCKET_SECONDS.len() + 1],
    /// The sum of the durations of all requests, in nanoseconds.
    pub(crate) total_nanoseconds: u64,
}

impl WorkerCounters {
    pub(crate) fn new(plan: &Arc<Plan>) -> Self {
        let rows = request_kinds(plan).map(|kind| CounterRow {
            responses: (0..RowColumns::of(plan, kind).len()).map(|_| AtomicU64::new(0)).collect(),
            durations: Default::default(),
            total_nanoseconds: AtomicU64::new(0),
        });
        Self { rows: rows.collect(), plan: Arc::clone(plan), in_flight: AtomicU64::new(0) }
    }

    /// Counts the begin of a request. Only the worker that owns the counters may call this function and the other
    /// functions that count.
    pub(crate) fn count_begin(&self) {
        // No other thread writes this counter, so that no count is lost between the load and the store.
        self.in_flight.store(self.in_flight.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    /// Counts the end of a request by its kind, by the way in which it ended, and by its duration.
    pub(crate) fn count_end(&self, kind: RequestKind, status: RequestEnd, duration: Duration) {
        let row = &self.rows[kind.row_index()];
        add_to_counter(&row.responses[RowColumns::of(&self.plan, kind).column_index(status)], 1);
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BUCKET_NANOSECONDS.iter().position(|bound| nanoseconds <= *bound).unwrap_or(BUCKET_SECONDS.len());
        add_to_counter(&row.durations[bucket], 1);
        add_to_counter(&row.total_nanoseconds, nanoseconds);
    }

    /// Counts that a request is no longer being handled. [`WorkerCounters::count_begin`] must have been called for it.
    pub(crate) fn count_no_longer_in_flight(&self) {
        self.in_flight.store(self.in_flight.load(Ordering::Relaxed).saturating_sub(1), Ordering::Release);
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Returns the counts for each kind of request, with the id of the method or the name of the kind. Kinds without
    /// requests are omitted.
    pub(crate) fn counts_by_kind(&self) -> impl Iterator<Item = (&str, KindCounts)> {
        let rows = request_kinds(&self.plan).zip(&self.rows);
        rows.filter_map(|(kind, row)| {
            let columns = RowColumns::of(&self.plan, kind);
            let counted = row.responses.iter().map(load_counter).enumerate().filter(|(_, count)| *count > 0);
            let responses: Vec<_> = counted.map(|(column, count)| (columns.labels(column), count)).collect();
            let durations = std::array::from_fn(|index| load_counter(&row.durations[index]));
            let counts = KindCounts { responses, durations, total_nanoseconds: load_counter(&row.total_nanoseconds) };
            (!counts.responses.is_empty()).then(|| (kind.method_label(&self.plan), counts))
        })
    }
}

/// Returns all kinds of requests for a plan, in the order of their rows.
fn request_kinds(plan: &Plan) -> impl Iterator<Item = RequestKind> + use<> {
    RequestKind::KINDS_WITHOUT_METHOD.into_iter().chain((0..plan.methods.len()).map(RequestKind::Method))
}

fn load_counter(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Adds to a counter that only the current thread writes. A load and a store are faster than an atomic addition.
fn add_to_counter(counter: &AtomicU64, count: u64) {
    counter.store(load_counter(counter).wrapping_add(count), Ordering::Relaxed);
}
