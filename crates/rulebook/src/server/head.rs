//! Converts requests of actix to the types of the pipeline.

use std::sync::Arc;

use actix_http::{Request, RequestHead};
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use http::Version;
use http::header::{HeaderName, HeaderValue};

use super::request_body::RequestBody;
use super::worker::Worker;
use crate::call::{Head, RequestId};

/// The header field with the id of a request, in requests and responses.
pub(super) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request as the connection delivers it.
pub(super) struct Incoming {
    /// The head.
    pub(super) head: Arc<Head>,
    /// The HTTP version.
    pub(super) version: Version,
    /// The body.
    pub(super) body: RequestBody,
}

impl Incoming {
    /// Converts a request of a server that the engine itself runs. The header fields are moved, which costs less than
    /// sharing them.
    pub(super) fn take(request: &mut Request, worker: &Worker) -> Self {
        let (payload, id) = (request.take_payload(), request_id(request.head(), worker));
        let head = request.head_mut();
        let mut headers: Vec<(HeaderName, HeaderValue)> = Vec::with_capacity(head.headers.len());
        for (name, value) in head.headers.drain() {
            // The iterator omits the name if it is the same as that of the previous field.
            let name = name.or_else(|| headers.last().map(|(name, _)| name.clone()));
            headers.extend(name.map(|name| (name, value)));
        }
        let (version, uri) = (head.version, std::mem::take(&mut head.uri));
        Self::new(Head { uri, headers, ..convert_head(head, id) }, version, payload)
    }

    /// Converts a request of an actix `App`, which other services of the `App` may still need. The names and values of
    /// header fields are shared with it.
    pub(super) fn copy(request: &HttpRequest, payload: Payload, worker: &Worker) -> Self {
        let head = request.head();
        let headers = head.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let id = request_id(head, worker);
        Self::new(Head { uri: head.uri.clone(), headers, ..convert_head(head, id) }, head.version, payload)
    }

    fn new(head: Head, version: Version, payload: Payload) -> Self {
        let body = RequestBody::new(payload, &head);
        Self { head: Arc::new(head), version, body }
    }
}

/// Returns the id that the client or a proxy sent, if it is valid; otherwise a new id.
fn request_id(head: &RequestHead, worker: &Worker) -> RequestId {
    let given = head.headers.get(&REQUEST_ID).and_then(|id| RequestId::parse(id.to_str().ok()?));
    given.unwrap_or_else(|| worker.next_request_id())
}

/// Returns the head without its target and header fields.
fn convert_head(head: &RequestHead, id: RequestId) -> Head {
    Head {
        method: head.method.clone(),
        uri: http::Uri::default(),
        headers: Vec::new(),
        streams: head.version == Version::HTTP_2,
        peer: head.peer_addr,
        id,
    }
}
