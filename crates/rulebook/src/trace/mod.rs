//! Traces of requests: spans with the times of what happens for a request, in this server and in those that it calls.
//!
//! A trace exists only if the program has an exporter ([`Rulebook::trace_exporter`](crate::Rulebook::trace_exporter)).
//! The names of attributes are those of OpenTelemetry's semantic conventions.

mod request_trace;
mod span;

pub use request_trace::{OpenSpan, RequestTrace};
pub use span::{AttributeValue, Span, SpanKind, TraceContext, TraceExporter};

pub(crate) use request_trace::Tracer;
