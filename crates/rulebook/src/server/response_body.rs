//! The bodies of responses that are sent in pieces: long bytes, files, and streams that a program returns.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_http::Payload;
use actix_http::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;

use super::connection_state::{ConnectionState, HandledRequest};
use crate::call::{ByteStream, RequestId};
use crate::client_shares::Share;
use crate::pipeline::catch_panic;

/// The maximum length of a piece of bytes that are in memory. actix copies each piece into the memory of the
/// connection.
pub(super) const PIECE_LEN: usize = 32 << 10;

pub(super) enum BytePieces {
    /// Bytes in memory, of which the rest has not been sent.
    Bytes(Bytes),
    Stream(CheckedStream),
}

pub(super) struct ResponseBody {
    pieces: BytePieces,
    size: BodySize,
    /// The number of bytes of memory that only this body uses, beyond what has been sent.
    owned: usize,
    connection: Rc<ConnectionState>,
    /// The unread body of the request. While it exists, actix knows that the connection cannot be used for further
    /// requests. If it were dropped before, actix would read a chunked body to its end, however long it is.
    _unread: Option<Payload>,
}

impl ResponseBody {
    /// Returns a body. `owned` is the number of bytes of memory that only this body uses.
    pub(super) fn new(
        pieces: BytePieces,
        owned: usize,
        connection: Rc<ConnectionState>,
        unread: Option<Payload>,
    ) -> Self {
        let size = match &pieces {
            BytePieces::Bytes(bytes) => BodySize::Sized(bytes.len() as u64),
            BytePieces::Stream(stream) => stream.length.map_or(BodySize::Stream, BodySize::Sized),
        };
        Self { pieces, size, owned, connection, _unread: unread }
    }
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

/// The body of a response, and what exists until it has been sent.
pub(super) struct GuardedBody<G> {
    pub(super) body: BoxBody,
    pub(super) _guard: G,
}

/// The body of any response on a connection of rulebook's own server. While it exists, the request is being handled.
pub(super) type HandledBody = GuardedBody<Option<HandledRequest>>;

/// The body of a response with a static file, and the part of the open files that it uses.
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
    length: Option<u64>,
    /// The number of bytes of the body that have not been sent yet; `None` if the length is unknown.
    remaining_bytes: Option<u64>,
    request_id: RequestId,
}

impl CheckedStream {
    pub(super) fn new(pieces: ByteStream, length: Option<u64>, request_id: RequestId) -> Self {
        Self { pieces, length, remaining_bytes: length, request_id }
    }

    /// Checks that the pieces of the stream have the announced length together. `next` is the next piece, or `None` at
    /// the end.
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

    /// Returns the next piece of the body, at least one byte; `None` at its end.
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
