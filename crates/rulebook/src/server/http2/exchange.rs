//! One request of an HTTP/2 connection, and its response.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_rt::time::timeout;
use bytes::Bytes;
use futures_util::future::{Either, select};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Request, Response, StatusCode};

use rulebook_model::connection_limits::{HEAD_FIELDS, PROGRESS};

use crate::call::Head;
use crate::pipeline::{Reply, ReplyBody};
use crate::server::connection_limits::{MAX_FIELDS, PROGRESS_TIMEOUT};
use crate::server::file_stream::FileStream;
use crate::server::handle::{Handled, handle};
use crate::server::incoming_request::{IncomingRequest, request_id};
use crate::server::mount::MountedPart;
use crate::server::observe::REQUEST_ID_FIELD;
use crate::server::request_body::{BodySource, RequestBody};
use crate::server::streamed_body::StreamedBody;
use crate::server::worker::Worker;

/// The number of bytes of a body that are passed to the connection at once.
const PIECE_LEN: usize = 64 << 10;

/// Handles a request, and sends its response. If the client cancels the request, the request ends.
pub(super) async fn respond(
    worker: Rc<Worker>,
    request: Request<RecvStream>,
    mut responding: SendResponse<Bytes>,
    peer: Option<SocketAddr>,
) {
    let (parts, body) = request.into_parts();
    if parts.headers.len() > MAX_FIELDS {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        worker.state().exceeded_limits.count(&HEAD_FIELDS, peer);
        // If the client has disconnected, it needs no response.
        let _ = responding.send_response(response, true);
        return;
    }
    let mut headers: Vec<(HeaderName, HeaderValue)> = Vec::with_capacity(parts.headers.len());
    for (name, value) in parts.headers {
        // The iterator returns `None` as the name if it is the same as the name of the previous field.
        let name = name.or_else(|| headers.last().map(|(name, _)| name.clone()));
        headers.extend(name.map(|name| (name, value)));
    }
    let id = request_id(&headers, &worker);
    let client = worker.state().trusted_proxies.client_address(peer, &headers);
    let head = Arc::new(Head { method: parts.method, uri: parts.uri, headers, streams: true, peer, client, id });
    let source = if body.is_end_stream() { BodySource::Nothing } else { BodySource::Http2(BodyReceiver(body)) };
    let incoming = IncomingRequest { body: RequestBody::new(source, &head), head: Arc::clone(&head) };
    let handled = {
        let handling = pin!(handle(Rc::clone(&worker), MountedPart::Api, incoming));
        match select(handling, poll_fn(|task| responding.poll_reset(task))).await {
            Either::Left((handled, _)) => handled,
            Either::Right(_) => return,
        }
    };
    if let Err(error) = send_reply(&worker, &head, handled, &mut responding).await {
        if error.kind() == io::ErrorKind::TimedOut {
            worker.state().exceeded_limits.count(&PROGRESS, peer);
        }
        log::debug!("an HTTP/2 request ended: {error}");
        responding.send_reset(Reason::CANCEL);
    }
}

/// The body of a request.
pub(in crate::server) struct BodyReceiver(RecvStream);

impl BodyReceiver {
    /// Returns the next bytes of the body; `None` at the end of the body.
    ///
    /// # Errors
    /// Fails if the connection is broken, or if the client cancels the request.
    pub(in crate::server) fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let received = ready!(self.0.poll_data(task)).transpose().map_err(io::Error::other)?;
        if let Some(bytes) = &received {
            // The client may send this number of further bytes.
            self.0.flow_control().release_capacity(bytes.len()).map_err(io::Error::other)?;
        }
        Poll::Ready(received.map(Ok))
    }
}

/// Sends a reply.
///
/// # Errors
/// Fails if the connection is broken, if the client cancels the request or does not read the response, or if the stream
/// of the body fails.
async fn send_reply(
    worker: &Worker,
    head: &Head,
    handled: Handled,
    responding: &mut SendResponse<Bytes>,
) -> io::Result<()> {
    let Handled { reply, unread: _, ended } = handled;
    let Reply { status, content_type, headers, body, is_written_for_request: _, code: _ } = reply;
    let mut response = Response::new(());
    // The status of a reply is from 200 to 599, so that the conversion always succeeds.
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let fields = response.headers_mut();
    let has_content = !matches!(status, 204 | 304);
    if let Some(length) = body.len().filter(|_| has_content) {
        fields.insert(CONTENT_LENGTH, length.into());
    }
    if let Some(media_type) = content_type {
        fields.insert(CONTENT_TYPE, media_type);
        fields.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    for (name, value) in headers {
        fields.append(name, value);
    }
    // The text of an id and of a date consists of visible ASCII characters.
    fields.extend(head.id.with_text(HeaderValue::from_bytes).map(|id| (REQUEST_ID_FIELD.clone(), id)));
    fields.extend(worker.date().with_text(ended, HeaderValue::from_bytes).map(|date| (DATE, date)));
    let has_body = head.method != Method::HEAD && has_content && body.len() != Some(0);
    let mut sending = responding.send_response(response, !has_body).map_err(io::Error::other)?;
    if !has_body {
        return Ok(());
    }
    match body {
        ReplyBody::Whole(bytes) => send_bytes(&mut sending, bytes, true).await,
        ReplyBody::Document(document) => send_bytes(&mut sending, document.body, true).await,
        ReplyBody::Written(bytes) => send_bytes(&mut sending, bytes.into_vec().into(), true).await,
        ReplyBody::File(range) => {
            let length = Some(range.length);
            let stream = StreamedBody::new(Box::pin(FileStream::from(range)), length, head.id.clone());
            send_stream(&mut sending, stream).await
        }
        ReplyBody::Stream { pieces, length } => {
            send_stream(&mut sending, StreamedBody::new(pieces, length, head.id.clone())).await
        }
    }
}

async fn send_stream(sending: &mut SendStream<Bytes>, mut stream: StreamedBody) -> io::Result<()> {
    loop {
        let next = pin!(poll_fn(|task| stream.poll_next(task)));
        match select(next, poll_fn(|task| sending.poll_reset(task))).await {
            Either::Left((Some(piece), _)) => send_bytes(sending, piece?, false).await?,
            Either::Left((None, _)) => return send_bytes(sending, Bytes::new(), true).await,
            Either::Right(_) => return Err(io::ErrorKind::ConnectionReset.into()),
        }
    }
}

/// Sends bytes as fast as the client reads them. `is_end` is `true` if the body ends after these bytes.
async fn send_bytes(sending: &mut SendStream<Bytes>, mut bytes: Bytes, is_end: bool) -> io::Result<()> {
    while !bytes.is_empty() {
        sending.reserve_capacity(bytes.len().min(PIECE_LEN));
        let capacity = timeout(PROGRESS_TIMEOUT, poll_fn(|task| sending.poll_capacity(task))).await?;
        let capacity = capacity.ok_or(io::ErrorKind::ConnectionReset)?.map_err(io::Error::other)?;
        let piece = bytes.split_to(capacity.min(bytes.len()));
        if !piece.is_empty() {
            sending.send_data(piece, is_end && bytes.is_empty()).map_err(io::Error::other)?;
            if is_end && bytes.is_empty() {
                return Ok(());
            }
        }
    }
    if is_end { sending.send_data(Bytes::new(), true).map_err(io::Error::other) } else { Ok(()) }
}
