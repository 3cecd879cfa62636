//! The stream of a connection to a client, and the only guard against clients that keep a connection without using it.
//!
//! actix reads from this stream and writes to it. The stream ends the connection if no head, no request, or no progress
//! of a response comes in time; while a response waits for its client, it receives nothing more.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use actix_rt::net::TcpStream;
use rulebook_model::connection_limits::{FREE_RESPONSE_BYTES, HEAD_TIME, PROGRESS, RESPONSE_MEMORY};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::alarm::Alarm;
use super::connection_limits::{HEAD_TIMEOUT, LINGER_TIMEOUT, PROGRESS_TIMEOUT, RESERVED_HEAD_TIMEOUT};
use super::connection_state::{ConnectionState, Served};
use super::state::ServerState;
use super::tls::TlsStream;
use crate::client_shares::{Share, UsedUp};

/// The number of bytes below which a piece of a request is small.
const SMALL_PIECE_LEN: usize = 512;
/// The number of small pieces that follow each other after which the stream pauses. Each piece wakes the worker, which
/// costs more than all that the worker does with some bytes; during a pause, further pieces become one.
const SMALL_PIECES_BEFORE_PAUSE: u32 = 4;
/// The duration of the first pause. Each further one is twice as long.
const MIN_PAUSE: Duration = Duration::from_millis(16);
/// The duration of the longest pause.
const MAX_PAUSE: Duration = Duration::from_millis(512);

/// The bytes of a connection, with or without TLS.
pub(super) enum Transport {
    Plain(TcpStream),
    /// The stream is boxed. Otherwise it would enlarge the memory of every connection.
    Tls(Box<TlsStream>),
}

impl Transport {
    fn poll_read(&mut self, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(task, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(task, buffer),
        }
    }

    /// Receives no more than this number of bytes.
    fn poll_read_part(&mut self, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>, max: usize) -> Poll<io::Result<()>> {
        let length = max.min(buffer.remaining());
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(length));
        ready!(self.poll_read(task, &mut part))?;
        let received = part.filled().len();
        buffer.advance(received);
        Poll::Ready(Ok(()))
    }
}

