//! Counts requests, the callers of methods, and exceeded limits of connections, and writes the counts as the response
//! of `/metrics`.
//!
//! Threads do not write to the same memory: each worker has counters that only this worker writes, and `/metrics` adds
//! up the counters of all workers. A request adds a counter only with the first use of a method by a caller, and their
//! number is limited.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::{Arguments, Display, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rulebook_model::connection_limits::{CONNECTION_LIMITS, ConnectionLimit};
use rulebook_model::error::{ErrorCode, codes};
use rulebook_model::model::ServerPath;

use crate::call::Identity;
use crate::handler::Measurement;
use crate::key::key_name;
use crate::line_queue::dropped_lines;
use crate::pipeline::{ErrorContext, GivenParameters, ReplyCode, Route};
use crate::plan::{Plan, PlannedMethod};
use crate::time::TimeShare;
use crate::usage::{ANONYMOUS, OTHER, USERS, UsageCounts};

#[derive(Default)]
pub(crate) struct Metrics(Mutex<AllCounters>);

#[derive(Default)]
struct AllCounters {
    by_worker: Vec<Arc<WorkerCounters>>,
    /// The counts of the plans that are no longer served.
    ended: Counted,
    last_text: Bytes,
    /// The time that can be used to write the text.
    time: TimeShare,
}

impl Metrics {
    pub(crate) fn new_worker_counters(&self, plan: &Arc<Plan>) -> Arc<WorkerCounters> {
        let counters = Arc::new(WorkerCounters::new(plan));
        self.lock().by_worker.push(Arc::clone(&counters));
        counters
    }

    /// Keeps the counts of a worker, but not the counters, which nothing changes any more.
    pub(crate) fn end_worker_counters(&self, counters: &Arc<WorkerCounters>) {
        let AllCounters { by_worker, ended, .. } = &mut *self.lock();
        by_worker.retain(|known| !Arc::ptr_eq(known, counters));
        counters.add_to(ended);
    }

    pub(crate) fn usage(&self) -> UsageCounts {
        let AllCounters { by_worker, ended, .. } = &*self.lock();
        let mut usage = ended.usage.clone();
        by_worker.iter().for_each(|counters| counters.add_usage_to(&mut usage));
        usage
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.lock().by_worker.iter().map(|counters| counters.in_flight()).sum()
    }

    fn lock(&self) -> MutexGuard<'_, AllCounters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns all counts in the OpenMetrics text format. `plan` contains the counts of its methods, and what its kinds
    /// of handlers measure. `detached` is the number of handlers that are still running although their clients have
    /// disconnected. `certificates` returns the files with the certificates of the server, each with the time until
    /// which its certificate is valid, in seconds since 1970.
    ///
    /// If clients request the text so often that writing it would take much time, returns the text that was written
    /// last.
    pub(crate) fn to_openmetrics(
        &self,
        plan: &Plan,
        detached: usize,
        exceeded_limits: &ExceededLimits,
        certificates: impl FnOnce() -> Vec<(usize, u64)>,
    ) -> Bytes {
        let AllCounters { by_worker, ended, last_text, time } = &mut *self.lock();
        let begun = Instant::now();
        if !time.is_free(begun) {
            return last_text.clone();
        }
        let in_flight = by_worker.iter().map(|counters| counters.in_flight()).sum();
        let mut counted = ended.clone();
        by_worker.iter().for_each(|counters| counters.add_to(&mut counted));
        let text = openmetrics_text(plan, &counted, in_flight, detached, exceeded_limits, &certificates());
        let text = Bytes::from(text);
        last_text.clone_from(&text);
        time.add(begun, begun.elapsed());
        text
    }
}

/// The minimum time between two log lines about exceeded limits.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

/// Counts how often clients have exceeded the limits of connections. This happens rarely, so that the workers can share
/// the counts.
#[derive(Debug, Default)]
pub(crate) struct ExceededLimits {
    counts: [AtomicU64; CONNECTION_LIMITS.len()],
    last_log: Mutex<Option<Instant>>,
}

