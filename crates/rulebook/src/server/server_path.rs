//! Replies to requests at the paths that belong to the server itself: health, metrics, documents and download links.
//!
//! Runs the readiness checks of the program, whose results `/readyz` reports, and reports the changes of the definition
//! to the pages, which then load again or say that it has errors (`serve --watch`).

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::header::{self, HeaderValue};
use jiff::Timestamp;
use rulebook_model::model::ServerPath;
use serde_json::{Map, Value as Json, json};
use tokio::sync::watch;
use tokio::time::timeout;

use super::pages::{StaticExchange, respond_with_page};
use super::worker::Worker;
use crate::call::{ApiError, Head};
use crate::handler::ReadinessCheck;
use crate::pipeline::{
    ErrorContext, Reply, catch_panic_async, query_values, reply_unless_read, respond_with_document, respond_with_error,
};
use crate::plan::Plan;
use crate::time::unix_time;

const TEXT_MEDIA_TYPE: &str = "text/plain; charset=utf-8";
const JSON_MEDIA_TYPE: &str = "application/json";
/// From the section "Protocol Negotiation" of OpenMetrics 1.0.
const METRICS_MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

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
            let Readiness { is_ready, mut body } = match state.is_stopping() {
                true => Readiness::stopping(),
                false => worker.cached_readiness(plan).await.with_definition(plan),
            };
            if let Some(time) = state.changes.refused_at() {
                // Every client can read the document, so that it does not contain the reason.
                body.insert("definition_refused".to_owned(), format!("{time:.0}").into());
            }
            let body = serde_json::to_vec(&body).unwrap_or_default();
            status_reply(if is_ready { 200 } else { 503 }, JSON_MEDIA_TYPE, body.into())
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

/// Caches must not store it.
fn status_reply(status: u16, content_type: &'static str, body: Bytes) -> Reply {
    let headers = vec![(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let content_type = Some(HeaderValue::from_static(content_type));
    // Compressing these texts would cost more than sending them.
    Reply { status, content_type, headers, body: body.into(), is_written_for_request: false, code: None }
}

/// A longer check fails.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Debug, Clone)]
pub struct Readiness {
    pub is_ready: bool,
    /// Without the reasons for failures.
    body: Map<String, Json>,
}

impl Readiness {
    pub fn stopping() -> Self {
        Self::new(false, "stopping", Map::new())
    }

    fn new(is_ready: bool, status: &str, checks: Map<String, Json>) -> Self {
        let body = [("status".to_owned(), status.into()), ("checks".to_owned(), Json::Object(checks))];
        Self { is_ready, body: body.into_iter().collect() }
    }

    pub fn with_definition(mut self, plan: &Plan) -> Self {
        self.body.insert("version".to_owned(), (*plan.api_version).into());
        self.body.insert("digest".to_owned(), plan.definition_digest().into());
        self
    }
}

pub async fn run_readiness_checks(plan: &Plan) -> Readiness {
    if let Some(why) = &plan.waits_for {
        return Readiness::new(false, why, Map::new());
    }
    let passed = join_all(plan.readiness_checks.iter().map(check_passes)).await;
    let is_ready = passed.iter().all(|passed| *passed);
    let words = plan.readiness_checks.iter().zip(passed).map(|(check, passed)| {
        let word = if passed { "ok" } else { "failed" };
        (check.name().to_owned(), word.into())
    });
    Readiness::new(is_ready, if is_ready { "ready" } else { "not ready" }, words.collect())
}

/// `true` if it passed. Logged if the previous run had another result.
async fn check_passes(check: &ReadinessCheck) -> bool {
    let ended = match timeout(CHECK_TIMEOUT, catch_panic_async("it", pin!(check.run()))).await {
        Ok(Ok(ended)) => ended,
        Ok(Err(panic)) => Err(panic.log().unwrap_or_default().to_owned()),
        Err(_) => Err(format!("no result within {} s", CHECK_TIMEOUT.as_secs())),
    };
    match &ended {
        Ok(()) if check.set_failing(false) => log::info!("the check {} passes again", check.name()),
        Err(why) if check.set_failing(true) => log::error!("the check {} fails: {why}", check.name()),
        _ => {}
    }
    ended.is_ok()
}

/// Pages wait here for the next change.
const CHANGES_PATH: &str = "/docs/changes";
/// The number of the change that a page knows.
const KNOWN_PARAMETER: &str = "known";
/// A page that waits then asks again, so that the server keeps no request of a closed page.
const MAX_WAIT: Duration = Duration::from_secs(20);

#[derive(Debug)]
struct Change {
    /// Another number after each change, also after a restart of the server.
    number: u64,
    refused: Option<Timestamp>,
}

pub(super) struct Changes(watch::Sender<Change>);

impl Default for Changes {
    fn default() -> Self {
        // Fewer changes are made than seconds pass.
        Self(watch::Sender::new(Change { number: unix_time(), refused: None }))
    }
}

impl Changes {
    pub(super) fn report(&self, is_refused: bool) {
        let refused = is_refused.then(Timestamp::now);
        self.0.send_modify(|change| *change = Change { number: change.number + 1, refused });
    }

    /// `None` if the changed definition is served.
    fn refused_at(&self) -> Option<Timestamp> {
        self.0.borrow().refused
    }

    /// Lets all pages ask again, because the server stops.
    pub(super) fn end_waiting(&self) {
        self.0.send_modify(|change| change.number += 1);
    }

    /// Waits until there is another change than the one with the number `known`, and returns it as JSON: without the
    /// errors, which quote the definition, because any client can ask.
    async fn next_after(&self, known: Option<u64>) -> Bytes {
        let mut changes = self.0.subscribe();
        // After the time, the page gets the change that it knows. The channel is open as long as the server.
        let _ = timeout(MAX_WAIT, changes.wait_for(|change| Some(change.number) != known)).await;
        let Change { number, refused } = &*changes.borrow();
        json!({ "number": number, "is_refused": refused.is_some() }).to_string().into()
    }
}
