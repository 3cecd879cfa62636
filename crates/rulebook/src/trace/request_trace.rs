//! Which requests have traces, and the trace of one request, to which the server and handlers add spans.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use super::{AttributeValue, Span, SpanKind, TraceContext, TraceExporter};
use crate::call::{ApiError, Head};

const MAX_SPANS: u32 = 128;

/// Begins the traces of requests.
#[derive(Clone)]
pub struct Tracer {
    exporter: Arc<dyn TraceExporter>,
    /// A request that is not part of a trace gets one if 64 bits of its id are below this number.
    threshold: u128,
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracer").field("threshold", &self.threshold).finish_non_exhaustive()
    }
}

impl Tracer {
    /// `percent` is the share of the requests that begin a trace.
    pub fn new(exporter: Arc<dyn TraceExporter>, percent: u8) -> Self {
        Self { exporter, threshold: (u128::from(percent.min(100)) << 64) / 100 }
    }

    /// Sends the spans that the exporter still has.
    pub fn flush(&self) {
        self.exporter.flush();
    }

    /// Begins the trace of a request. A request that is part of a trace is recorded if the trace is.
    pub fn begin(&self, head: &mut Arc<Head>) {
        let parent = TraceContext::of_request(head);
        let parent_id = parent.as_ref().map(|parent| parent.span_id);
        let context = parent.unwrap_or_else(|| {
            let (high, low) = (random_id(), random_id());
            TraceContext::new(u128::from(high) << 64 | u128::from(low), 0, u128::from(low) < self.threshold)
        });
        let context = TraceContext { span_id: random_id(), ..context };
        let trace = RequestTrace::new(context, parent_id, Arc::clone(&self.exporter));
        Arc::make_mut(head).trace = Some(Arc::new(trace));
    }
}

/// The trace of a request.
pub struct RequestTrace {
    /// The trace, and the span of the whole request.
    context: TraceContext,
    parent_id: Option<u64>,
    exporter: Arc<dyn TraceExporter>,
    /// The times are measured by a clock that never goes back, and added to the time of the system.
    started: (SystemTime, Instant),
    /// The id of the span to which new spans belong.
    current_id: AtomicU64,
    recorded: AtomicU32,
}

impl fmt::Debug for RequestTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestTrace").field("context", &self.context).finish_non_exhaustive()
    }
}

impl RequestTrace {
    pub(super) fn new(context: TraceContext, parent_id: Option<u64>, exporter: Arc<dyn TraceExporter>) -> Self {
        let current_id = AtomicU64::new(context.span_id);
        let started = (SystemTime::now(), Instant::now());
        Self { context, parent_id, exporter, started, current_id, recorded: AtomicU32::new(0) }
    }

    /// Returns the trace, with the span of the whole request.
    #[must_use]
    pub fn context(&self) -> &TraceContext {
        &self.context
    }

    pub(crate) fn start(&self) -> Instant {
        self.started.1
    }

    fn system_time(&self, at: Instant) -> SystemTime {
        self.started.0 + at.saturating_duration_since(self.started.1)
    }

    /// Begins a span of a handler. The span ends when the value is dropped.
    #[must_use]
    pub fn begin(self: &Arc<Self>, name: impl Into<Cow<'static, str>>, kind: SpanKind) -> OpenSpan {
        OpenSpan::new(Some(self), name, kind)
    }

    /// Makes the spans that begin from now on belong to a new span, and returns its id.
    pub(crate) fn enter(&self) -> u64 {
        let id = random_id();
        self.current_id.store(id, Ordering::Relaxed);
        id
    }

    /// Records a span that is a stage of the request. `id` is the id that [`RequestTrace::enter`] has returned, or 0.
    pub(crate) fn record_stage(&self, name: &'static str, id: u64, start: Instant, end: Instant) {
        let span_id = if id == 0 { random_id() } else { id };
        let mut span = self.span(span_id, Some(self.context.span_id), name, SpanKind::Internal, start);
        span.end = self.system_time(end);
        self.record(span);
    }

