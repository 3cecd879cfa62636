//! Converts replies to the responses of actix.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_http::body::{self, BodySize, BodyStream, BoxBody, MessageBody, SizedStream};
use actix_http::{ConnectionType, Payload, Response};
use bytes::Bytes;
use futures_util::stream;
use http::header::{self, HeaderValue};
use http::{Method, StatusCode, Version};

use super::client_stream::{ConnectionState, HandledRequest};
use super::observe::REQUEST_ID_FIELD;
use super::worker::Worker;
use crate::call::{ByteStream, Head, RequestId};
use crate::client_shares::Share;
use crate::file_reply::stream_file;
use crate::pipeline::{Reply, ReplyBody, catch_panic};

pub(super) struct ResponseContext<'a> {
    pub(super) worker: &'a Worker,
    pub(super) head: &'a Head,
    pub(super) version: Version,
    pub(super) closes: bool,
    /// If a part is unread that keeps the connection from being used again.
    pub(super) unread: Option<Payload>,
    /// The body, if it is a static file.
    pub(super) file: Option<Box<FileBody>>,
    pub(super) connection: Rc<ConnectionState>,
}

pub(super) fn to_response(reply: Reply, context: ResponseContext<'_>) -> Response<BoxBody> {
    let ResponseContext { worker, head, version, closes, unread, file, connection } = context;
    let Reply { status, content_type, headers, body: content, is_written_for_request: _, code: _ } = reply;
    let body = match (file, &head.method, status) {
        // The response cannot have a body (RFC 9110 section 6.4.1).
        (_, _, 204 | 304) => BoxBody::new(body::None::new()),
        // The length is announced, but no bytes are sent (RFC 9110 section 9.3.2).
        (_, &Method::HEAD, _) => match content.len() {
            Some(length) => BoxBody::new(SizedStream::new(length, stream::empty::<io::Result<Bytes>>())),
            None => BoxBody::new(BodyStream::new(stream::empty::<io::Result<Bytes>>())),
        },
        (Some(file), ..) => BoxBody::new(*file),
        _ => to_actix_body(content, worker, head, unread, connection),
    };
    let is_unframed = version < Version::HTTP_11 && body.size() == BodySize::Stream;
    // The status of a reply is from 200 to 599, so that the conversion always succeeds.
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::with_body(status, body);
    if is_unframed {
        // HTTP versions before 1.1 have no chunked encoding. A body of unknown length ends with the connection (RFC
        // 9112 section 6.1).
        response.head_mut().no_chunking(true);
    }
    if is_unframed || closes {
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    let fields = response.headers_mut();
    if let Some(media_type) = content_type {
        fields.insert(header::CONTENT_TYPE, media_type);
    }
    // Browsers guess the media type of a body without one, which the response of an upstream can be.
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (name, value) in headers {
        fields.append(name, value);
    }
    // The text of an id consists of visible ASCII characters.
    if let Ok(id) = head.id.with_text(|id| HeaderValue::from_maybe_shared(worker.share_bytes(id))) {
        fields.insert(REQUEST_ID_FIELD.clone(), id);
    }
    response
}

/// A short body is sent as it is, a longer one in pieces, so that a connection copies no more than one piece.
fn to_actix_body(
    body: ReplyBody,
    worker: &Worker,
    head: &Head,
    unread: Option<Payload>,
    connection: Rc<ConnectionState>,
) -> BoxBody {
    let owned = body.owned_len();
    let length = body.len();
    let checked =
        |pieces| BytePieces::Stream(CheckedStream { pieces, remaining_bytes: length, request_id: head.id.clone() });
    let pieces = match body {
        ReplyBody::Whole(bytes) => BytePieces::Bytes(bytes),
        ReplyBody::Document(document) => BytePieces::Bytes(document.body),
        ReplyBody::Written(bytes) if bytes.len() <= PIECE_LEN => BytePieces::Bytes(worker.share_bytes(&bytes)),
        ReplyBody::Written(bytes) => BytePieces::Bytes(bytes.into_vec().into()),
        ReplyBody::File(range) => checked(stream_file(*range)),
        ReplyBody::Stream { pieces, .. } => checked(pieces),
    };
    match pieces {
        BytePieces::Bytes(bytes) if bytes.len() <= PIECE_LEN && unread.is_none() => BoxBody::new(bytes),
        pieces => {
            let size = length.map_or(BodySize::Stream, BodySize::Sized);
            BoxBody::new(ResponseBody { pieces, size, owned, connection, _unread: unread })
        }
    }
}

/// actix copies each piece into the memory of the connection.
pub(super) const PIECE_LEN: usize = 32 << 10;

pub(super) enum BytePieces {
    /// The rest that has not been sent.
    Bytes(Bytes),
    Stream(CheckedStream),
}

pub(super) struct ResponseBody {
    pieces: BytePieces,
    size: BodySize,
    /// The memory in bytes that only this body uses.
    owned: usize,
    connection: Rc<ConnectionState>,
    /// The unread body of the request. While it exists, actix knows that the connection cannot be used for further
    /// requests. If it were dropped before, actix would read a chunked body to its end, however long it is.
    _unread: Option<Payload>,
}

impl MessageBody for ResponseBody {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let this = &mut *self;
        match &mut this.pieces {
            BytePieces::Bytes(bytes) => {
                let piece = bytes.split_to(bytes.len().min(PIECE_LEN));
                this.owned = this.owned.saturating_sub(piece.len());
                this.connection.unsent_body.set(this.owned);
                Poll::Ready((!piece.is_empty()).then_some(Ok(piece)))
            }
            BytePieces::Stream(stream) => stream.poll_next(task),
        }
    }
}

