//! Converts replies to the responses of actix.

use std::io;
use std::rc::Rc;

use actix_http::body::{self, BodySize, BodyStream, BoxBody, MessageBody, SizedStream};
use actix_http::{ConnectionType, Payload, Response};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, Method, StatusCode, Version, header};

use super::connection_state::ConnectionState;
use super::observe::REQUEST_ID_FIELD;
use super::response_body::{BytePieces, CheckedStream, FileBody, PIECE_LEN, ResponseBody};
use super::worker::Worker;
use crate::call::Head;
use crate::file_reply::stream_file;
use crate::pipeline::{Reply, ReplyBody};
use crate::plan::Document;

/// What a response needs to know besides its reply.
pub(super) struct ResponseContext<'a> {
    pub(super) worker: &'a Worker,
    pub(super) head: &'a Head,
    /// The version of HTTP that the client speaks.
    pub(super) version: Version,
    pub(super) closes: bool,
    /// The body of the request, if a part of it is unread that keeps the connection from being used again.
    pub(super) unread: Option<Payload>,
    /// The body of the response, if it is a static file.
    pub(super) file: Option<Box<FileBody>>,
    pub(super) connection: Rc<ConnectionState>,
}

/// Converts a reply to the response of actix.
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
        fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    for (name, value) in headers {
        fields.append(name, value);
    }
    // The text of an id consists of visible ASCII characters.
    if let Ok(id) = head.id.with_text(|id| HeaderValue::from_maybe_shared(worker.share_bytes(id))) {
        fields.insert(REQUEST_ID_FIELD.clone(), id);
    }
    response
}

/// Converts the body of a reply. Short bytes are sent as they are; everything else is sent in pieces, so that a
/// connection copies no more than one piece.
fn to_actix_body(
    body: ReplyBody,
    worker: &Worker,
    head: &Head,
    unread: Option<Payload>,
    connection: Rc<ConnectionState>,
) -> BoxBody {
    let owned = body.owned_len();
    let length = body.len();
    let pieces = match body {
        ReplyBody::Whole(bytes) | ReplyBody::Document(Document { body: bytes, .. }) => BytePieces::Bytes(bytes),
        ReplyBody::Written(bytes) if bytes.len() <= PIECE_LEN => BytePieces::Bytes(worker.share_bytes(&bytes)),
        ReplyBody::Written(bytes) => BytePieces::Bytes(bytes.into_vec().into()),
        ReplyBody::File(range) => BytePieces::Stream(CheckedStream::new(stream_file(range), length, head.id.clone())),
        ReplyBody::Stream { pieces, length } => BytePieces::Stream(CheckedStream::new(pieces, length, head.id.clone())),
    };
    match pieces {
        BytePieces::Bytes(bytes) if bytes.len() <= PIECE_LEN && unread.is_none() => BoxBody::new(bytes),
        pieces => BoxBody::new(ResponseBody::new(pieces, owned, connection, unread)),
    }
}