/// The stream of a connection to a client.
pub(super) struct ClientStream {
    transport: Transport,
    connection: Rc<ConnectionState>,
    server: Arc<ServerState>,
    peer: SocketAddr,
    keep_alive: Duration,
    alarm: Alarm,
    /// The response that waits because the system accepts no bytes for the client.
    stuck: Option<StuckResponse>,
    /// The number of small pieces that have followed each other, and the number of the request that came before them.
    small_pieces: u32,
    request_of_pieces: u64,
    /// The end of the current pause.
    paused_until: Option<Instant>,
    /// `true` once a response has been sent that says that the connection ends. actix would otherwise wait for the
    /// responses to requests that the client has sent behind it.
    has_ended: bool,
    /// The time until which the server still receives after it has sent its last response.
    lingers_until: Option<Instant>,
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
        transport: Transport,
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
            stuck: None,
            small_pieces: 0,
            request_of_pieces: 0,
            paused_until: None,
            has_ended: false,
            lingers_until: None,
        }
    }

    /// Returns the state of the connection.
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
            Served::Everything => HEAD_TIMEOUT,
            Served::ServerState => RESERVED_HEAD_TIMEOUT,
        };
        let head_since = self.connection.head_since();
        let deadline = match head_since {
            Some(since) => since + head_timeout,
            None => self.connection.idle_since() + self.keep_alive,
        };
        ready!(self.alarm.poll_or_close(deadline, &self.server, task));
        if head_since.is_some() && !self.server.is_closing() {
            self.server.exceeded_limits.count(&HEAD_TIME, Some(self.peer));
        }
        Poll::Ready(Ok(()))
    }

    /// Notes the length of a piece that has been received. After some small pieces, the stream pauses.
    fn count_piece(&mut self, length: usize) {
        self.connection.count_received(length);
        // Over HTTP/2, most frames of a client that receives a response are small.
        if length >= SMALL_PIECE_LEN || length == 0 || self.connection.is_http2 {
            self.small_pieces = 0;
            return;
        }
        let request = self.connection.request_number();
        // A client that sends small requests one after the other gets its responses without a pause.
        self.small_pieces = if request == self.request_of_pieces { self.small_pieces + 1 } else { 1 };
        self.request_of_pieces = request;
        if let Some(further) = self.small_pieces.checked_sub(SMALL_PIECES_BEFORE_PAUSE) {
            let pause = MAX_PAUSE.min(MIN_PAUSE * (1 << further.min(5)));
            self.paused_until = Some(Instant::now() + pause);
        }
    }

    /// Waits for the end of a pause.
    fn poll_pause(&mut self, task: &mut Context<'_>) -> Poll<()> {
        if let Some(until) = self.paused_until {
            ready!(self.alarm.poll(until, task));
            self.paused_until = None;
        }
        Poll::Ready(())
    }

    /// Counts the memory of a response that begins to wait for the client.
    ///
    /// # Errors
    /// Fails if the responses of all clients, or of this client, use too much memory.
    fn keep_response(&self) -> io::Result<StuckResponse> {
        let (since, bytes) = (Instant::now(), self.connection.unsent_body());
        if bytes <= FREE_RESPONSE_BYTES as usize {
            return Ok(StuckResponse { since, _memory: None });
        }
        let client = self.server.limited_peer(Some(self.peer)).map(|peer| peer.ip());
        match self.server.response_memory.take(client, bytes) {
            Ok(share) => Ok(StuckResponse { since, _memory: Some(share) }),
            Err(UsedUp) => {
                self.server.exceeded_limits.count(&RESPONSE_MEMORY, Some(self.peer));
                Err(io::ErrorKind::OutOfMemory.into())
            }
        }
    }

    /// Discards what the client still sends, until it closes its side too or the time is over. Becomes ready at once if
    /// nothing more has arrived or is expected.
    fn poll_linger(&mut self, task: &mut Context<'_>) -> Poll<()> {
        let mut discarded = [0; 4 << 10];
        if self.connection.has_unread_body() {
            self.lingers_until.get_or_insert_with(|| Instant::now() + LINGER_TIMEOUT);
        }
        loop {
            let mut buffer = ReadBuf::new(&mut discarded);
            match self.transport.poll_read(task, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    let until = *self.lingers_until.get_or_insert_with(|| Instant::now() + LINGER_TIMEOUT);
                    // A client that sends without a pause must not prevent the end.
                    if Instant::now() >= until {
                        return Poll::Ready(());
                    }
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => {
                    let Some(until) = self.lingers_until else { return Poll::Ready(()) };
                    return self.alarm.poll(until, task);
                }
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
        if this.has_ended {
            return Poll::Ready(Ok(()));
        }
        if this.stuck.is_some() || !this.connection.can_receive(task) {
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let read = match this.poll_pause(task) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => match this.connection.max_receive_len() {
                Some(max) => this.transport.poll_read_part(task, buffer, max),
                None => this.transport.poll_read(task, buffer),
            },
        };
        match read {
            Poll::Ready(Ok(())) => this.count_piece(buffer.filled().len() - before),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => return this.poll_deadline(task),
        }
        read
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.has_ended {
            return Poll::Ready(Ok(bytes.len()));
        }
        let sent = match &mut this.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_write(task, bytes),
            Transport::Tls(stream) => Pin::new(stream).poll_write(task, bytes),
        };
        this.with_progress(sent, task)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let sent = match &mut this.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_write_vectored(task, slices),
            Transport::Tls(stream) => Pin::new(stream).poll_write_vectored(task, slices),
        };
        this.with_progress(sent, task)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // actix flushes when it has written all bytes that it has.
        if this.connection.closes() && !this.connection.is_handling() && !this.has_ended {
            this.has_ended = true;
            task.waker().wake_by_ref();
        }
        match &mut this.transport {
            // A TCP stream has no buffer.
            Transport::Plain(_) => Poll::Ready(Ok(())),
            Transport::Tls(stream) => {
                let flushed = Pin::new(stream).poll_flush(task);
                this.with_progress(flushed, task)
            }
        }
    }

    /// Closes the sending side of the server. Over TLS, the client learns that this is the end of what it receives
    /// (`close_notify`, RFC 8446 section 6.1). If the client has sent more than the server has read, discards it for a
    /// while: closing the socket would discard the response that the client has not read.
    fn poll_shutdown(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.lingers_until.is_none() {
            let closed = match &mut this.transport {
                Transport::Plain(stream) => Pin::new(stream).poll_shutdown(task),
                Transport::Tls(stream) => Pin::new(stream).poll_shutdown(task),
            };
            ready!(this.with_progress(closed, task))?;
        }
        this.poll_linger(task).map(Ok)
    }
}
