//! Converts requests of a program's actix `App`.

use std::sync::Arc;

use actix_http::{Payload, RequestHead};
use actix_web::HttpRequest;
use http::Version;

use super::incoming_request::{IncomingRequest, request_id};
use super::request_body::BodySource;
use super::worker::Worker;
use crate::call::Head;

/// Converts a request of a program's actix `App`. Other services of the `App` may still use the request. Therefore the
/// names and values of the header fields are shared with it.
pub(super) fn copy_request(request: &HttpRequest, payload: Payload, worker: &Worker) -> IncomingRequest {
    let RequestHead { method, uri, version, headers, peer_addr, .. } = request.head();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let (method, uri, id) = (method.clone(), uri.clone(), request_id(&headers, worker));
    let (peer, streams) = (*peer_addr, *version == Version::HTTP_2);
    let client = worker.state().trusted_proxies.client_address(peer, &headers);
    let head = Arc::new(Head { method, uri, headers, streams, peer, client, id, tls: None, trace: None });
    let body = match payload {
        Payload::None => BodySource::Nothing,
        payload => BodySource::Actix(payload),
    };
    IncomingRequest { head, body }
}