/// Guards something until the body has been sent.
pub(super) struct GuardedBody<G> {
    pub(super) body: BoxBody,
    pub(super) _guard: G,
}

/// A body on a connection of rulebook's own server: while it exists, the request is being handled.
pub(super) type HandledBody = GuardedBody<Option<HandledRequest>>;

/// A body with the part of the open files that the static file uses.
pub(super) type FileBody = GuardedBody<Option<Share>>;

impl<G: Unpin> MessageBody for GuardedBody<G> {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(task)
    }
}

/// A stream whose length is checked. If an error occurs, the connection is closed, so that the client does not mistake
/// the bytes that it has received for the complete body.
pub(super) struct CheckedStream {
    pieces: ByteStream,
    remaining_bytes: Option<u64>,
    request_id: RequestId,
}

impl CheckedStream {
    fn check_length(&mut self, next: Option<io::Result<Bytes>>) -> Option<io::Result<Bytes>> {
        let error = |message| Some(Err(io::Error::other(message)));
        match (next, &mut self.remaining_bytes) {
            (Some(Ok(bytes)), Some(remaining)) => match remaining.checked_sub(bytes.len() as u64) {
                Some(rest) => {
                    *remaining = rest;
                    Some(Ok(bytes))
                }
                None => error("it is longer than its announced length"),
            },
            (None, Some(1..)) => error("it is shorter than its announced length"),
            (next, _) => next,
        }
    }

    fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        // The stream is code of the program, which may panic.
        let polled = catch_panic("the stream of a download", || self.pieces.as_mut().poll_next(task));
        let next = match polled {
            Ok(next) => ready!(next),
            Err(panic) => Some(Err(io::Error::other(panic.log().unwrap_or_default().to_owned()))),
        };
        match self.check_length(next) {
            // An empty piece is not sent, because it would end a chunked body (RFC 9112 section 7.1).
            Some(Ok(bytes)) if bytes.is_empty() => {
                task.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Err(error)) => {
                let request_id = &self.request_id;
                log::error!(request_id:%; "{request_id}: a download failed: {error}");
                Poll::Ready(Some(Err(error)))
            }
            next => Poll::Ready(next),
        }
    }
}
