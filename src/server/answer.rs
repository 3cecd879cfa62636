//! A reply as a response of actix.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_http::body::{BodySize, BoxBody, MessageBody};
use actix_http::{ConnectionType, Payload, Response};
use actix_web::HttpResponse;
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, Version, header};

use super::pieces::Sending;
use super::receive::Arriving;
use crate::call::Head;
use crate::pipeline::{self, Reply, ReplyBody};
use crate::plan::{Document, Plan};

/// The response to a request, when what is left of its body has been seen to.
pub(super) async fn sent(plan: &Plan, mut reply: Reply, head: &Head, mut body: Arriving) -> Response<BoxBody> {
    if let Some(coding) = pipeline::coding(plan, head, &mut reply) {
        // In a box: it would make the future of every other answer larger.
        reply = Box::pin(pipeline::coded(reply, coding)).await;
    }
    let unread = if body.finish().await { None } else { Some(body.unread()) };
    response(reply, head, unread)
}

/// Gives a response of the App behind the API the fields for pages of other origins.
pub(super) fn share(plan: &Plan, head: &Head, response: &mut Response<BoxBody>) {
    let allow = response.headers().get(header::ALLOW).filter(|_| response.status().is_success());
    for (name, value) in pipeline::shared(plan, head, allow) {
        response.headers_mut().append(name, value);
    }
}

/// The response to the request of this head.
///
/// `unread` is a body that was not read to its end. As long as it lives, actix knows that the connection
/// cannot be used again; were it dropped before the response is sent, actix would read a chunked one to its
/// end, however long it is.
pub(super) fn response(reply: Reply, head: &Head, unread: Option<Payload>) -> Response<BoxBody> {
    let Reply { status, content_type, headers, body, written: _, code } = reply;
    let empty = head.method == Method::HEAD;
    let body = match body {
        ReplyBody::Whole(bytes) | ReplyBody::Ready(Document { body: bytes, .. }) => {
            if empty {
                BoxBody::new(Unsent(BodySize::Sized(bytes.len() as u64)))
            } else {
                BoxBody::new(bytes)
            }
        }
        ReplyBody::Pieces { length, .. } if empty => {
            BoxBody::new(Unsent(length.map_or(BodySize::Stream, BodySize::Sized)))
        }
        ReplyBody::Pieces { pieces, length } => BoxBody::new(Sending::new(pieces, length, head.id.clone())),
    };
    let body = match unread {
        Some(unread) => BoxBody::new(Held { body, _unread: unread }),
        None => body,
    };
    // The pipeline's statuses are from 200 to 599.
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::with_body(status, body);
    let fields = response.headers_mut();
    if let Some(media_type) = content_type {
        fields.insert(header::CONTENT_TYPE, media_type);
        fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    for (name, value) in headers {
        fields.append(name, value);
    }
    // For whoever observes the request.
    if let Some(code) = code {
        response.extensions_mut().insert(code);
    }
    response
}

/// A response as a client of this version of HTTP reads it: before HTTP/1.1 there are no chunks, and the end of the
/// connection is the end of a body whose length is not known (RFC 9112 section 6.1).
pub(super) fn framed(mut response: Response<BoxBody>, version: Version) -> Response<BoxBody> {
    if version < Version::HTTP_11 && response.body().size() == BodySize::Stream {
        let head = response.head_mut();
        head.no_chunking(true);
        head.set_connection_type(ConnectionType::Close);
    }
    response
}

/// A response of actix's own, when what is left of the request's body has been seen to.
pub(super) async fn held(response: HttpResponse, mut body: Arriving) -> HttpResponse {
    if body.finish().await {
        return response;
    }
    let unread = body.unread();
    response.map_body(|_, body| BoxBody::new(Held { body, _unread: unread }))
}

/// A body with a hold on the request's.
struct Held {
    body: BoxBody,
    _unread: Payload,
}

impl MessageBody for Held {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(task)
    }
}

/// The length of a body alone (RFC 9110 section 9.3.2).
struct Unsent(BodySize);

impl MessageBody for Unsent {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.0
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(None)
    }
}
