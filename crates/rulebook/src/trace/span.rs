//! Spans: what happened in a trace from one time to another, the identity of their trace in header fields (W3C Trace
//! Context), and where finished spans go.

use std::borrow::Cow;
use std::fmt::Write;
use std::time::SystemTime;

use http::HeaderName;

use crate::call::Head;

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
/// The number of characters of `traceparent` in version 00.
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

    /// Returns the context in the header fields of a request; `None` without a valid `traceparent`.
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
