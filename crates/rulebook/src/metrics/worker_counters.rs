//! The counters of one worker, which consist of arrays that only this worker writes.
//!
//! The counters form a table. It has a row for each kind of request, and a column for each way in which a request can
//! end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rulebook_model::error::{ErrorCode, codes};
use rulebook_model::model::ServerPath;

use super::caller_counters::CallerCounters;
use crate::call::Identity;
use crate::pipeline::{ErrorContext, GivenParameters, ReplyCode, Route};
use crate::plan::Plan;
use crate::usage::UsageCounts;

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

/// The kinds of requests that do not call a method, in the order of their rows, each with its name.
const KINDS_WITHOUT_METHOD: [(RequestKind, &str); 7] = [
    (RequestKind::Unrouted, "-unrouted"),
    (RequestKind::Options, "-options"),
    (RequestKind::Document, "-document"),
    (RequestKind::Static, "-static"),
    (RequestKind::Link, "-link"),
    (RequestKind::Health, "-health"),
    (RequestKind::Metrics, "-metrics"),
];

impl RequestKind {
    /// Returns the id of the called method or, for another kind of request, a name that begins with a dash.
    pub(crate) fn method_label(self, plan: &Plan) -> &str {
        match self {
            Self::Method(index) => &plan.methods[index].id,
            _ => KINDS_WITHOUT_METHOD[self.row_index()].1,
        }
    }

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
            Self::Method(index) => KINDS_WITHOUT_METHOD.len() + index,
            // All other kinds are in the table.
            _ => KINDS_WITHOUT_METHOD.iter().position(|(kind, _)| *kind == self).unwrap_or_default(),
        }
    }

    /// Returns the ways in which a request of this kind can end, in the order of their columns. The last one stands for
    /// all HTTP statuses of responses without an error code that have no column.
    fn ends(self, plan: &Plan) -> impl Iterator<Item = RequestEnd> {
        let (statuses, declared) = match self {
            Self::Method(index) => {
                let method = &plan.methods[index];
                (method.success_statuses(), &method.declared_errors[..])
            }
            _ => (STATUSES_WITHOUT_METHOD.to_vec(), &[][..]),
        };
        let declared = declared.iter().enumerate().map(|(index, error)| {
            let code = ReplyCode { code: ErrorCode::Failed, declared_error: Some(index) };
            RequestEnd::Sent(error.status.get(), Some(code))
        });
        let codes = codes::ERROR_CODES.iter().map(|row| RequestEnd::Sent(row.status, Some(row.code.into())));
        let statuses = statuses.into_iter().map(|status| RequestEnd::Sent(status, None));
        let other_statuses = [RequestEnd::ClientDisconnected, RequestEnd::Sent(OTHER_STATUS, None)];
        statuses.chain(declared).chain(codes).chain(other_statuses)
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

impl RequestEnd {
    /// Returns `true` if a request that ended in the way `other` is counted in this column.
    fn counts(self, other: Self) -> bool {
        match (self, other) {
            (Self::Sent(_, Some(column)), Self::Sent(_, Some(code))) => {
                // Only methods have columns for declared errors, which come before those of the codes.
                column.code == code.code && (column.declared_error.is_none() || column == code)
            }
            _ => self == other,
        }
    }

    /// Returns the labels by which `/metrics` distinguishes the requests of a kind that ended in this way.
    fn labels(self, kind: RequestKind, plan: &Plan) -> ResponseLabels {
        match self {
            Self::ClientDisconnected => ResponseLabels { status: None, code: "-gone", error: "".into() },
            Self::Sent(status, code) => ResponseLabels {
                status: Some(status).filter(|status| *status != OTHER_STATUS),
                code: code.map_or("", |code| code.code.row().name),
                error: code.and_then(|code| kind.declared_error(plan, code)).unwrap_or_default().into(),
            },
        }
    }
}

pub(crate) struct WorkerCounters {
    plan: Arc<Plan>,
    rows: Box<[CounterRow]>,
    in_flight: AtomicU64,
    caller_counters: CallerCounters,
}

struct CounterRow {
    /// The number of requests for each of [`RequestKind::ends`].
    responses: Box<[AtomicU64]>,
    durations: [AtomicU64; BUCKET_MILLISECONDS.len() + 1],
    total_nanoseconds: AtomicU64,
}

/// The upper bounds of the duration buckets, in milliseconds. A last bucket is for requests that took longer.
pub(super) const BUCKET_MILLISECONDS: [u64; 9] = [1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000];

/// The HTTP statuses that are counted for responses without an error code, if the request does not call a method.
const STATUSES_WITHOUT_METHOD: [u16; 16] =
    [200, 204, 206, 301, 302, 303, 304, 307, 308, 400, 403, 404, 405, 412, 416, 503];
/// Stands for an HTTP status without a column.
const OTHER_STATUS: u16 = 0;

/// The labels of a counter, by which `/metrics` distinguishes the responses to one kind of request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ResponseLabels {
    /// The HTTP status; `None` if no response was sent, or if its status has no column.
    pub(super) status: Option<u16>,
    /// The error code; empty if the response is not an error.
    pub(super) code: &'static str,
    /// The name of the error in the errors that the method declares; empty for other errors.
    pub(super) error: Box<str>,
}

