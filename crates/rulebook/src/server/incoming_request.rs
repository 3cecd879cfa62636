//! Converts requests of actix to the types that the Rust module `pipeline` uses.

use std::sync::Arc;

use actix_http::{Request, RequestHead};
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use http::Version;
use http::header::{HeaderName, HeaderValue};

use super::request_body::RequestBody;
use super::worker::Worker;
use crate::call::{Head, RequestId};

/// The header field that contains the id of a request. It is used in requests and in responses.
pub(super) static REQUEST_ID_FIELD: HeaderName = HeaderName::from_static("x-request-id");

/// A request whose head has been received and whose body has not been read.
pub(super) struct IncomingRequest {
    /// The request line and the header fields.
    pub(super) head: Arc<Head>,
    /// The HTTP version of the request.
    pub(super) version: Version,
    /// The body, which is received later.
    pub(super) body: RequestBody,
}

impl IncomingRequest {
    /// Converts a request that rulebook's own server received. The header fields are moved, which is faster than
    /// copying references to them.
    pub(super) fn take_request(request: &mut Request, worker: &Worker) -> Self {
        let payload = request.take_payload();
        let head = request.head_mut();
        let mut headers: Vec<(HeaderName, HeaderValue)> = Vec::with_capacity(head.headers.len());
        for (name, value) in head.headers.drain() {
            // The iterator returns `None` as the name if it is the same as the name of the previous field.
            let name = name.or_else(|| headers.last().map(|(name, _)| name.clone()));
            headers.extend(name.map(|name| (name, value)));
        }
        let (version, uri, id) = (head.version, std::mem::take(&mut head.uri), request_id(&headers, worker));
        Self::new(Head { uri, headers, ..convert_head(head, id) }, version, payload)
    }

    /// Converts a request of a program's actix `App`. Other services of the `App` may still use the request. Therefore
    /// the names and values of the header fields are shared with it.
    pub(super) fn copy_request(request: &HttpRequest, payload: Payload, worker: &Worker) -> Self {
        let head = request.head();
        let headers: Vec<_> = head.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let id = request_id(&headers, worker);
        Self::new(Head { uri: head.uri.clone(), headers, ..convert_head(head, id) }, head.version, payload)
    }

    fn new(head: Head, version: Version, payload: Payload) -> Self {
        let body = RequestBody::new(payload, &head);
        Self { head: Arc::new(head), version, body }
    }
}

/// Returns the request id that the client or a proxy has sent, if this id is valid; otherwise a new id.
fn request_id(headers: &[(HeaderName, HeaderValue)], worker: &Worker) -> RequestId {
    let given = headers.iter().find(|(name, _)| *name == REQUEST_ID_FIELD);
    let given = given.and_then(|(_, id)| RequestId::parse(id.to_str().ok()?));
    given.unwrap_or_else(|| worker.next_request_id())
}

/// Converts the head of a request, but leaves the request target and the header fields empty.
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
