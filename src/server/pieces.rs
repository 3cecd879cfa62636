//! Bodies that are sent piece by piece: files, and streams of the program's own.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_http::body::{BodySize, MessageBody};
use bytes::Bytes;

use crate::call::{Pieces, RequestId};
use crate::pipeline::guard;

/// A body in pieces on its way. An error ends the connection: what was sent does not look whole.
pub(super) struct Sending {
    pieces: Pieces,
    size: BodySize,
    /// How many bytes are to come; none where only the end will tell.
    left: Option<u64>,
    id: RequestId,
}

impl Sending {
    /// The body of the answer to the request `id`.
    pub(super) fn new(pieces: Pieces, length: Option<u64>, id: RequestId) -> Self {
        Self { pieces, size: length.map_or(BodySize::Stream, BodySize::Sized), left: length, id }
    }

    /// The next piece, if it is as it should be.
    fn judged(&mut self, next: Option<io::Result<Bytes>>) -> Option<io::Result<Bytes>> {
        let fault = |words| Some(Err(io::Error::other(words)));
        match (next, &mut self.left) {
            (Some(Ok(bytes)), Some(left)) => match left.checked_sub(bytes.len() as u64) {
                Some(rest) => {
                    *left = rest;
                    Some(Ok(bytes))
                }
                None => fault("it is longer than was said"),
            },
            (None, Some(1..)) => fault("it is shorter than was said"),
            (next, _) => next,
        }
    }
}

impl MessageBody for Sending {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        // A stream is the program's own code.
        let polled = guard("the stream of a download", || self.pieces.as_mut().poll_next(task));
        let next = match polled {
            Ok(next) => ready!(next),
            Err(panic) => Some(Err(io::Error::other(panic.log().unwrap_or_default().to_owned()))),
        };
        match self.judged(next) {
            // An empty piece would be the end of a chunked body (RFC 9112 section 7.1).
            Some(Ok(bytes)) if bytes.is_empty() => {
                task.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Err(error)) => {
                let request_id = &self.id;
                log::error!(request_id:%; "{request_id}: a download was broken off: {error}");
                Poll::Ready(Some(Err(error)))
            }
            next => Poll::Ready(next),
        }
    }
}
