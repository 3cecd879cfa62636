//! Replies to requests at the paths that belong to the server itself: health, metrics, documents and download links.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, header};
use rulebook_model::model::ServerPath;

use super::changes::{CHANGES_PATH, KNOWN_PARAMETER};
use super::pages::respond_with_page;
use super::static_files::StaticExchange;
use super::worker::Worker;
use crate::call::{ApiError, Head};
use crate::pipeline::{
    ErrorContext, Readiness, Reply, query_values, reply_unless_read, respond_with_document, respond_with_error,
};
use crate::plan::Plan;

const TEXT_MEDIA_TYPE: &str = "text/plain; charset=utf-8";
const JSON_MEDIA_TYPE: &str = "application/json";
/// The media type of OpenMetrics 1.0, from the section "Protocol Negotiation" of its specification.
const METRICS_MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Replies to a request at one of the server's paths.
pub(super) async fn respond_at_server_path(
    worker: &Worker,
    plan: &Arc<Plan>,
    head: &Arc<Head>,
    path: ServerPath,
    files: &mut StaticExchange,
) -> Reply {
    let state = worker.state();
    if path.is_document() && !cfg!(feature = "documents") {
        return respond_with_error(plan, head, ErrorContext::ServerPath, ApiError::unknown_service());
    }
    if plan.is_watched && head.uri.path() == CHANGES_PATH {
        let known = query_values(head, KNOWN_PARAMETER).flatten().next();
        let change = state.changes.next_after(known.and_then(|known| known.parse().ok())).await;
        return status_reply(200, JSON_MEDIA_TYPE, change);
    }
    if matches!(path, ServerPath::Docs | ServerPath::Static) {
        return respond_with_page(worker, plan, head, ErrorContext::ServerPath, files).await;
    }
    if let Some(reply) = reply_unless_read(plan, head) {
        return reply;
    }
    match path {
        ServerPath::Document(document) => respond_with_document(plan, head, document).await,
        ServerPath::Link => state.links.respond_to_link(plan, head, &state.open_files).await,
        ServerPath::Readiness => {
            let stopping = state.is_stopping();
            let readiness = match stopping {
                true => Readiness::stopping(),
                false => worker.cached_readiness(plan).await.with_definition(plan),
            };
            let refused = state.changes.refused_at();
            let readiness = refused.into_iter().fold(readiness, Readiness::with_refused_definition);
            status_reply(if readiness.is_ready { 200 } else { 503 }, JSON_MEDIA_TYPE, readiness.to_json())
        }
        ServerPath::Metrics => {
            let certificates = || state.tls.as_ref().map(|tls| tls.expiry_times()).unwrap_or_default();
            let detached = state.detached_handlers.count();
            let text = state.metrics.to_openmetrics(plan, detached, &state.exceeded_limits, certificates);
            status_reply(200, METRICS_MEDIA_TYPE, text)
        }
        ServerPath::ProtectedResource => {
            let documents = &plan.resource_metadata;
            match documents.iter().find(|(path, _)| **path == *head.uri.path()) {
                Some((_, document)) => status_reply(200, JSON_MEDIA_TYPE, document.clone()),
                None => respond_with_error(plan, head, ErrorContext::ServerPath, ApiError::unknown_service()),
            }
        }
        ServerPath::Health | ServerPath::Docs | ServerPath::Static => status_reply(200, TEXT_MEDIA_TYPE, "ok\n".into()),
    }
}

/// Returns a reply about the current state of the server. Its header fields forbid caches to store it.
fn status_reply(status: u16, content_type: &'static str, body: Bytes) -> Reply {
    let headers = vec![(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let content_type = Some(HeaderValue::from_static(content_type));
    // Compressing these texts would cost more than sending them.
    Reply { status, content_type, headers, body: body.into(), is_written_for_request: false, code: None }
}