impl ExceededLimits {
    /// Counts that a client has exceeded a limit, and logs it unless another line was logged shortly before.
    pub(crate) fn count(&self, limit: &ConnectionLimit, peer: Option<SocketAddr>) {
        let name = limit.name;
        let index = CONNECTION_LIMITS.iter().position(|known| known == limit);
        let Some(index) = index else { return debug_assert!(false, "`CONNECTION_LIMITS` lacks `{name}`") };
        let total = self.counts[index].fetch_add(1, Ordering::Relaxed) + 1;
        let mut last_log = self.last_log.lock().unwrap_or_else(PoisonError::into_inner);
        if last_log.is_none_or(|last| last.elapsed() >= LOG_INTERVAL) {
            *last_log = Some(Instant::now());
            let peer = peer.map_or_else(|| "-".to_owned(), |peer| peer.to_string());
            log::warn!(peer:%, limit = name; "{peer} has exceeded the limit `{name}` of connections ({total} in total)");
        }
    }

    /// Returns the names of the limits, each with the number of times that clients have exceeded it.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        CONNECTION_LIMITS.iter().zip(&self.counts).map(|(limit, count)| (limit.name, count.load(Ordering::Relaxed)))
    }
}

// The counters of one worker, which consist of arrays that only this worker writes.
//
// The counters form a table. It has a row for each kind of request, and a column for each way in which a request can
// end.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestKind {
    Method(usize),
    /// A request for a path that does not exist.
    Unrouted,
    Options,
    /// A request for a document of the API, such as `/openapi.json`.
    Document,
    /// A request for a page of the server or a static file.
    Static,
    /// A request for a file by a signed download link.
    Link,
    /// A request for `/healthz` or `/readyz`.
    Health,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestEnd {
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
    /// Besides the worker that counts, only `/metrics` and the thread that saves the counts lock it.
    callers: Mutex<CallerRows>,
}

struct CounterRow {
    /// The number of requests for each of [`RequestKind::ends`].
    responses: Box<[AtomicU64]>,
    durations: [AtomicU64; BUCKET_MILLISECONDS.len() + 1],
    total_nanoseconds: AtomicU64,
}

/// The upper bounds of the duration buckets, in milliseconds. A last bucket is for requests that took longer.
const BUCKET_MILLISECONDS: [u64; 9] = [1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000];

/// The HTTP statuses that are counted for responses without an error code, if the request does not call a method.
const STATUSES_WITHOUT_METHOD: [u16; 16] =
    [200, 204, 206, 301, 302, 303, 304, 307, 308, 400, 403, 404, 405, 412, 416, 503];
/// Stands for an HTTP status without a column.
const OTHER_STATUS: u16 = 0;

/// The labels of a counter, by which `/metrics` distinguishes the responses to one kind of request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct ResponseLabels {
    /// The HTTP status; `None` if no response was sent, or if its status has no column.
    status: Option<u16>,
    /// The error code; empty if the response is not an error.
    code: &'static str,
    /// The name of the error in the errors that the method declares; empty for other errors.
    error: Box<str>,
}

#[derive(Debug, Clone, Default)]
struct Counted {
    /// The requests by the ids of methods, and by the names of other kinds of requests.
    requests: BTreeMap<Box<str>, CountedRequests>,
    usage: UsageCounts,
}

#[derive(Debug, Clone, Default)]
struct CountedRequests {
    /// The number of responses by label. Labels without responses are omitted.
    responses: BTreeMap<ResponseLabels, u64>,
    /// The number of requests by duration, for each bucket in [`BUCKET_MILLISECONDS`], and for longer durations.
    durations: [u64; BUCKET_MILLISECONDS.len() + 1],
    total_nanoseconds: u64,
}

impl WorkerCounters {
    pub(crate) fn new(plan: &Arc<Plan>) -> Self {
        let rows = request_kinds(plan).map(|kind| CounterRow {
            responses: kind.ends(plan).map(|_| AtomicU64::new(0)).collect(),
            durations: Default::default(),
            total_nanoseconds: AtomicU64::new(0),
        });
        let (rows, plan) = (rows.collect(), Arc::clone(plan));
        Self { rows, plan, in_flight: AtomicU64::new(0), callers: Mutex::default() }
    }

