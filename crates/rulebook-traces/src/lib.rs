//! Sends the traces of requests to an OpenTelemetry collector, with OTLP over HTTP.
//!
//! [`OtlpExporter`] implements [`TraceExporter`]. A thread collects spans and sends
//! them together. While the collector does not respond, spans are kept up to a limit, and then dropped; requests never
//! wait.
//!
//! The environment variables of OpenTelemetry's SDKs apply: `OTEL_EXPORTER_OTLP_HEADERS` for the credentials of a
//! collector, `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` for what the server is called in traces, and
//! `OTEL_BSP_…` for how spans are collected.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor};
use rulebook::describe_with_causes;
use rulebook::http::Uri;
use rulebook::http::uri::Authority;
use rulebook::trace::{AttributeValue, Span, SpanKind as Kind, TraceExporter};
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

/// The time for which a flush and dropping the exporter afterwards wait together until the spans are sent. A flush
/// alone waits at most as long, which is a constant of the SDK.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// The path of spans in the address of a collector (OTLP 1.0, "OTLP/HTTP Request").
const PATH: &str = "/v1/traces";
/// The time after which a request to the collector fails. It is less than the time for which a server that stops waits.
const TIMEOUT: Duration = Duration::from_secs(4);
/// The maximum size of a response of the collector in bytes.
const MAX_RESPONSE: u64 = 64 << 10;

/// The address of a collector is not valid.
#[derive(Debug, thiserror::Error)]
#[error("the address of the collector of traces is not valid: {0}")]
pub struct OtlpExporterError(String);

/// Sends spans to an OpenTelemetry collector. A server that stops sends the spans that are left, for which it waits at
/// most five seconds, together with dropping the exporter: this sends the spans of requests that the server has
/// aborted. If a program mounts the API in a server of another kind, dropping the exporter sends all spans that are
/// left, and waits as long.
#[derive(Debug)]
pub struct OtlpExporter {
    processor: BatchSpanProcessor,
    /// `true` if there may be spans that [`TraceExporter::flush`] has not sent.
    has_unsent: AtomicBool,
    /// The time for which the last flush has waited.
    flush_time: Mutex<Duration>,
}

impl OtlpExporter {
    /// Creates an exporter to a collector at this address, such as `http://127.0.0.1:4318`, to which `/v1/traces` is
    /// appended. `service` and `version` are the name and the version of the server in traces.
    ///
    /// # Errors
    /// Fails if the address is not valid.
    pub fn new(url: &str, service: &str, version: &str) -> Result<Self, OtlpExporterError> {
        if !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(OtlpExporterError("it must begin with `http://` or `https://`".to_owned()));
        }
        let parsed = url.parse::<Uri>().ok().filter(|uri| {
            let authority = uri.authority().map(Authority::as_str).unwrap_or_default();
            let port = authority.rsplit(['@', ']']).next().and_then(|host| host.split_once(':'));
            port.is_none_or(|(_, port)| port.parse::<u16>().is_ok()) && !url.contains(['?', '#'])
        });
        if parsed.is_none() {
            return Err(OtlpExporterError("it is a host, a port and a path, without `?`".to_owned()));
        }
        let endpoint = format!("{}{PATH}", url.trim_end_matches('/'));
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .with_http_client(WaitingClient::new())
            .build()
            .map_err(|error| OtlpExporterError(error.to_string()))?;
        let named = std::env::var_os("OTEL_SERVICE_NAME").is_some_and(|name| !name.is_empty());
        let mut resource = Resource::builder().with_attribute(KeyValue::new("service.version", version.to_owned()));
        if !named {
            resource = resource.with_service_name(service.to_owned());
        }
        let mut processor = BatchSpanProcessor::builder(exporter).build();
        processor.set_resource(&resource.build());
        Ok(Self { processor, has_unsent: AtomicBool::new(false), flush_time: Mutex::default() })
    }
}

impl TraceExporter for OtlpExporter {
    fn export(&self, span: Span) {
        self.processor.on_end(span_data(span));
        // In this order, a flush that runs at the same time either sends the span or leaves `true`.
        self.has_unsent.store(true, Ordering::Release);
    }

    fn flush(&self) {
        self.has_unsent.swap(false, Ordering::AcqRel);
        let started = Instant::now();
        if let Err(error) = self.processor.force_flush() {
            log::warn!("some spans of traces may be lost: {error}");
        }
        *self.flush_time.lock().unwrap_or_else(PoisonError::into_inner) = started.elapsed();
    }
}

impl Drop for OtlpExporter {
    fn drop(&mut self) {
        let has_unsent = *self.has_unsent.get_mut();
        let flush_time = *self.flush_time.get_mut().unwrap_or_else(PoisonError::into_inner);
        let timeout = if has_unsent { STOP_TIMEOUT.saturating_sub(flush_time) } else { Duration::ZERO };
        let stopped = self.processor.shutdown_with_timeout(timeout);
        // Without spans, nothing is lost if the thread that sends spans has not ended yet.
        if let Err(error) = stopped
            && has_unsent
        {
            log::warn!("some spans of traces may be lost: {error}");
        }
    }
}

/// An HTTP client that waits for responses. The thread that sends spans does nothing else.
#[derive(Debug)]
struct WaitingClient {
    agent: Agent,
    /// `true` if the last request failed, which the log contains once.
    is_failing: AtomicBool,
}

impl WaitingClient {
    fn new() -> Self {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("rulebook/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(TIMEOUT));
        Self { agent: config.build().new_agent(), is_failing: AtomicBool::new(false) }
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ureq::Error> {
        let (head, body) = request.into_parts();
        let (head, mut body) = self.agent.run(Request::from_parts(head, &body[..]))?.into_parts();
        let body = body.with_config().limit(MAX_RESPONSE).read_to_vec()?;
        Ok(Response::from_parts(head, body.into()))
    }

    /// Logs that the collector does not accept spans, or that it does again.
    fn log_change(&self, failure: Option<String>) {
        let was_failing = self.is_failing.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(failure) if !was_failing => {
                log::warn!("the collector of traces does not accept spans, which are dropped: {failure}");
            }
            None if was_failing => log::info!("the collector of traces accepts spans again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for WaitingClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = self.send(request);
        self.log_change(match &sent {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("its response has the status {}", response.status().as_u16())),
            Err(error) => Some(describe_with_causes(error)),
        });
        Ok(sent?)
    }
}

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
