//! Converts replies to responses of actix, for a program's `App`.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_http::body::{BodySize, BoxBody, MessageBody};
use actix_http::{ConnectionType, Payload, Response};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, Version, header};

use super::file_stream::FileStream;
use super::handle::Handled;
use super::observe::REQUEST_ID_FIELD;
use super::request_body::BodySource;
use super::streamed_body::StreamedBody;
use crate::pipeline::{Reply, ReplyBody};
use crate::plan::Document;

/// Converts a reply to the response of actix for a client that speaks this version of HTTP.
pub(super) fn to_actix_response(handled: Handled, reply: Reply, version: Version) -> Response<BoxBody> {
    let Handled { head, unread, ended: _ } = handled;
    let Reply { status, content_type, headers, body, is_written_for_request: _, code: _ } = reply;
    let body = match body {
        body if head.method == Method::HEAD => {
            BoxBody::new(BodyWithLengthOnly(body.len().map_or(BodySize::Stream, BodySize::Sized)))
        }
        ReplyBody::Whole(bytes) | ReplyBody::Document(Document { body: bytes, .. }) => BoxBody::new(bytes),
        ReplyBody::Written(bytes) => BoxBody::new(bytes.into_vec()),
        ReplyBody::File(range) => {
            let length = Some(range.length);
            BoxBody::new(StreamedBody::new(Box::pin(FileStream::from(range)), length, head.id.clone()))
        }
        ReplyBody::Stream { pieces, length } => BoxBody::new(StreamedBody::new(pieces, length, head.id.clone())),
    };
    let body = match unread.map(|unread| *unread) {
        Some(BodySource::Actix(payload)) => BoxBody::new(BodyWithUnreadRequest { body, _unread: payload }),
        _ => body,
    };
    let is_unframed = version < Version::HTTP_11 && body.size() == BodySize::Stream;
    // The status of a reply is from 200 to 599, so that the conversion always succeeds.
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::with_body(status, body);
    if is_unframed {
        // HTTP versions before 1.1 have no chunked encoding. A body of unknown length ends with the connection (RFC
        // 9112 section 6.1).
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
    // The text of an id consists of visible ASCII characters.
    if let Ok(id) = HeaderValue::try_from(head.id.to_string()) {
        fields.insert(REQUEST_ID_FIELD.clone(), id);
    }
    response
}

/// The body of a response, which also holds the unread body of the request.
///
/// While the unread body exists, actix knows that the connection cannot be used for further requests. If the unread
/// body were dropped before the response has been sent, actix would read a chunked body to its end, however long it is.
struct BodyWithUnreadRequest {
    body: BoxBody,
    _unread: Payload,
}

impl MessageBody for BodyWithUnreadRequest {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(task)
    }
}

/// The body of a response to HEAD. It has a length, but its bytes are not sent (RFC 9110 section 9.3.2).
struct BodyWithLengthOnly(BodySize);

impl MessageBody for BodyWithLengthOnly {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.0
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(None)
    }
}

impl MessageBody for StreamedBody {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        self.length().map_or(BodySize::Stream, BodySize::Sized)
    }

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        Self::poll_next(&mut self, task)
    }
}
