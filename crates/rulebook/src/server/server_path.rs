//! Replies at the paths at which the server itself responds: health, metrics, documents and links.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, header};
use rulebook_model::model::ServerPath;

use super::fallback::respond_with_page;
use super::worker::Worker;
use crate::call::{ApiError, Head};
use crate::pipeline::{
    DocumentKind, ErrorContext, Readiness, Reply, reply_unless_read, respond_with_document, respond_with_error,
};
use crate::plan::Plan;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
/// OpenMetrics 1.0, section "Protocol Negotiation".
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Replies to a request at one of these paths.
pub(super) async fn respond_at_server_path(
    worker: &Worker,
    plan: &Arc<Plan>,
    head: &Arc<Head>,
    path: ServerPath,
) -> Reply {
    let state = worker.state();
    if path.is_document() && !cfg!(feature = "documents") {
        return respond_with_error(plan, head, ErrorContext::ServerPath, ApiError::unknown_service());
    }
    if matches!(path, ServerPath::Docs | ServerPath::Static) {
        return respond_with_page(worker, plan, head, ErrorContext::ServerPath).await;
    }
    if let Some(reply) = reply_unless_read(plan, head) {
        return reply;
    }
    match path {
        ServerPath::OpenApi => respond_with_document(plan, head, DocumentKind::OpenApi).await,
        ServerPath::LlmsTxt => respond_with_document(plan, head, DocumentKind::LlmsTxt).await,
        ServerPath::Link => state.links.respond(plan, head).await,
        ServerPath::Readiness => {
            let stopping = state.is_stopping();
            let readiness = if stopping { Readiness::stopping() } else { worker.run_readiness_checks(plan).await };
            status(if readiness.is_ready { 200 } else { 503 }, JSON, readiness.body)
        }
        ServerPath::Metrics => status(200, METRICS, state.metrics.text(state.detached.count()).into()),
        ServerPath::Health | ServerPath::Docs | ServerPath::Static => status(200, TEXT, "ok\n".into()),
    }
}

/// Returns a reply about the current status of the server. Caches must not store it.
fn status(status: u16, content_type: &'static str, body: Bytes) -> Reply {
    let headers = vec![(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let content_type = Some(HeaderValue::from_static(content_type));
    Reply { status, content_type, headers, body: body.into(), is_written_for_request: true, code: None }
}
