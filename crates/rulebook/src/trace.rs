//! Traces of requests: spans with the times of what happens for a request, in this server and in those that it calls.
//!
//! A trace exists only if the program has an exporter ([`Rulebook::trace_exporter`](crate::Rulebook::trace_exporter)).
//! The names of attributes are those of OpenTelemetry's semantic conventions.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use http::HeaderName;

use crate::call::{ApiError, Head};

const MAX_SPANS: u32 = 128;

#[derive(Clone)]
pub(crate) struct Tracer {
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
    fn new(context: TraceContext, parent_id: Option<u64>, exporter: Arc<dyn TraceExporter>) -> Self {
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

fn random_id() -> u64 {
    // Without random numbers of the system, all ids are 1, and requests are handled all the same.
    getrandom::u64().unwrap_or(1).max(1)
}

/// A finished span: something that happened for a request, with the times at which it began and ended.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Span {
    /// The trace of the span, and its id.
    pub context: TraceContext,
    /// The id of the span to which this span belongs; `None` for the first span of a trace.
    pub parent_id: Option<u64>,
    /// `true` if the parent is a span of another program.
    pub has_remote_parent: bool,
    /// What happened, such as `GET /article/{id}`; the same for all spans that are alike.
    pub name: Cow<'static, str>,
    /// The role of the server.
    pub kind: SpanKind,
    /// When the span began.
    pub start: SystemTime,
    /// When the span ended.
    pub end: SystemTime,
    /// What is known about the span, with the names of OpenTelemetry's semantic conventions.
    pub attributes: Vec<(&'static str, AttributeValue)>,
    /// What failed; `None` if nothing did.
    pub error: Option<Cow<'static, str>>,
}

/// The role of the server in a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SpanKind {
    /// The server handles a request.
    Server,
    /// The server waits for the response of another server, for example of a database.
    Client,
    /// The server does something by itself.
    #[default]
    Internal,
}

/// The value of an attribute of a [`Span`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum AttributeValue {
    /// A text.
    Text(Cow<'static, str>),
    /// A whole number.
    Integer(i64),
    /// `true` or `false`.
    Bool(bool),
}

impl From<&'static str> for AttributeValue {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for AttributeValue {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<i64> for AttributeValue {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u16> for AttributeValue {
    fn from(number: u16) -> Self {
        Self::Integer(number.into())
    }
}

impl From<bool> for AttributeValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// Sends finished spans to a system for traces. The crate `rulebook-traces` has an exporter for OpenTelemetry (OTLP).
pub trait TraceExporter: Send + Sync + 'static {
    /// Takes a finished span. This function is called by the threads that handle requests, so it must not wait: if
    /// there is no space for the span, it is dropped.
    fn export(&self, span: Span);

    /// Sends the spans that it still has. This function is called when a server has stopped, and may wait for some
    /// seconds. The default does nothing.
    fn flush(&self) {}
}

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
const TRACEPARENT_LEN: usize = 55;
/// The maximum number of characters of `tracestate` that are passed on (W3C Trace Context section 3.3.1.5).
const MAX_STATE_LEN: usize = 512;

/// The trace to which a request belongs, and the span that has sent the request (W3C Trace Context).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceContext {
    /// The id of the trace, which is not 0.
    pub trace_id: u128,
    /// The id of the span, which is not 0.
    pub span_id: u64,
    /// `true` if the spans of the trace are recorded.
    pub is_sampled: bool,
    /// Values of other systems for tracing, which are passed on unchanged; empty without such values.
    pub state: String,
}

impl TraceContext {
    /// Returns a context without values of other systems.
    #[must_use]
    pub fn new(trace_id: u128, span_id: u64, is_sampled: bool) -> Self {
        Self { trace_id, span_id, is_sampled, state: String::new() }
    }

    /// Parses the value of `traceparent` (section 3.2). Returns `None` if it is not valid.
    ///
    /// ```
    /// use rulebook::trace::TraceContext;
    ///
    /// let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    /// let context = TraceContext::parse(text).unwrap();
    /// assert!(context.is_sampled && context.span_id == 0xb7ad6b7169203331);
    /// assert_eq!(context.traceparent(), text);
    /// assert_eq!(TraceContext::parse("00-0"), None);
    /// ```
    #[must_use]
    pub fn parse(traceparent: &str) -> Option<Self> {
        let (known, rest) = traceparent.split_at_checked(TRACEPARENT_LEN)?;
        let mut parts = known.split('-');
        let [version, trace_id, span_id, flags] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let is_hex = |text: &str, len: usize| {
            text.len() == len && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let is_valid = is_hex(version, 2) && is_hex(trace_id, 32) && is_hex(span_id, 16) && is_hex(flags, 2);
        // Later versions can have more parts.
        let rest_is_valid = if version == "00" { rest.is_empty() } else { rest.is_empty() || rest.starts_with('-') };
        if !is_valid || !rest_is_valid || version == "ff" {
            return None;
        }
        let trace_id = u128::from_str_radix(trace_id, 16).ok().filter(|id| *id != 0)?;
        let span_id = u64::from_str_radix(span_id, 16).ok().filter(|id| *id != 0)?;
        let flags = u8::from_str_radix(flags, 16).ok()?;
        Some(Self::new(trace_id, span_id, flags & 1 == 1))
    }

    /// `None` without a valid `traceparent`.
    pub(crate) fn of_request(head: &Head) -> Option<Self> {
        let mut fields = head.get_all(&TRACEPARENT);
        // A request with more than one `traceparent` field has no valid context.
        let field = fields.next().filter(|_| fields.next().is_none())?;
        let mut context = Self::parse(field.to_str().ok()?)?;
        for state in head.get_all(&TRACESTATE).filter_map(|value| value.to_str().ok()) {
            if !context.state.is_empty() {
                context.state.push(',');
            }
            context.state.push_str(state);
        }
        if context.state.len() > MAX_STATE_LEN {
            context.state.clear();
        }
        Some(context)
    }

    /// Returns the value of `traceparent` for a request that belongs to this span.
    #[must_use]
    pub fn traceparent(&self) -> String {
        let mut text = String::with_capacity(TRACEPARENT_LEN);
        // Writing to a `String` cannot fail.
        let _ = write!(text, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, u8::from(self.is_sampled));
        text
    }

    /// Returns the header fields of a request that belongs to this span: `traceparent` and `tracestate`, each with its
    /// value, which may be empty for `tracestate`. An empty field is not sent.
    #[must_use]
    pub fn header_fields(&self) -> [(&'static str, String); 2] {
        [("traceparent", self.traceparent()), ("tracestate", self.state.clone())]
    }
}
