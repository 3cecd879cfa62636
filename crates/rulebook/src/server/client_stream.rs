//! The stream of a connection to a client, and the only guard against clients that keep a connection without using it.
//!
//! actix reads from this stream and writes to it. The stream ends the connection if no head, no request, or no progress
//! of a response comes in time; while a response waits for its client, it receives nothing more.
//!
//! [`ConnectionState`] is what the stream and the services that handle its requests know of each other. [`Position`]
//! finds the parts of HTTP/1 messages in what a client sends, before actix parses it.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use actix_http::RequestHead;
use bytes::{Buf, BytesMut};
use http::header;
use memchr::{memchr, memchr2};
use percent_encoding::{AsciiSet, percent_encode};
use rulebook_model::connection_limits::{FREE_RESPONSE_BYTES, HEAD_TIME, PROGRESS, RESPONSE_MEMORY};
use rulebook_model::error::ErrorCode;
use rulebook_model::model::ServerPath;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connection::{Alarm, HEAD_TIMEOUT, PROGRESS_TIMEOUT, RESERVED_HEAD_TIMEOUT, Transport};
use super::state::ServerState;
use crate::call::{ApiError, TlsSession};
use crate::client_shares::{Share, UsedUp};
use crate::pipeline::Route;

/// How much the server receives beyond the request that it handles, to notice that the client has disconnected.
const MAX_BYTES_AHEAD: usize = 2 << 10;
const SMALL_PIECE_LEN: usize = 512;
/// After this number in a row, the stream pauses: each piece wakes the worker, which costs more than its bytes. In a
/// pause, further ones become one.
const SMALL_PIECES_BEFORE_PAUSE: u32 = 4;
/// The duration of the first pause. Each further one is twice as long.
const MIN_PAUSE: Duration = Duration::from_millis(16);
const MAX_PAUSE: Duration = Duration::from_millis(512);

pub(super) struct ClientStream {
    transport: Rc<RefCell<Transport>>,
    pub(super) connection: Rc<ConnectionState>,
    server: Arc<ServerState>,
    peer: SocketAddr,
    keep_alive: Duration,
    alarm: Alarm,
    /// Received, but not passed to actix.
    ahead: BytesMut,
    is_end: bool,
    stuck: Option<StuckResponse>,
    /// Small pieces in a row, and the number of the request that came before them.
    small_pieces: u32,
    request_of_pieces: u64,
    paused_until: Option<Instant>,
}

/// A response that waits because its client does not receive it.
struct StuckResponse {
    since: Instant,
    _memory: Option<Share>,
}

impl ClientStream {
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

    /// Becomes ready when the connection ends because no bytes arrive: the server then sees the end of the stream.
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

