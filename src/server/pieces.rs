//! Bodies that are sent piece by piece: files read away from the worker, and streams of the program's own.

use std::fs::File;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_http::body::{BodySize, MessageBody};
use actix_rt::task::{JoinHandle, spawn_blocking};
use bytes::Bytes;
use futures_core::Stream;

use crate::call::{Pieces, RequestId};
use crate::pipeline::guard;

/// How much of a file is read at once, in bytes.
pub(super) const PIECE: u64 = 256 << 10;

/// The bytes of a file from where it stands, the next piece being read while one is sent.
pub(super) struct FilePieces {
    /// How many bytes are to come that no reading has been begun for.
    left: u64,
    /// The file, until the first piece is asked for.
    waiting: Option<File>,
    reading: Option<JoinHandle<io::Result<(File, Bytes)>>>,
}

impl FilePieces {
    /// The next `length` bytes of a file.
    pub(super) fn new(file: File, length: u64) -> Self {
        Self { left: length, waiting: Some(file), reading: None }
    }

    fn read_on(&mut self, file: File) {
        let length = self.left.min(PIECE);
        self.left -= length;
        if length > 0 {
            self.reading = Some(spawn_blocking(move || read(file, length)));
        }
    }
}

impl Stream for FilePieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let this = &mut *self;
        if let Some(file) = this.waiting.take() {
            this.read_on(file);
        }
        let Some(reading) = &mut this.reading else { return Poll::Ready(None) };
        let read = ready!(Pin::new(reading).poll(task)).unwrap_or_else(|error| Err(io::Error::other(error)));
        this.reading = None;
        Poll::Ready(Some(read.map(|(file, bytes)| {
            this.read_on(file);
            bytes
        })))
    }
}

/// Reads so many bytes of a file.
///
/// # Errors
/// It cannot be read, or has fewer.
pub(super) fn read(mut file: File, length: u64) -> io::Result<(File, Bytes)> {
    let mut bytes = Vec::with_capacity(usize::try_from(length).map_err(io::Error::other)?);
    (&mut file).take(length).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < length {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file has become shorter"));
    }
    Ok((file, bytes.into()))
}

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
