//! The stream of an HTTP/2 connection. Some bytes have been received already, because they show that the client speaks
//! HTTP/2. Writing fails if the client receives nothing for too long, which `h2` does not notice, and nothing more is
//! read once the client has exceeded a limit with what it has sent.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_rt::time::{Sleep, sleep};
use bytes::{Buf, BytesMut};
use rulebook_model::connection_limits::{ConnectionLimit, FREE_REQUEST_BYTES, REQUEST_MEMORY};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connection_state::ConnectionState;
use super::received_frames::ReceivedFrames;
use super::sent_frames::SentFrames;
use crate::client_shares::ClientShares;
use crate::server::client_stream::ClientStream;
use crate::server::connection_limits::PROGRESS_TIMEOUT;
use crate::server::request_memory::ReservedMemory;
use crate::server::unsent_bytes::SentBytes;

/// A stream whose first reads return the bytes that have been received already.
pub(super) struct ResumedStream {
    received: BytesMut,
    stream: ClientStream,
    /// Runs while the client does not receive what the server sends.
    stalled: Option<Pin<Box<Sleep>>>,
    sent: SentBytes,
    sent_frames: SentFrames,
    received_frames: ReceivedFrames,
    /// The memory of an incomplete head.
    head_memory: ReservedMemory,
    request_memory: Arc<ClientShares>,
    /// The address whose use of memory is limited: none for a proxy.
    client: Option<IpAddr>,
    state: Rc<ConnectionState>,
}

impl ResumedStream {
    /// Creates the stream of a connection. What it observes is stored in `state`.
    pub(super) fn new(
        mut stream: ClientStream,
        received: BytesMut,
        request_memory: &Arc<ClientShares>,
        client: Option<IpAddr>,
        state: &Rc<ConnectionState>,
    ) -> Self {
        // A proxy sends the requests of several clients on one connection.
        stream.tcp().set_can_pause(client.is_some());
        Self {
            received,
            stream,
            stalled: None,
            sent: SentBytes::default(),
            sent_frames: SentFrames::default(),
            received_frames: ReceivedFrames::default(),
            head_memory: ReservedMemory::default(),
            request_memory: Arc::clone(request_memory),
            client,
            state: Rc::clone(state),
        }
    }

    /// Watches bytes that have been received.
    ///
    /// # Errors
    /// Returns the limit that the client exceeds.
    fn watch(&mut self, received: &[u8]) -> Result<(), ConnectionLimit> {
        self.received_frames.permit_updates(0, self.state.sent_parts.take());
        self.received_frames.permit_fields(self.state.joined_fields.take());
        self.received_frames.watch(received)?;
        if self.received_frames.take_completed() {
            self.stream.tcp().begin_request();
        } else {
            self.stream.tcp().count_piece(received.len());
        }
        self.state.has_long_head.set(self.received_frames.take_long_head());
        self.state.head_begun.set(self.received_frames.head_begun());
        let length = self.received_frames.incomplete_head_len();
        if length > FREE_REQUEST_BYTES {
            return self
                .head_memory
                .grow_to(length as usize, &self.request_memory, self.client)
                .map_err(|_| REQUEST_MEMORY);
        }
        if self.head_memory.is_counted() {
            self.head_memory = ReservedMemory::default();
        }
        Ok(())
    }

    /// Counts the frames in the first `sent` bytes of what was to be sent.
    fn count_sent<'b>(&mut self, sent: usize, output: impl IntoIterator<Item = &'b [u8]>) {
        self.received_frames.permit_updates(sent as u64, 0);
        let mut left = sent;
        for bytes in output {
            let used = left.min(bytes.len());
            left -= used;
            ConnectionState::add(&self.state.refused_requests, self.sent_frames.watch(&bytes[..used]));
        }
    }

    fn poll_receive(&mut self, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.received.is_empty() {
            ready!(self.stream.tcp().poll_pause(task));
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
            if let (Ok(sent), Ok(stream)) = (result, self.stream.system()) {
                self.sent.add(*sent, stream);
            }
            return written;
        }
        self.sent.wait();
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(PROGRESS_TIMEOUT)));
        stalled.as_mut().poll(task).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for ResumedStream {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // `h2` reads as long as there are bytes, but fields are joined only when requests are handled. The task need
        // not be woken, because it handles them now.
        if self.state.has_long_head.get() {
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        ready!(self.poll_receive(task, buffer))?;
        match self.watch(&buffer.filled()[before..]) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(limit) => {
                buffer.set_filled(before);
                self.state.exceeded.set(Some(limit));
                // The connection ends now, so that it need not be woken.
                Poll::Pending
            }
        }
    }
}

impl AsyncWrite for ResumedStream {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(task, bytes);
        if let Poll::Ready(Ok(sent)) = written {
            self.count_sent(sent, [bytes]);
        }
        self.check_progress(written, task)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(task, slices);
        if let Poll::Ready(Ok(sent)) = written {
            self.count_sent(sent, slices.iter().map(|slice| &**slice));
        }
        self.check_progress(written, task)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(task)
    }
}
