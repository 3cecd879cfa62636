//! A span: what happened in a trace from one time to another, and where finished spans go.

use std::borrow::Cow;
use std::time::SystemTime;

use super::TraceContext;

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
