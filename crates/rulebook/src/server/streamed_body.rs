//! Response bodies that are sent piece by piece: long files, and streams that a program returns.

use std::io;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use crate::call::{ByteStream, RequestId};
use crate::pipeline::catch_panic;

/// A response body that is sent piece by piece. If an error occurs, the connection is closed, so that the client does
/// not mistake the bytes that it has received for the complete body.
pub(super) struct StreamedBody {
    pieces: ByteStream,
    length: Option<u64>,
    /// The number of bytes of the body that have not been sent yet; `None` if the length is unknown.
    remaining_bytes: Option<u64>,
    request_id: RequestId,
}

impl StreamedBody {
    /// Returns the body of a response. `length` is its length, if it is known, and `request_id` is the id of the
    /// request.
    pub(super) fn new(pieces: ByteStream, length: Option<u64>, request_id: RequestId) -> Self {
        Self { pieces, length, remaining_bytes: length, request_id }
    }

    /// Returns the length of the body, if it is known.
    pub(super) fn length(&self) -> Option<u64> {
        self.length
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
    ///
    /// # Errors
    /// Fails if the stream fails or panics, or does not have its announced length.
    pub(super) fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
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