    /// Counts the begin of a request. Only the worker that owns the counters may call this function and the other
    /// functions that count.
    pub(crate) fn count_begin(&self) {
        // No other thread writes this counter, so that no count is lost between the load and the store.
        self.in_flight.store(self.in_flight.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

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

    pub(crate) fn count_caller(&self, caller: Option<&Identity>, method_index: usize, given: GivenParameters) {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        callers.count(caller, method_index, &self.plan.methods[method_index], given);
    }

    /// Counts that a request is no longer being handled. [`WorkerCounters::count_begin`] must have been called for it.
    pub(crate) fn count_no_longer_in_flight(&self) {
        self.in_flight.store(self.in_flight.load(Ordering::Relaxed).saturating_sub(1), Ordering::Release);
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Acquire)
    }

    fn add_usage_to(&self, usage: &mut UsageCounts) {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner).add_to(usage, &self.plan);
    }

    /// Kinds without requests are omitted.
    fn add_to(&self, counted: &mut Counted) {
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

/// The maximum number of keys whose requests a worker counts separately.
const MAX_KEYS: usize = 1_000;
/// The maximum number of pairs of a key and a method whose requests a worker counts separately.
const MAX_PAIRS: usize = 20_000;

/// The callers without a counter for their key, in the order of their rows.
const CALLERS_WITHOUT_KEY: [&str; 3] = [ANONYMOUS, USERS, OTHER];
const ANONYMOUS_ROW: usize = 0;
const USERS_ROW: usize = 1;
const OTHER_ROW: usize = 2;

/// The counts of one caller by the index of the method: the number of requests, followed by the number of accepted
/// requests that contain each parameter.
type MethodCounts = BTreeMap<usize, Box<[u64]>>;

#[derive(Debug, Default)]
struct CallerRows {
    without_key: [MethodCounts; CALLERS_WITHOUT_KEY.len()],
    /// The indices in `by_key` of the keys with these names.
    /// By the names of the keys.
    by_key: HashMap<Box<str>, MethodCounts>,
    /// The number of counts in `by_key`.
    pairs: usize,
}

impl CallerRows {
    /// `index` is that of the method, and `given` the parameters that the request contains, if they were accepted.
    fn count(&mut self, caller: Option<&Identity>, index: usize, method: &PlannedMethod, given: GivenParameters) {
        let new = || vec![0; 1 + method.parameters.len()].into();
        let row = match caller.map(key_name) {
            None => ANONYMOUS_ROW,
            Some(None) => USERS_ROW,
            Some(Some(key)) => {
                let row = if let Some(row) = self.by_key.get_mut(key) {
                    Some(row)
                } else if self.by_key.len() < MAX_KEYS {
                    Some(self.by_key.entry(key.into()).or_default())
                } else {
                    None
                };
                if let Some(row) = row {
                    if let Some(counts) = row.get_mut(&index) {
                        return add_request(counts, given);
                    }
                    if self.pairs < MAX_PAIRS {
                        self.pairs += 1;
                        return add_request(row.entry(index).or_insert_with(new), given);
                    }
                }
                OTHER_ROW
            }
        };
        add_request(self.without_key[row].entry(index).or_insert_with(new), given);
    }

    fn add_to(&self, usage: &mut UsageCounts, plan: &Plan) {
        let keys = self.by_key.iter().map(|(key, row)| (&**key, row));
        for (caller, methods) in CALLERS_WITHOUT_KEY.into_iter().zip(&self.without_key).chain(keys) {
            for (index, counts) in methods {
                let method = &plan.methods[*index];
                let parameters = method.parameter_names.iter().map(AsRef::as_ref).zip(counts[1..].iter().copied());
                usage.entry(caller, &method.id).add(counts[0], parameters);
            }
        }
    }
}

fn add_request(counts: &mut [u64], given: GivenParameters) {
    if let Some((requests, parameters)) = counts.split_first_mut() {
        *requests += 1;
        given.add_to(parameters);
    }
}

// Writes the counts of all workers in the text format of OpenMetrics 1.0, which Prometheus reads.
//
// No metrics library is used: its counters would have locks that workers share, and only its text output would be
// useful.

fn openmetrics_text(
    plan: &Plan,
    counted: &Counted,
    in_flight: u64,
    detached: usize,
    exceeded_limits: &ExceededLimits,
    certificates: &[(usize, u64)],
) -> String {
    let mut text = OpenMetricsText(String::new());
    text.begin_metric("rulebook_build", "info", "The version of the server.");
    text.write_sample("rulebook_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    text.begin_metric("rulebook_definition", "info", "The version and the digest of the definition.");
    text.write_sample(
        "rulebook_definition_info",
        &[("version", &plan.api_version), ("digest", &plan.definition_digest())],
        1,
    );
    for (name, metric_type, help, value) in process_metrics() {
        text.begin_metric(name, metric_type, help);
        let sample = if metric_type == "counter" { format!("{name}_total") } else { name.to_owned() };
        let value = if value.is_infinite() { "+Inf".to_owned() } else { value.to_string() };
        text.write_sample(&sample, &[], value);
    }
    text.begin_metric("rulebook_requests_in_flight", "gauge", "Requests in flight.");
    text.write_sample("rulebook_requests_in_flight", &[], in_flight);
    text.begin_metric("rulebook_handlers_detached", "gauge", "Running handlers whose clients have disconnected.");
    text.write_sample("rulebook_handlers_detached", &[], detached);
    let exceeded = "rulebook_connection_limits_exceeded";
    text.begin_metric(exceeded, "counter", "Connections or requests that exceeded a limit of connections, by limit.");
    for (limit, count) in exceeded_limits.counts() {
        text.write_sample(&format!("{exceeded}_total"), &[("limit", limit)], count);
    }
    let dropped = "rulebook_log_lines_dropped";
    text.begin_metric(dropped, "counter", "Lines of the log that were dropped because they were not read in time.");
    text.write_sample(&format!("{dropped}_total"), &[], dropped_lines());
    let differences = "rulebook_output_differences";
    text.begin_metric(differences, "counter", "Responses whose outputs differ from the definition, by method.");
    let counts = plan.methods.iter().map(|method| (&*method.id, method.output_differences.load(Ordering::Relaxed)));
    for (id, count) in counts.filter(|(_, count)| *count > 0) {
        text.write_sample(&format!("{differences}_total"), &[("method", id)], count);
    }
    let expiry = "rulebook_tls_certificate_expiry_timestamp_seconds";
    if !certificates.is_empty() {
        text.begin_metric(expiry, "gauge", "The time until which a TLS certificate is valid, in seconds since 1970.");
    }
    for (number, time) in certificates {
        text.write_sample(expiry, &[("certificate", &number.to_string())], time);
    }
    let measured: Vec<_> = plan.measures.iter().flat_map(|measure| measure()).collect();
    write_measurements(&mut text, &measured);
    let by_key = "rulebook_key_requests";
    text.begin_metric(by_key, "counter", "Requests with an API key, by the name of the key and by method.");
    for (key, method, usage) in counted.usage.iter().filter(|(caller, ..)| ![ANONYMOUS, USERS].contains(caller)) {
        text.write_sample(&format!("{by_key}_total"), &[("key", key), ("method", method)], usage.requests);
    }
    text.begin_metric("rulebook_requests", "counter", "Finished requests, by method, HTTP status and error code.");
    for (id, total) in &counted.requests {
        for (ResponseLabels { status, code, error }, count) in &total.responses {
            let status = status.map_or_else(|| "-".to_owned(), |status| status.to_string());
            let labels = [("method", id.as_ref()), ("status", &status), ("code", code), ("error", error)];
            // An empty label is the same as a label that is absent. Only declared errors have a name.
            let labels = if error.is_empty() { &labels[..3] } else { &labels };
            text.write_sample("rulebook_requests_total", labels, count);
        }
    }
    let durations = "rulebook_request_duration_seconds";
    text.begin_metric(durations, "histogram", "Duration of requests from head to response, by method.");
    for (id, total) in &counted.requests {
        let method = ("method", id.as_ref());
        text.write_sample(
            &format!("{durations}_sum"),
            &[method],
            format_args!("{:?}", total.total_nanoseconds as f64 / 1e9),
        );
        text.write_sample(&format!("{durations}_count"), &[method], total.durations.iter().sum::<u64>());
        let bounds = BUCKET_MILLISECONDS.map(|bound| format!("{:?}", bound as f64 / 1e3));
        let bounds = bounds.into_iter().chain(["+Inf".to_owned()]);
        let mut count = 0;
        for (bound, in_bucket) in bounds.zip(total.durations) {
            // In OpenMetrics, the count of a bucket includes the counts of all smaller buckets.
            count += in_bucket;
            text.write_sample(&format!("{durations}_bucket"), &[("le", &bound), method], count);
        }
    }
    text.0.push_str("# EOF\n");
    text.0
}

/// All samples of a metric follow its description.
fn write_measurements(text: &mut OpenMetricsText, measured: &[Measurement]) {
    for name in measured.iter().map(|measured| measured.name).collect::<BTreeSet<_>>() {
        let samples: Vec<_> = measured.iter().filter(|measured| measured.name == name).collect();
        let (help, is_counter) = samples.first().map_or(("", false), |first| (first.help, first.is_counter));
        let metric = format!("rulebook_{name}");
        text.begin_metric(&metric, if is_counter { "counter" } else { "gauge" }, help);
        let sample = if is_counter { format!("{metric}_total") } else { metric };
        for Measurement { labels, value, .. } in samples {
            let labels: Vec<_> = labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
            text.write_sample(&sample, &labels, value);
        }
    }
}

struct OpenMetricsText(String);

impl OpenMetricsText {
    /// Writes the description, the type and the unit of a group of metrics. If the group has a unit, its name ends with
    /// it. `help` must not contain line breaks or backslashes.
    fn begin_metric(&mut self, name: &str, metric_type: &str, help: &str) {
        self.append(format_args!("# HELP {name} {help}\n# TYPE {name} {metric_type}\n"));
        if let Some(unit) = name.rsplit('_').next().filter(|unit| ["seconds", "bytes"].contains(unit)) {
            self.append(format_args!("# UNIT {name} {unit}\n"));
        }
    }

    fn write_sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let escape = |value: &str| value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
        match labels.is_empty() {
            true => self.append(format_args!("{name} {value}\n")),
            false => self.append(format_args!("{name}{{{}}} {value}\n", labels.join(","))),
        }
    }

    fn append(&mut self, text: Arguments<'_>) {
        // Writing to a `String` never fails.
        let _ = self.0.write_fmt(text);
    }
}

/// The name, the type, the help and the value.
type ProcessMetric = (&'static str, &'static str, &'static str, f64);

/// Returns the metrics of this process that the system provides, with the names that the client libraries of Prometheus
/// use. They are read from the file system `/proc` of Linux; other systems have no such metrics.
#[cfg(target_os = "linux")]
fn process_metrics() -> Vec<ProcessMetric> {
    use rustix::param::{clock_ticks_per_second, page_size};
    use rustix::process::{Resource, getrlimit};

    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field (proc_pid_stat(5)) is the name of the program in parentheses, and may contain spaces and
    // parentheses.
    let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = behind_name.split_ascii_whitespace().collect();
    // The numbers of fields begin at 1, and the first of `fields` is the third one.
    let field = |number: usize| Some(fields.get(number - 3)?.parse::<u64>().ok()? as f64);
    let seconds = |ticks: f64| ticks / clock_ticks_per_second() as f64;
    let cpu = field(14).zip(field(15)).map(|(user, system)| seconds(user + system));
    let resident = field(24).map(|pages| pages * page_size() as f64);
    let start = boot_time().zip(field(22)).map(|(boot, start)| boot as f64 + seconds(start));
    let max_files = getrlimit(Resource::Nofile).current.map_or(f64::INFINITY, |max| max as f64);
    let metrics = [
        ("process_cpu_seconds", "counter", "User and system CPU time.", cpu),
        ("process_resident_memory_bytes", "gauge", "Resident memory.", resident),
        ("process_virtual_memory_bytes", "gauge", "Virtual memory.", field(23)),
        ("process_start_time_seconds", "gauge", "Start of the process, in seconds since 1970.", start),
        ("process_open_fds", "gauge", "Open file descriptors.", open_file_count().map(|count| count as f64)),
        ("process_max_fds", "gauge", "Maximum number of open file descriptors.", Some(max_files)),
    ];
    metrics.into_iter().filter_map(|(name, kind, help, value)| Some((name, kind, help, value?))).collect()
}

#[cfg(not(target_os = "linux"))]
fn process_metrics() -> Vec<ProcessMetric> {
    Vec::new()
}

/// Returns the time when the system started, in seconds since 1970.
#[cfg(target_os = "linux")]
fn boot_time() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

#[cfg(target_os = "linux")]
fn open_file_count() -> Option<u64> {
    const FOLDER: &str = "/proc/self/fd";
    // Since version 6.2 of Linux, the size of the folder is the number of its entries.
    let size = std::fs::metadata(FOLDER).ok()?.len();
    if size > 0 { Some(size) } else { Some(std::fs::read_dir(FOLDER).ok()?.count() as u64) }
}