    /// After some small pieces, the stream pauses.
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
            let length = match self.connection.position.get().encode_target(received) {
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
        if let Some(encoded) = self.connection.position.get().encode_target(&self.ahead) {
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

    /// Receives bytes that actix may not have yet, only to notice that the client has disconnected. Becomes ready only
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
            self.connection.waiting.replace(Some(task.waker().clone()));
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

/// What a client can request on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Served {
    Everything,
    /// Everything except the metrics and the readiness, which have an address of their own.
    Api,
    /// Only the state of the server.
    Monitoring,
    /// The state of the server, with a single request that must not take long: all connections of the server are used.
    ServerState,
}

impl Served {
    /// Returns the error for a request with this route; `None` if the client may request it.
    pub(super) fn refuse(self, route: &Route) -> Option<ApiError> {
        let state = match route {
            Route::Server(path) if path.is_server_state() => Some(*path),
            _ => None,
        };
        match self {
            Self::Everything => None,
            // A load balancer asks for the health of each address.
            Self::Api => state.filter(|path| *path != ServerPath::Health).map(|_| ApiError::unknown_service()),
            Self::Monitoring => state.is_none().then(ApiError::unknown_service),
            Self::ServerState => state.is_none().then(|| ApiError::plain(ErrorCode::Unavailable)),
        }
    }
}

/// The state of a connection. Its stream is in one task with the services that handle its requests.
#[derive(Debug)]
pub(super) struct ConnectionState {
    pub(super) served: Served,
    pub(super) tls: Option<Arc<TlsSession>>,
    /// Including those whose responses are being made.
    handled_requests: Cell<usize>,
    request_number: Cell<u64>,
    /// Up to where actix has got what the client sends.
    position: Cell<Position>,
    head_since: Cell<Option<Instant>>,
    idle_since: Cell<Instant>,
    /// Bytes of the current response that wait in memory, besides those that actix has copied.
    pub(super) unsent_body: Cell<usize>,
    /// `true` once a response says that the connection ends.
    closes: Cell<bool>,
    pub(super) has_ended: Cell<bool>,
    /// `true` if the client may still send the body of the last request.
    pub(super) has_unread_body: Cell<bool>,
    /// The task of the connection, while its stream receives nothing until actix may have more.
    waiting: RefCell<Option<Waker>>,
}

impl ConnectionState {
    /// The server waits for the first head from `begun` on.
    pub(super) fn new(begun: Instant, served: Served, tls: Option<Arc<TlsSession>>) -> Self {
        Self {
            served,
            tls,
            handled_requests: Cell::default(),
            request_number: Cell::default(),
            position: Cell::new(Position::Start),
            head_since: Cell::new(Some(begun)),
            idle_since: Cell::new(begun),
            unsent_body: Cell::default(),
            closes: Cell::default(),
            has_ended: Cell::default(),
            has_unread_body: Cell::default(),
            waiting: RefCell::default(),
        }
    }

    /// The request ends when the returned value is dropped.
    pub(super) fn begin_request(self: &Rc<Self>, head: &RequestHead) -> HandledRequest {
        self.request_number.set(self.request_number.get() + 1);
        self.head_since.set(None);
        self.handled_requests.set(self.handled_requests.get() + 1);
        self.position.set(Position::behind(head));
        if !self.must_wait() {
            self.wake();
        }
        HandledRequest(Rc::clone(self))
    }

    /// Returns `true` if actix must not receive more bytes of the client yet: until it has decoded a head, until the
    /// response to a request has been made, and after the last request of the connection (RFC 9112 section 9.6).
    fn must_wait(&self) -> bool {
        match self.position.get() {
            Position::BehindHead => true,
            Position::Start => self.is_handling() || self.closes.get(),
            _ => false,
        }
    }

    /// Returns how many of these bytes actix may have, and notes that it gets them.
    fn pass(&self, bytes: &[u8]) -> usize {
        let mut position = self.position.get();
        if position == Position::Start && !bytes.is_empty() && self.head_since.get().is_none() {
            self.head_since.set(Some(Instant::now()));
        }
        let length = position.advance(bytes);
        self.position.set(position);
        length
    }

    fn is_handling(&self) -> bool {
        self.handled_requests.get() > 0
    }

    pub(super) fn note_close(&self, has_unread_body: bool) {
        self.closes.set(true);
        self.has_unread_body.set(has_unread_body);
    }

    /// Ends the connection if a response says so and all responses have been sent. Returns `true` if it ends now.
    pub(super) fn end(&self) -> bool {
        self.closes.get() && !self.is_handling() && !self.has_ended.replace(true)
    }

    fn wake(&self) {
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }
}

#[derive(Debug)]
pub(super) struct HandledRequest(Rc<ConnectionState>);

impl Drop for HandledRequest {
    fn drop(&mut self) {
        let Self(connection) = self;
        connection.handled_requests.set(connection.handled_requests.get() - 1);
        if connection.is_handling() {
            return;
        }
        connection.unsent_body.set(0);
        connection.idle_since.set(Instant::now());
        connection.wake();
    }
}

/// The ASCII characters that browsers, curl and PHP send in a request target, and that actix refuses there, although it
/// reads them if they are percent-encoded. It also refuses all that is not ASCII.
const REFUSED_IN_TARGET: &AsciiSet = &AsciiSet::EMPTY.add(b'"').add(b'<').add(b'>').add(b'`');

/// The part of a message to which the next byte belongs (RFC 9112 sections 2.1, 6.3 and 7.1).
///
/// actix decodes every head that it has. It keeps several kilobytes for each, and writes a response in the way that the
/// last of them asks for, not that of its own request. The stream therefore gives it one head at a time, and nothing
/// behind the body of a request before its response has been made. Whether a message is valid is for actix to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// The head of the next request. Empty lines before it are ignored (section 2.2).
    Start,
    /// The method of a request, which a blank ends.
    Method,
    /// Also the version behind it: the rest of the first line.
    Target,
    /// A line of a head, which an empty line ends.
    Head {
        is_line_empty: bool,
    },
    BehindHead,
    /// A body; this number of its bytes, at least one, has not been received yet.
    Body(u64),
    /// The size of a chunk, whose digits so far have this value.
    ChunkSize(u64),
    /// The rest of the line with this size of a chunk.
    ChunkExtension(u64),
    /// The data of a chunk; this number of its bytes, at least one, has not been received yet.
    ChunkData(u64),
    ChunkEnd,
    /// A line behind the last chunk, which an empty line ends.
    Trailer {
        is_line_empty: bool,
    },
}

impl Position {
    fn behind(head: &RequestHead) -> Self {
        if head.headers.contains_key(header::TRANSFER_ENCODING) {
            return Self::ChunkSize(0);
        }
        let length = head.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        match length.and_then(|length| length.trim().parse().ok()) {
            Some(length @ 1..) => Self::Body(length),
            _ => Self::Start,
        }
    }

