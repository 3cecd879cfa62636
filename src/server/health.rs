//! The server's own paths that tell how it is: `/healthz`, `/readyz` and `/metrics`.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, header};

use super::metrics::For;
use super::worker::Worker;
use crate::call::Head;
use crate::pipeline::{self, Readiness, Reply};
use crate::plan::Plan;

const TEXT: &str = "text/plain; charset=utf-8";
/// OpenMetrics 1.0, section "Protocol Negotiation".
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    /// Whether the process answers at all.
    Alive,
    /// Whether it can do its work.
    Ready,
    /// What it has done.
    Metrics,
}

impl Health {
    /// What it is counted under.
    pub(super) fn purpose(self) -> For {
        match self {
            Self::Alive | Self::Ready => For::Health,
            Self::Metrics => For::Metrics,
        }
    }
}

/// What a request asks about; none where it is for something else.
pub(super) fn find(head: &Head) -> Option<Health> {
    match head.uri.path() {
        "/healthz" => Some(Health::Alive),
        "/readyz" => Some(Health::Ready),
        "/metrics" => Some(Health::Metrics),
        _ => None,
    }
}

/// The answer.
pub(super) async fn answer(worker: &Worker, plan: &Arc<Plan>, head: &Head, asked: Health) -> Reply {
    match pipeline::unread(plan, head) {
        Some(reply) => reply,
        None => tell(worker, plan, asked).await,
    }
}

async fn tell(worker: &Worker, plan: &Arc<Plan>, asked: Health) -> Reply {
    let (status, content_type, body): (_, _, Bytes) = match asked {
        Health::Alive => (200, TEXT, "ok\n".into()),
        Health::Ready => {
            let stopping = worker.serving().is_stopping();
            let readiness = if stopping { Readiness::stopping() } else { worker.readiness(plan).await };
            (if readiness.ready { 200 } else { 503 }, "application/json", readiness.body)
        }
        Health::Metrics => {
            let serving = worker.serving();
            (200, METRICS, serving.metrics.text(serving.detached.count()).into())
        }
    };
    let headers = vec![(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let content_type = Some(HeaderValue::from_static(content_type));
    Reply { status, content_type, headers, body: body.into(), written: true, code: None }
}
