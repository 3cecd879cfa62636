//! Sends the traces of requests to an OpenTelemetry collector, with OTLP over HTTP.
//!
//! [`OtlpExporter`] implements [`TraceExporter`](rulebook::trace::TraceExporter). A thread collects spans and sends
//! them together. While the collector does not respond, spans are kept up to a limit, and then dropped; requests never
//! wait.
//!
//! The environment variables of OpenTelemetry's SDKs apply: `OTEL_EXPORTER_OTLP_HEADERS` for the credentials of a
//! collector, `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` for what the server is called in traces, and
//! `OTEL_BSP_…` for how spans are collected.

mod exporter;
mod span_data;

pub use exporter::{OtlpExporter, OtlpExporterError};
