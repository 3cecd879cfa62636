//! Converts requests of actix: those of HTTP/2 connections, and those of a program's `App`.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_http::{Payload, RequestHead};
use actix_web::HttpRequest;
use http::Version;
use http::header::{HeaderName, HeaderValue};

use super::incoming_request::{IncomingRequest, request_id};
use super::request_body::{BodySource, RequestBody};
use super::worker::Worker;
use crate::call::Head;

/// Converts a request that rulebook's own server received. The header fields are moved, which is faster than copying
/// references to them.
pub(super) fn take_request(
    head: &mut RequestHead,
    payload: Payload,
    peer: Option<SocketAddr>,
    worker: &Worker,
) -> IncomingRequest {
    let mut headers: Vec<(HeaderName, HeaderValue)> = Vec::with_capacity(head.headers.len());
    for (name, value) in head.headers.drain() {
        // The iterator returns `None` as the name if it is the same as the name of the previous field.
        let name = name.or_else(|| headers.last().map(|(name, _)| name.clone()));
        headers.extend(name.map(|name| (name, value)));
    }
    incoming_request(head, headers, payload, peer, worker)
}

/// Converts a request of a program's actix `App`. Other services of the `App` may still use the request. Therefore the
/// names and values of the header fields are shared with it.
pub(super) fn copy_request(request: &HttpRequest, payload: Payload, worker: &Worker) -> IncomingRequest {
    let head = request.head();
    let headers = head.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    incoming_request(head, headers, payload, request.peer_addr(), worker)
}

fn incoming_request(
    head: &RequestHead,
    headers: Vec<(HeaderName, HeaderValue)>,
    payload: Payload,
    peer: Option<SocketAddr>,
    worker: &Worker,
) -> IncomingRequest {
    let is_http2 = head.version == Version::HTTP_2;
    let (method, uri, id) = (head.method.clone(), head.uri.clone(), request_id(&headers, worker));
    let head = Arc::new(Head { method, uri, headers, streams: is_http2, peer, id });
    let source = match payload {
        Payload::None => BodySource::Nothing,
        payload => BodySource::Actix { payload, delays_next_request: !is_http2 },
    };
    IncomingRequest { body: RequestBody::new(source, &head), head }
}
