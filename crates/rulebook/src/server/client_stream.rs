//! The stream of a connection to a client, and the only guard against clients that keep a connection without using it.
//!
//! actix reads from this stream and writes to it. The stream ends the connection if no head, no request, or no progress
//! of a response comes in time; while a response waits for its client, it receives nothing more.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use rulebook_model::connection_limits::{FREE_RESPONSE_BYTES, HEAD_TIME, PROGRESS, RESPONSE_MEMORY};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::alarm::Alarm;
use super::connection::Transport;
use super::connection_limits::{HEAD_TIMEOUT, PROGRESS_TIMEOUT, RESERVED_HEAD_TIMEOUT};
use super::connection_state::{ConnectionState, Served};
use super::state::ServerState;
use crate::client_shares::{Share, UsedUp};

/// The number of bytes that the server receives beyond the request that it handles, to notice that the client has
/// disconnected.
const MAX_BYTES_AHEAD: usize = 2 << 10;
const SMALL_PIECE_LEN: usize = 512;
/// The number of small pieces that follow each other after which the stream pauses. Each piece wakes the worker, which
/// costs more than all that the worker does with some bytes; during a pause, further pieces become one.
const SMALL_PIECES_BEFORE_PAUSE: u32 = 4;
/// The duration of the first pause. Each further one is twice as long.
const MIN_PAUSE: Duration = Duration::from_millis(16);
const MAX_PAUSE: Duration = Duration::from_millis(512);

pub(super) struct ClientStream {
    transport: Rc<RefCell<Transport>>,
    connection: Rc<ConnectionState>,
    server: Arc<ServerState>,
    peer: SocketAddr,
    keep_alive: Duration,
    alarm: Alarm,
    /// What has been received, but not passed to actix.
    ahead: BytesMut,
    /// `true` once the client has closed its side.
    is_end: bool,
    /// The response that waits because the system accepts no bytes for the client.
    stuck: Option<StuckResponse>,
    /// The number of small pieces that have followed each other, and the number of the request that came before them.
    small_pieces: u32,
    request_of_pieces: u64,
    paused_until: Option<Instant>,
}

/// A response that waits because its client does not receive it.
struct StuckResponse {
    since: Instant,
    /// The part of the memory for such responses that this one uses.
    _memory: Option<Share>,
}

impl ClientStream {
    /// Returns the stream of a connection. It ends the connection when no request has arrived for `keep_alive`.
    pub(super) fn new(
        transport: Rc<RefCell<Transport>>,
        connection: Rc<ConnectionState>,
        server: &Arc<ServerState>,
        peer: SocketAddr,
        keep_alive: Duration,
    ) -> Self {
        let alarm = Alarm::new(server, Instant::now() + HEAD_TIMEOUT);
        Self {
            transport,
            connection,
            server: Arc::clone(server),
            peer,
            keep_alive,
            alarm,
            ahead: BytesMut::new(),
            is_end: false,
            stuck: None,
            small_pieces: 0,
            request_of_pieces: 0,
            paused_until: None,
        }
    }

    pub(super) fn connection(&self) -> &Rc<ConnectionState> {
        &self.connection
    }

    /// Waits for the time at which the connection ends because no bytes arrive. Becomes ready at this time: the server
    /// then sees the end of the stream.
    fn poll_deadline(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.connection.is_handling() {
            // The handler may take as long as it needs; the time limits of bodies are elsewhere. The task only has to
            // be woken when the connection may have become idle.
            let _ = self.alarm.poll(Instant::now() + self.keep_alive, task);
            return Poll::Pending;
        }
        let head_timeout = match self.connection.served {
            Served::Everything | Served::Api | Served::Monitoring => HEAD_TIMEOUT,
            Served::ServerState => RESERVED_HEAD_TIMEOUT,
        };
        let head_since = self.connection.head_since.get();
        let deadline = match head_since {
            Some(since) => since + head_timeout,
            None => self.connection.idle_since.get() + self.keep_alive,
        };
        ready!(self.alarm.poll_or_close(deadline, &self.server, task));
        if head_since.is_some() && !self.server.is_closing() {
            self.server.exceeded_limits.count(&HEAD_TIME, Some(self.peer));
        }
        Poll::Ready(Ok(()))
    }

    /// Notes the length of a piece that has been received. After some small pieces, the stream pauses.
    fn count_piece(&mut self, length: usize) {
        if length >= SMALL_PIECE_LEN || length == 0 {
            self.small_pieces = 0;
            return;
        }
        let request = self.connection.request_number.get();
        // A client that sends small requests one after the other gets its responses without a pause.
        self.small_pieces = if request == self.request_of_pieces { self.small_pieces + 1 } else { 1 };
        self.request_of_pieces = request;
        if let Some(further) = self.small_pieces.checked_sub(SMALL_PIECES_BEFORE_PAUSE) {
            let pause = MAX_PAUSE.min(MIN_PAUSE * (1 << further.min(5)));
            self.paused_until = Some(Instant::now() + pause);
        }
    }

