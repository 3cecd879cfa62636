//! Where finished spans go, and which requests have traces.

use std::fmt;
use std::sync::Arc;

use super::request_trace::random_id;
use super::{RequestTrace, Span, TraceContext};
use crate::call::Head;

/// Sends finished spans to a system for traces. The crate `rulebook-traces` has an exporter for OpenTelemetry (OTLP).
pub trait TraceExporter: Send + Sync + 'static {
    /// Takes a finished span. This function is called by the threads that handle requests, so it must not wait: if
    /// there is no space for the span, it is dropped.
    fn export(&self, span: Span);

    /// Sends the spans that it still has. This function is called when a server has stopped, and may wait for some
    /// seconds. The default does nothing.
    fn flush(&self) {}
}

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
