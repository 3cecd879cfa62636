//! Response bodies that are sent piece by piece: files, and streams of the program.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_http::body::{BodySize, MessageBody};
use bytes::Bytes;

use crate::call::{ByteStream, RequestId};
use crate::pipeline::catch_panic;

/// A body that is sent piece by piece. An error closes the connection, so that the client does not mistake the received
/// bytes for the complete body.
pub(super) struct StreamedBody {
    pieces: ByteStream,
    size: BodySize,
    /// The number of bytes that are still to be sent; `None` if the length is not known.
    remaining: Option<u64>,
    id: RequestId,
}

impl StreamedBody {
    /// Returns the body of the response to the request with this id.
    pub(super) fn new(pieces: ByteStream, length: Option<u64>, id: RequestId) -> Self {
        Self { pieces, size: length.map_or(BodySize::Stream, BodySize::Sized), remaining: length, id }
    }

    /// Checks the next piece, or the end of the stream, against the announced length.
    fn check(&mut self, next: Option<io::Result<Bytes>>) -> Option<io::Result<Bytes>> {
        let error = |message| Some(Err(io::Error::other(message)));
        match (next, &mut self.remaining) {
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
        // A stream is code of the program.
        let polled = catch_panic("the stream of a download", || self.pieces.as_mut().poll_next(task));
        let next = match polled {
            Ok(next) => ready!(next),
            Err(panic) => Some(Err(io::Error::other(panic.log().unwrap_or_default().to_owned()))),
        };
        match self.check(next) {
            // An empty piece would end a chunked body (RFC 9112 section 7.1).
            Some(Ok(bytes)) if bytes.is_empty() => {
                task.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Err(error)) => {
                let request_id = &self.id;
                log::error!(request_id:%; "{request_id}: a download failed: {error}");
                Poll::Ready(Some(Err(error)))
            }
            next => Poll::Ready(next),
        }
    }
}
