//! Sends the response to a request of an HTTP/2 connection.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix_rt::task::spawn_blocking;
use actix_rt::time::timeout;
use bytes::{Bytes, BytesMut};
use futures_util::future::{Either, select};
use h2::SendStream;
use h2::server::SendResponse;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Response, StatusCode};

use super::connection_state::ConnectionState;
use super::send_memory::{BodyPart, SendMemory};
use crate::call::Head;
use crate::client_shares::{Share, UsedUp};
use crate::pipeline::{FileRange, Reply, ReplyBody};
use crate::server::connection_limits::PROGRESS_TIMEOUT;
use crate::server::file_stream::{read_cached_bytes, read_exact_at};
use crate::server::observe::REQUEST_ID_FIELD;
use crate::server::streamed_body::StreamedBody;
use crate::server::worker::Worker;

/// The maximum number of bytes of a file or a stream that are passed to the connection at once.
const PART_LEN: usize = 32 << 10;
/// The same number for a body in memory, of which a part uses no memory of its own. `h2` sends it in several frames.
const WHOLE_PART_LEN: usize = 256 << 10;
/// The number of frames of the type WINDOW_UPDATE that a part of a response permits: for the stream and the connection.
const UPDATES_FOR_PART: u64 = 2;

/// What sending a response needs.
#[derive(Clone, Copy)]
pub(super) struct Sending<'r> {
    pub(super) worker: &'r Worker,
    pub(super) head: &'r Head,
    pub(super) state: &'r ConnectionState,
    pub(super) memory: &'r Rc<SendMemory>,
}

/// Sends a reply, which was complete at the time `ended`.
///
/// # Errors
/// Fails if the connection is broken, if the client cancels the request or does not read the response, or if the stream
/// of the body fails.
pub(super) async fn send_reply(
    sending: Sending<'_>,
    reply: Reply,
    ended: Instant,
    responding: &mut SendResponse<BodyPart>,
) -> io::Result<()> {
    let Sending { worker, head, .. } = sending;
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
    let stream = responding.send_response(response, !has_body).map_err(io::Error::other)?;
    if !has_body {
        return Ok(());
    }
    let mut output = Output { stream, sending, owned_len: body.owned_len(), kept: None };
    match body {
        ReplyBody::Whole(bytes) => output.send_whole(bytes).await,
        ReplyBody::Document(document) => output.send_whole(document.body).await,
        ReplyBody::Written(bytes) => output.send_whole(bytes.into_vec().into()).await,
        ReplyBody::File(range) => output.send_file(range).await,
        ReplyBody::Stream { pieces, length } => {
            output.send_stream(StreamedBody::new(pieces, length, head.id.clone())).await
        }
    }
}

/// The body of a response, which is sent as fast as the client reads it.
struct Output<'r> {
    stream: SendStream<BodyPart>,
    sending: Sending<'r>,
    /// The number of bytes of memory that only this response uses.
    owned_len: usize,
    /// The part of the memory for responses that this one uses, since it has had to wait for the client.
    kept: Option<Share>,
}

impl Output<'_> {
    /// Sends a body that is in memory, and which uses no more memory while it waits in the connection.
    async fn send_whole(&mut self, mut bytes: Bytes) -> io::Result<()> {
        while !bytes.is_empty() {
            let length = self.next_part_len(bytes.len().min(WHOLE_PART_LEN)).await?;
            let part = BodyPart::new(bytes.split_to(length), self.sending.memory.reserve_nothing());
            self.stream.send_data(part, bytes.is_empty()).map_err(io::Error::other)?;
        }
        ConnectionState::add(&self.sending.state.sent_parts, UPDATES_FOR_PART);
        Ok(())
    }

    /// Sends a piece of a body that is sent piece by piece.
    async fn send_piece(&mut self, mut bytes: Bytes) -> io::Result<()> {
        while !bytes.is_empty() {
            let length = self.next_part_len(bytes.len().min(PART_LEN)).await?;
            let reserved = self.sending.memory.reserve(length).await;
            let part = BodyPart::new(bytes.split_to(length), reserved);
            self.stream.send_data(part, false).map_err(io::Error::other)?;
        }
        ConnectionState::add(&self.sending.state.sent_parts, UPDATES_FOR_PART);
        Ok(())
    }

    /// Sends a part of a file. Only bytes that the client is ready to receive are read.
    async fn send_file(&mut self, range: FileRange) -> io::Result<()> {
        let range = Arc::new(range);
        let (mut at, end) = (range.offset, range.offset + range.length);
        while at < end {
            let length = self.next_part_len((end - at).min(PART_LEN as u64) as usize).await?;
            let reserved = self.sending.memory.reserve(length).await;
            let bytes = read_file(&range, at, length).await.inspect_err(|error| {
                let request_id = &self.sending.head.id;
                log::error!(request_id:%; "{request_id}: a download failed: {error}");
            })?;
            at += length as u64;
            self.stream.send_data(BodyPart::new(bytes, reserved), at == end).map_err(io::Error::other)?;
        }
        ConnectionState::add(&self.sending.state.sent_parts, UPDATES_FOR_PART);
        Ok(())
    }

    async fn send_stream(&mut self, mut body: StreamedBody) -> io::Result<()> {
        loop {
            let next = pin!(poll_fn(|task| body.poll_next(task)));
            match select(next, poll_fn(|task| self.stream.poll_reset(task))).await {
                Either::Left((Some(piece), _)) => self.send_piece(piece?).await?,
                Either::Left((None, _)) => {
                    let nothing = BodyPart::new(Bytes::new(), self.sending.memory.reserve_nothing());
                    return self.stream.send_data(nothing, true).map_err(io::Error::other);
                }
                Either::Right(_) => return Err(io::ErrorKind::ConnectionReset.into()),
            }
        }
    }

    /// Waits until the client is ready to receive at least one of these bytes. Returns the number of bytes that can be
    /// sent.
    async fn next_part_len(&mut self, wished: usize) -> io::Result<usize> {
        let Self { stream, sending: Sending { worker, head, .. }, owned_len, kept } = self;
        let memory = &worker.state().response_memory;
        loop {
            stream.reserve_capacity(wished);
            let has_capacity = poll_fn(|task| {
                let polled = stream.poll_capacity(task);
                if polled.is_pending() && kept.is_none() && *owned_len > 0 {
                    let share = memory.take(head.client, *owned_len);
                    *kept = Some(share.map_err(|UsedUp| io::Error::from(io::ErrorKind::OutOfMemory))?);
                }
                polled.map(|capacity| capacity.ok_or(io::ErrorKind::ConnectionReset)?.map_err(io::Error::other))
            });
            let capacity = timeout(PROGRESS_TIMEOUT, has_capacity).await??;
            if capacity > 0 {
                return Ok(capacity.min(wished));
            }
        }
    }
}

/// Reads bytes at a file offset: from memory, or on another thread.
async fn read_file(range: &Arc<FileRange>, at: u64, length: usize) -> io::Result<Bytes> {
    let mut buffer = BytesMut::zeroed(length);
    let read = read_cached_bytes(&range.file, at, &mut buffer);
    if read < length {
        let range = Arc::clone(range);
        let reading = spawn_blocking(move || {
            read_exact_at(&range.file, at + read as u64, &mut buffer[read..])?;
            Ok::<_, io::Error>(buffer)
        });
        buffer = reading.await.map_err(io::Error::other)??;
    }
    Ok(buffer.freeze())
}