    /// Moves on over bytes, at most to the end of the head or of the body. Returns the number of these bytes.
    fn advance(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        if *self == Self::Start {
            at = bytes.iter().position(|byte| !b"\r\n".contains(byte)).unwrap_or(bytes.len());
            if at < bytes.len() {
                *self = Self::Method;
            }
        }
        while at < bytes.len() && !matches!(self, Self::Start | Self::BehindHead) {
            let (length, next) = self.step(&bytes[at..]);
            at += length;
            *self = next;
        }
        at
    }

    /// Returns the next bytes with a request target that is percent-encoded as far as actix requires it; `None` if
    /// these bytes need no change.
    fn encode_target(self, bytes: &[u8]) -> Option<BytesMut> {
        let target = self.target_in(bytes);
        if !bytes[target.clone()].iter().any(|byte| !byte.is_ascii() || b"\"<>`".contains(byte)) {
            return None;
        }
        let encoded = Cow::from(percent_encode(&bytes[target.clone()], REFUSED_IN_TARGET));
        let mut changed = BytesMut::with_capacity(target.start + encoded.len() + (bytes.len() - target.end));
        changed.extend_from_slice(&bytes[..target.start]);
        changed.extend_from_slice(encoded.as_bytes());
        changed.extend_from_slice(&bytes[target.end..]);
        Some(changed)
    }

    fn target_in(self, bytes: &[u8]) -> Range<usize> {
        let start = match self {
            Self::Start | Self::Method => {
                let method = bytes.iter().position(|byte| self != Self::Start || !b"\r\n".contains(byte));
                let method = method.unwrap_or(bytes.len());
                let end = memchr2(b' ', b'\n', &bytes[method..]).map(|length| method + length);
                end.filter(|end| bytes[*end] == b' ').map_or(bytes.len(), |end| end + 1)
            }
            Self::Target => 0,
            _ => bytes.len(),
        };
        start..memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |length| start + length)
    }

    /// Returns the length of the next element, or of its part in these bytes, and the position behind it.
    fn step(self, bytes: &[u8]) -> (usize, Self) {
        let line_end = || memchr(b'\n', bytes).map(|at| at + 1);
        let line = |is_empty, more: fn(bool) -> Self, end| match line_end() {
            Some(length) if is_empty && matches!(bytes[..length], [b'\n'] | [b'\r', b'\n']) => (length, end),
            Some(length) => (length, more(true)),
            None => (bytes.len(), more(is_empty && bytes == b"\r")),
        };
        let data = |left: u64, more: fn(u64) -> Self, end| {
            let length = left.min(bytes.len() as u64);
            (length as usize, if length == left { end } else { more(left - length) })
        };
        match self {
            Self::Start | Self::BehindHead => (0, self),
            Self::Method => match memchr2(b' ', b'\n', bytes) {
                Some(at) if bytes[at] == b' ' => (at + 1, Self::Target),
                Some(at) => (at + 1, Self::Head { is_line_empty: true }),
                None => (bytes.len(), self),
            },
            Self::Target => {
                line_end().map_or((bytes.len(), self), |length| (length, Self::Head { is_line_empty: true }))
            }
            Self::Head { is_line_empty } => {
                line(is_line_empty, |is_line_empty| Self::Head { is_line_empty }, Self::BehindHead)
            }
            Self::Trailer { is_line_empty } => {
                line(is_line_empty, |is_line_empty| Self::Trailer { is_line_empty }, Self::Start)
            }
            Self::Body(left) => data(left, Self::Body, Self::Start),
            Self::ChunkData(left) => data(left, Self::ChunkData, Self::ChunkEnd),
            Self::ChunkSize(size) => match char::from(bytes[0]).to_digit(16) {
                Some(digit) => (1, Self::ChunkSize(size.saturating_mul(16).saturating_add(digit.into()))),
                None => (0, Self::ChunkExtension(size)),
            },
            Self::ChunkExtension(size) => match (line_end(), size) {
                (None, _) => (bytes.len(), self),
                (Some(length), 0) => (length, Self::Trailer { is_line_empty: true }),
                (Some(length), _) => (length, Self::ChunkData(size)),
            },
            Self::ChunkEnd => line_end().map_or((bytes.len(), self), |length| (length, Self::ChunkSize(0))),
        }
    }
}
