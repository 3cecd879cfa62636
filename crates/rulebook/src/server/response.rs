//! Last stage: sends a reply as a response of actix.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_http::body::{BodySize, BoxBody, MessageBody};
use actix_http::{ConnectionType, Payload, Response};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, Version, header};

use super::request_body::RequestBody;
use super::streamed_body::StreamedBody;
use crate::call::Head;
use crate::pipeline::{Reply, ReplyBody};
use crate::plan::Document;

/// Converts a reply into the response to the request with this head, after the rest of the request's body has been
/// drained.
pub(super) async fn send(reply: Reply, head: &Head, version: Version, body: RequestBody) -> Response<BoxBody> {
    let unread = body.drain().await;
    let Reply { status, content_type, headers, body, is_written_for_request: _, code } = reply;
    let body = match body {
        ReplyBody::Whole(bytes) | ReplyBody::Document(Document { body: bytes, .. }) => {
            if head.method == Method::HEAD {
                BoxBody::new(LengthOnly(BodySize::Sized(bytes.len() as u64)))
            } else {
                BoxBody::new(bytes)
            }
        }
        ReplyBody::Stream { length, .. } if head.method == Method::HEAD => {
            BoxBody::new(LengthOnly(length.map_or(BodySize::Stream, BodySize::Sized)))
        }
        ReplyBody::Stream { pieces, length } => BoxBody::new(StreamedBody::new(pieces, length, head.id.clone())),
    };
    let body = match unread {
        Some(unread) => BoxBody::new(WithUnread { body, _unread: unread }),
        None => body,
    };
    let is_unframed = version < Version::HTTP_11 && body.size() == BodySize::Stream;
    // Replies have statuses from 200 to 599.
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::with_body(status, body);
    if is_unframed {
        // HTTP versions before 1.1 have no chunks: a body of unknown length ends with the connection (RFC 9112 section
        // 6.1).
        response.head_mut().no_chunking(true);
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    let fields = response.headers_mut();
    if let Some(media_type) = content_type {
        fields.insert(header::CONTENT_TYPE, media_type);
        fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    for (name, value) in headers {
        fields.append(name, value);
    }
    // The counters and the access log read the code.
    if let Some(code) = code {
        response.extensions_mut().insert(code);
    }
    response
}

/// The body of a response, which keeps the unread body of its request alive.
///
/// While the payload exists, actix knows that the connection cannot be used again. If it were dropped before the
/// response is sent, actix would read a chunked request body to its end, however long it is.
struct WithUnread {
    body: BoxBody,
    _unread: Payload,
}

impl MessageBody for WithUnread {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(task)
    }
}

/// The body of a response to HEAD: it has a length, but no bytes are sent (RFC 9110 section 9.3.2).
struct LengthOnly(BodySize);

impl MessageBody for LengthOnly {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.0
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(None)
    }
}