    fn poll_receive(&mut self, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.connection.must_wait() {
            return self.poll_ahead(task);
        }
        if self.ahead.is_empty() && !self.is_end {
            let begin = buffer.filled().len();
            ready!(self.poll_pause(task));
            ready!(Pin::new(&mut *self.transport.borrow_mut()).poll_read(task, buffer))?;
            let received = &buffer.filled()[begin..];
            let length = match self.connection.encode_target(received) {
                None => self.connection.pass(received),
                // There may be no memory for the longer bytes in the buffer.
                Some(_) => 0,
            };
            self.ahead.extend_from_slice(&received[length..]);
            let received = received.len();
            buffer.set_filled(begin + length);
            self.count_piece(received);
            if length > 0 || received == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        if let Some(encoded) = self.connection.encode_target(&self.ahead) {
            self.ahead = encoded;
        }
        let length = self.connection.pass(&self.ahead[..self.ahead.len().min(buffer.remaining())]);
        buffer.put_slice(&self.ahead[..length]);
        self.ahead.advance(length);
        // Only a little memory is kept for the next request.
        if self.ahead.is_empty() && self.ahead.try_reclaim(MAX_BYTES_AHEAD + 1) {
            self.ahead = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }

    /// Receives some bytes that actix may not have yet, to notice that the client has disconnected. Becomes ready only
    /// then.
    fn poll_ahead(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.ahead.len() < MAX_BYTES_AHEAD && !self.is_end {
            let mut memory = [MaybeUninit::uninit(); MAX_BYTES_AHEAD];
            let mut buffer = ReadBuf::uninit(&mut memory);
            if self.poll_pause(task).is_pending() {
                break;
            }
            let read = Pin::new(&mut *self.transport.borrow_mut()).poll_read(task, &mut buffer);
            let Poll::Ready(read) = read else { break };
            read?;
            self.count_piece(buffer.filled().len());
            self.is_end = buffer.filled().is_empty();
            self.ahead.extend_from_slice(buffer.filled());
        }
        if self.is_end && self.ahead.is_empty() {
            return Poll::Ready(Ok(()));
        }
        if !self.ahead.is_empty() {
            self.connection.wake_later(task);
        }
        Poll::Pending
    }

    fn poll_pause(&mut self, task: &mut Context<'_>) -> Poll<()> {
        if let Some(until) = self.paused_until {
            ready!(self.alarm.poll(until, task));
            self.paused_until = None;
        }
        Poll::Ready(())
    }

    /// Counts the memory of a response that begins to wait for the client.
    fn keep_response(&self) -> io::Result<StuckResponse> {
        let (since, bytes) = (Instant::now(), self.connection.unsent_body.get());
        if bytes <= FREE_RESPONSE_BYTES as usize {
            return Ok(StuckResponse { since, _memory: None });
        }
        match self.server.response_memory.take(self.server.limited_client(self.peer), bytes) {
            Ok(share) => Ok(StuckResponse { since, _memory: Some(share) }),
            Err(UsedUp) => {
                self.server.exceeded_limits.count(&RESPONSE_MEMORY, Some(self.peer));
                Err(io::ErrorKind::OutOfMemory.into())
            }
        }
    }

    /// Limits the time in which the system accepts no bytes for the client.
    fn with_progress<T>(&mut self, sent: Poll<io::Result<T>>, task: &mut Context<'_>) -> Poll<io::Result<T>> {
        if sent.is_ready() {
            if self.stuck.take().is_some() {
                // While the response was waiting, nothing has been received.
                task.waker().wake_by_ref();
            }
            return sent;
        }
        let since = match &self.stuck {
            Some(stuck) => stuck.since,
            None => self.stuck.insert(self.keep_response()?).since,
        };
        ready!(self.alarm.poll(since + PROGRESS_TIMEOUT, task));
        self.server.exceeded_limits.count(&PROGRESS, Some(self.peer));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.connection.has_ended.get() {
            return Poll::Ready(Ok(()));
        }
        if this.stuck.is_some() {
            return Poll::Pending;
        }
        let received = this.poll_receive(task, buffer);
        if received.is_pending() { this.poll_deadline(task) } else { received }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.connection.has_ended.get() {
            return Poll::Ready(Ok(bytes.len()));
        }
        let sent = Pin::new(&mut *this.transport.borrow_mut()).poll_write(task, bytes);
        this.with_progress(sent, task)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let sent = Pin::new(&mut *this.transport.borrow_mut()).poll_write_vectored(task, slices);
        this.with_progress(sent, task)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.borrow().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // actix flushes when it has written all bytes that it has.
        if this.connection.end() {
            task.waker().wake_by_ref();
        }
        let flushed = Pin::new(&mut *this.transport.borrow_mut()).poll_flush(task);
        this.with_progress(flushed, task)
    }

    /// Does nothing: the transport is closed when actix has ended, see `end_connection`.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
