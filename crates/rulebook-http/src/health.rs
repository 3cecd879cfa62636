//! Readiness checks of upstreams.

use std::sync::Arc;

use http_body_util::{Either, Full};
use hyper::header::{CONNECTION, HOST, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Uri};
use rulebook::handler_kind::ReadinessCheck;

use super::upstream::{Connection, Upstream};

/// Returns a check that opens a connection to the upstream and, if there is a path, requests this path and expects a
/// status from 200 to 299. Every check uses a new connection, so that it also succeeds while all others are in use.
pub fn readiness_check(name: String, upstream: Arc<Upstream>, path: Option<Uri>) -> ReadinessCheck {
    ReadinessCheck::new(name, move || {
        let (upstream, path) = (Arc::clone(&upstream), path.clone());
        async move {
            let checked = check(&upstream, path).await;
            checked.map_err(|reason| format!("the upstream {}: {reason}", upstream.origin))
        }
    })
}

async fn check(upstream: &Upstream, path: Option<Uri>) -> Result<(), String> {
    let mut connection = Connection::open(upstream).await.map_err(|error| error.to_string())?;
    let Some(path) = path else { return Ok(()) };
    let mut request = Request::new(Either::Left(Full::default()));
    *request.method_mut() = Method::GET;
    *request.uri_mut() = path;
    let fields = request.headers_mut();
    fields.insert(HOST, upstream.host.clone());
    fields.insert(USER_AGENT, HeaderValue::from_static("rulebook"));
    fields.insert(CONNECTION, HeaderValue::from_static("close"));
    let response = connection.sender.send_request(request).await.map_err(|error| error.to_string())?;
    let status = response.status();
    if status.is_success() { Ok(()) } else { Err(format!("the status is {}", status.as_u16())) }
}