    /// Records the span of the whole request.
    pub(crate) fn record_request(
        &self,
        name: String,
        end: Instant,
        attributes: Vec<(&'static str, AttributeValue)>,
        error: Option<Cow<'static, str>>,
    ) {
        if self.context.is_sampled {
            let mut span = self.span(self.context.span_id, self.parent_id, name, SpanKind::Server, self.start());
            span.has_remote_parent = self.parent_id.is_some();
            span.end = self.system_time(end);
            (span.attributes, span.error) = (attributes, error);
            self.exporter.export(span);
        }
    }

    /// Returns a span of this trace that begins at a time, and has not ended.
    fn span(
        &self,
        span_id: u64,
        parent_id: Option<u64>,
        name: impl Into<Cow<'static, str>>,
        kind: SpanKind,
        start: Instant,
    ) -> Span {
        let start = self.system_time(start);
        Span {
            context: TraceContext { span_id, ..self.context.clone() },
            parent_id,
            has_remote_parent: false,
            name: name.into(),
            kind,
            start,
            end: start,
            attributes: Vec::new(),
            error: None,
        }
    }

    fn record(&self, span: Span) {
        if self.context.is_sampled && self.recorded.fetch_add(1, Ordering::Relaxed) < MAX_SPANS {
            self.exporter.export(span);
        }
    }
}

/// A span that has begun, and ends when this value is dropped. Without a trace, it does nothing.
#[derive(Debug)]
pub struct OpenSpan(Option<Box<Opened>>);

#[derive(Debug)]
struct Opened {
    trace: Arc<RequestTrace>,
    start: Instant,
    span: Span,
}

impl OpenSpan {
    pub(crate) fn new(trace: Option<&Arc<RequestTrace>>, name: impl Into<Cow<'static, str>>, kind: SpanKind) -> Self {
        Self(trace.map(|trace| {
            let start = Instant::now();
            let span = trace.span(random_id(), Some(trace.current_id.load(Ordering::Relaxed)), name, kind, start);
            Box::new(Opened { trace: Arc::clone(trace), start, span })
        }))
    }

    /// Returns the trace and this span, for requests to other servers; `None` without a trace.
    #[must_use]
    pub fn context(&self) -> Option<&TraceContext> {
        self.0.as_ref().map(|opened| &opened.span.context)
    }

    /// Returns `true` if the span is recorded. Otherwise attributes need not be computed.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.context().is_some_and(|context| context.is_sampled)
    }

    /// Adds an attribute. Attributes must not contain secrets.
    pub fn set(&mut self, name: &'static str, value: impl Into<AttributeValue>) {
        if let Some(opened) = &mut self.0 {
            opened.span.attributes.push((name, value.into()));
        }
    }

    /// Marks the span as failed if the result of a call is an error.
    pub fn set_result<T>(&mut self, result: &Result<T, ApiError>) {
        if let Err(error) = result
            && self.is_recorded()
        {
            let name = error.kind().code().row().name;
            self.set("error.type", name);
            self.set_error(name);
        }
    }

    /// Marks the span as failed. The text must not contain secrets.
    pub fn set_error(&mut self, error: impl Into<Cow<'static, str>>) {
        if let Some(opened) = &mut self.0 {
            opened.span.error = Some(error.into());
        }
    }
}

impl Drop for OpenSpan {
    fn drop(&mut self) {
        if let Some(opened) = self.0.take() {
            let Opened { trace, start, mut span } = *opened;
            span.end = span.start + start.elapsed();
            trace.record(span);
        }
    }
}

/// Returns a random number that is not 0.
pub(super) fn random_id() -> u64 {
    // Without random numbers of the system, all ids are 1, and requests are handled all the same.
    getrandom::u64().unwrap_or(1).max(1)
}
