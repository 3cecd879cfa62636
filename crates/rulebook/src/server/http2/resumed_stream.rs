//! The stream of an HTTP/2 connection. Some bytes have been received already, because they show that the client speaks
//! HTTP/2. Writing fails if the client receives nothing for too long, which `h2` does not notice, and nothing more is read
//! once the client has sent too many fields or small frames.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_rt::net::TcpStream;
use actix_rt::time::{Sleep, sleep};
use bytes::{Buf, BytesMut};
use rulebook_model::connection_limits::ConnectionLimit;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::received_frames::ReceivedFrames;
use crate::server::connection_limits::PROGRESS_TIMEOUT;
use crate::server::unsent_bytes::SentBytes;

/// The limit that the client has exceeded with what it has sent. The connection must be closed then.
pub(super) type ExceededLimit = Rc<Cell<Option<ConnectionLimit>>>;

/// A stream whose first reads return the bytes that have been received already.
pub(super) struct ResumedStream {
    received: BytesMut,
    stream: TcpStream,
    /// Runs while the client does not receive what the server sends.
    stalled: Option<Pin<Box<Sleep>>>,
    sent: SentBytes,
    frames: ReceivedFrames,
    exceeded: ExceededLimit,
}

impl ResumedStream {
    /// Creates the stream of a connection. When the client exceeds a limit, it is stored in `exceeded`.
    pub(super) fn new(stream: TcpStream, received: BytesMut, exceeded: ExceededLimit) -> Self {
        let (sent, frames) = (SentBytes::default(), ReceivedFrames::default());
        Self { received, stream, stalled: None, sent, frames, exceeded }
    }

    fn poll_receive(&mut self, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.received.is_empty() {
            return Pin::new(&mut self.stream).poll_read(task, buffer);
        }
        let length = self.received.len().min(buffer.remaining());
        buffer.put_slice(&self.received[..length]);
        self.received.advance(length);
        Poll::Ready(Ok(()))
    }

    /// Returns the result of a write, or an error if no write has succeeded for [`PROGRESS_TIMEOUT`].
    fn check_progress(&mut self, written: Poll<io::Result<usize>>, task: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(result) = &written {
            self.stalled = None;
            self.sent.add(result.as_ref().map_or(0, |sent| *sent), &self.stream);
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(PROGRESS_TIMEOUT)));
        stalled.as_mut().poll(task).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for ResumedStream {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(self.poll_receive(task, buffer))?;
        match self.frames.watch(&buffer.filled()[before..]) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(limit) => {
                buffer.set_filled(before);
                self.exceeded.set(Some(limit));
                // The connection ends now, so that it need not be woken.
                Poll::Pending
            }
        }
    }
}

impl AsyncWrite for ResumedStream {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(task, bytes);
        self.check_progress(written, task)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(task, slices);
        self.check_progress(written, task)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(task)
    }
}