/// What all workers have counted.
#[derive(Debug, Clone, Default)]
pub(super) struct Counted {
    /// The requests by the ids of methods, and by the names of other kinds of requests.
    pub(super) requests: BTreeMap<Box<str>, CountedRequests>,
    /// The requests by callers.
    pub(super) usage: UsageCounts,
}

#[derive(Debug, Clone, Default)]
pub(super) struct CountedRequests {
    /// The number of responses by label. Labels without responses are omitted.
    pub(super) responses: BTreeMap<ResponseLabels, u64>,
    /// The number of requests by duration, for each bucket in [`BUCKET_MILLISECONDS`], and for longer durations.
    pub(super) durations: [u64; BUCKET_MILLISECONDS.len() + 1],
    pub(super) total_nanoseconds: u64,
}

impl WorkerCounters {
    pub(crate) fn new(plan: &Arc<Plan>) -> Self {
        let rows = request_kinds(plan).map(|kind| CounterRow {
            responses: kind.ends(plan).map(|_| AtomicU64::new(0)).collect(),
            durations: Default::default(),
            total_nanoseconds: AtomicU64::new(0),
        });
        let (rows, plan) = (rows.collect(), Arc::clone(plan));
        Self { rows, plan, in_flight: AtomicU64::new(0), caller_counters: CallerCounters::default() }
    }

    /// Counts the begin of a request. Only the worker that owns the counters may call this function and the other
    /// functions that count.
    pub(crate) fn count_begin(&self) {
        // No other thread writes this counter, so that no count is lost between the load and the store.
        self.in_flight.store(self.in_flight.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    /// Counts the end of a request by its kind, by the way in which it ended, and by its duration.
    pub(crate) fn count_end(&self, kind: RequestKind, end: RequestEnd, duration: Duration) {
        let row = &self.rows[kind.row_index()];
        let column = kind.ends(&self.plan).position(|column| column.counts(end));
        add_to_counter(&row.responses[column.unwrap_or(row.responses.len() - 1)], 1);
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let is_within = |bound: &u64| nanoseconds <= bound * 1_000_000;
        let bucket = BUCKET_MILLISECONDS.iter().position(is_within).unwrap_or(BUCKET_MILLISECONDS.len());
        add_to_counter(&row.durations[bucket], 1);
        add_to_counter(&row.total_nanoseconds, nanoseconds);
    }

    /// Counts a request of a method by its caller, and by the parameters that it contains.
    pub(crate) fn count_caller(&self, caller: Option<&Identity>, method_index: usize, given: GivenParameters) {
        self.caller_counters.count(caller, method_index, &self.plan.methods[method_index], given);
    }

    /// Counts that a request is no longer being handled. [`WorkerCounters::count_begin`] must have been called for it.
    pub(crate) fn count_no_longer_in_flight(&self) {
        self.in_flight.store(self.in_flight.load(Ordering::Relaxed).saturating_sub(1), Ordering::Release);
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Adds the counts of the requests by callers to those of other workers.
    pub(super) fn add_usage_to(&self, usage: &mut UsageCounts) {
        self.caller_counters.add_to(usage, &self.plan);
    }

    /// Adds the counts of all requests to those of other workers. Kinds without requests are omitted.
    pub(super) fn add_to(&self, counted: &mut Counted) {
        self.add_usage_to(&mut counted.usage);
        let counted = &mut counted.requests;
        for (kind, row) in request_kinds(&self.plan).zip(&self.rows) {
            let responses = kind.ends(&self.plan).zip(row.responses.iter().map(load_counter));
            for (end, count) in responses.filter(|(_, count)| *count > 0) {
                let total = counted.entry(kind.method_label(&self.plan).into()).or_default();
                *total.responses.entry(end.labels(kind, &self.plan)).or_default() += count;
            }
            if let Some(total) = counted.get_mut(kind.method_label(&self.plan)) {
                total.durations.iter_mut().zip(&row.durations).for_each(|(sum, count)| *sum += load_counter(count));
                total.total_nanoseconds = total.total_nanoseconds.wrapping_add(load_counter(&row.total_nanoseconds));
            }
        }
    }
}

/// Returns all kinds of requests for a plan, in the order of their rows.
fn request_kinds(plan: &Plan) -> impl Iterator<Item = RequestKind> + use<> {
    KINDS_WITHOUT_METHOD.map(|(kind, _)| kind).into_iter().chain((0..plan.methods.len()).map(RequestKind::Method))
}

fn load_counter(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Adds to a counter that only the current thread writes. A load and a store are faster than an atomic addition.
fn add_to_counter(counter: &AtomicU64, count: u64) {
    counter.store(load_counter(counter).wrapping_add(count), Ordering::Relaxed);
}
