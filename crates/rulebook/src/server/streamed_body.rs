//! Response bodies that are sent piece by piece: long files, and streams that a program returns.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_http::body::{BodySize, MessageBody};
use bytes::Bytes;

use crate::call::{ByteStream, RequestId};
use crate::pipeline::catch_panic;

/// A response body that is sent piece by piece. If an error occurs, the connection is closed, so that the client does
/// not mistake the bytes that it has received for the complete body.
pub(super) struct StreamedBody {
    pieces: ByteStream,
    size: BodySize,
    /// The number of bytes of the body that have not been sent yet; `None` if the length is unknown.
    remaining_bytes: Option<u64>,
    request_id: RequestId,
}

impl StreamedBody {
    /// Returns the body of a response. `length` is its length, if it is known, and `request_id` is the id of the request.
    pub(super) fn new(pieces: ByteStream, length: Option<u64>, request_id: RequestId) -> Self {
        Self { pieces, size: length.map_or(BodySize::Stream, BodySize::Sized), remaining_bytes: length, request_id }
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
}

impl MessageBody for StreamedBody {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
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
