//! Converts spans to those of OpenTelemetry.

use std::sync::LazyLock;

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use rulebook::trace::{AttributeValue, Span, SpanKind as Kind};

/// The library that has recorded the spans.
static SCOPE: LazyLock<InstrumentationScope> =
    LazyLock::new(|| InstrumentationScope::builder("rulebook").with_version(env!("CARGO_PKG_VERSION")).build());

/// Returns the span as OpenTelemetry's SDK represents it.
pub fn span_data(span: Span) -> SpanData {
    let context = span.context;
    // Values of other systems that OpenTelemetry cannot read are left out.
    let state = context.state.parse::<TraceState>().unwrap_or_default();
    let flags = if context.is_sampled { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
    let (trace_id, span_id) = (TraceId::from(context.trace_id), SpanId::from(context.span_id));
    let attributes = span.attributes.into_iter().map(|(name, value)| KeyValue::new(name, attribute_value(value)));
    SpanData {
        span_context: SpanContext::new(trace_id, span_id, flags, false, state),
        parent_span_id: span.parent_id.map_or(SpanId::INVALID, SpanId::from),
        parent_span_is_remote: span.has_remote_parent,
        span_kind: match span.kind {
            Kind::Server => SpanKind::Server,
            Kind::Client => SpanKind::Client,
            _ => SpanKind::Internal,
        },
        name: span.name,
        start_time: span.start,
        end_time: span.end,
        attributes: attributes.collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: span.error.map_or(Status::Unset, |error| Status::Error { description: error }),
        instrumentation_scope: SCOPE.clone(),
    }
}

fn attribute_value(value: AttributeValue) -> Value {
    match value {
        AttributeValue::Text(text) => Value::String(StringValue::from(text)),
        AttributeValue::Integer(number) => Value::I64(number),
        AttributeValue::Bool(value) => Value::Bool(value),
        _ => Value::String("".into()),
    }
}
