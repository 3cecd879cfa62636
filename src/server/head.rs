//! The head of a request, from actix's words into ours.

use actix_http::{HttpMessage, Request, RequestHead};
use http::Version;
use http::header::{HeaderName, HeaderValue};

use crate::call::{Head, RequestId};

/// The request's name in answers and in the log.
pub(super) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The name that a request came with; `own` where it has none that is taken.
pub(super) fn name(head: &RequestHead, own: impl FnOnce() -> RequestId) -> RequestId {
    let given = head.headers.get(&REQUEST_ID).and_then(|name| RequestId::given(name.to_str().ok()?));
    given.unwrap_or_else(own)
}

/// Takes the head out of a request. What it consists of is moved, which costs less than sharing it.
pub(super) fn take(request: &mut Request, id: RequestId) -> Head {
    let streams = request.version() == Version::HTTP_2;
    let request = request.head_mut();
    let mut headers: Vec<(HeaderName, HeaderValue)> = Vec::with_capacity(request.headers.len());
    for (name, value) in request.headers.drain() {
        // A field line without a name is another of the one before it.
        let name = name.or_else(|| headers.last().map(|(name, _)| name.clone()));
        headers.extend(name.map(|name| (name, value)));
    }
    let method = request.method.clone();
    Head { method, uri: std::mem::take(&mut request.uri), headers, streams, peer: request.peer_addr, id }
}

/// Gives a request back the head that was taken out of it; its name goes with it as an extension.
pub(super) fn restore(request: &mut Request, head: &Head) {
    request.extensions_mut().insert(head.id.clone());
    let request = request.head_mut();
    request.uri = head.uri.clone();
    for (name, value) in &head.headers {
        request.headers.append(name.clone(), value.clone());
    }
}

/// The same head. Names and values are shared, not copied.
pub(super) fn head(head: &RequestHead, id: RequestId) -> Head {
    let mut headers = Vec::with_capacity(head.headers.len());
    headers.extend(head.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    Head {
        method: head.method.clone(),
        uri: head.uri.clone(),
        headers,
        streams: head.version == Version::HTTP_2,
        peer: head.peer_addr,
        id,
    }
}
