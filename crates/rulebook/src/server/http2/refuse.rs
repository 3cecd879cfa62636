//! Responds to a request that exceeds a limit of connections. It does not reach the API.

use std::sync::Arc;

use http::Uri;
use rulebook_model::call::{Limit, Unit};
use rulebook_model::connection_limits::{ConnectionLimit, REQUEST_MEMORY};
use rulebook_model::error::ErrorCode;

use crate::call::{ApiError, Head};
use crate::pipeline::{ErrorContext, Reply, add_cors_headers, respond_with_error};
use crate::server::handle::Handled;
use crate::server::observe::Observation;
use crate::server::worker::Worker;

/// Sets the reply to a request that exceeds a limit, and counts the request.
pub(super) fn refuse(worker: &Worker, head: Arc<Head>, limit: &ConnectionLimit, reply: &mut Reply) -> Handled {
    worker.state().exceeded_limits.count(limit, head.peer);
    let current = worker.current_plan();
    let plan = &current.runner.plan;
    let observed = Observation::begin(&current, &head);
    *reply = respond_with_error(plan, &head, ErrorContext::Nothing, limit_error(limit));
    add_cors_headers(plan, &head, reply, None);
    let ended = observed.finish(reply);
    Handled { head, unread: None, ended }
}

fn limit_error(limit: &ConnectionLimit) -> ApiError {
    let unit = if limit.unit == "bytes" { Unit::Bytes } else { Unit::Fields };
    match limit.value {
        Some(max) if *limit != REQUEST_MEMORY => {
            ApiError::too_large(Limit { name: limit.name, max, unit, code: ErrorCode::HeadTooLarge }, None)
        }
        _ => ApiError::plain(ErrorCode::Unavailable),
    }
}

/// Returns the beginning of a path, for the log.
pub(super) fn shorten(uri: &Uri) -> Uri {
    const MAX_LEN: usize = 1 << 10;
    let path = uri.path();
    path.get(..MAX_LEN).unwrap_or(path).parse().unwrap_or_default()
}
