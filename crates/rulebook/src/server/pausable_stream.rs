//! The stream of a connection, which pauses while a client sends a request in small pieces.
//!
//! Each piece wakes the worker, and a wake costs more than all that the worker does with some bytes. During a pause,
//! further pieces become one.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_rt::net::TcpStream;
use actix_rt::time::{Sleep, sleep};

/// The number of bytes below which a piece of a request is small.
const SMALL_PIECE_LEN: usize = 512;
/// The number of small pieces of a request after which the server pauses.
const SMALL_PIECES_BEFORE_PAUSE: u32 = 4;
/// The duration of the first pause of a request. Then the server pauses after each small piece, twice as long as
/// before.
const MIN_PAUSE: Duration = Duration::from_millis(16);
/// The duration of the longest pause.
const MAX_PAUSE: Duration = Duration::from_millis(512);

/// A stream that can be paused.
pub(super) struct PausableStream {
    state: State,
    /// `false` for a stream that never pauses.
    can_pause: bool,
    /// The number of small pieces of the current request.
    small_pieces: u32,
    /// The duration of the next pause.
    next_pause: Duration,
}

enum State {
    Active(TcpStream),
    /// The system does not wake the worker for bytes that arrive.
    Paused(std::net::TcpStream, Pin<Box<Sleep>>),
    /// The system has failed to stop or to continue watching the stream, which is closed then.
    Broken,
}

impl PausableStream {
    /// Creates the stream of a connection. `can_pause` is `false` if a pause would delay requests of other clients.
    pub(super) fn new(stream: TcpStream, can_pause: bool) -> Self {
        Self { state: State::Active(stream), can_pause, small_pieces: 0, next_pause: MIN_PAUSE }
    }

    /// Sets whether the stream can pause, as for [`PausableStream::new`].
    #[cfg_attr(not(feature = "http2"), expect(dead_code, reason = "all connections can pause"))]
    pub(super) fn set_can_pause(&mut self, can_pause: bool) {
        self.can_pause = can_pause;
    }

    /// Notes that the next bytes belong to another request.
    #[inline]
    pub(super) fn begin_request(&mut self) {
        (self.small_pieces, self.next_pause) = (0, MIN_PAUSE);
    }

    /// Notes the length of a piece that has been received. After some small pieces of a request, the stream pauses.
    #[inline]
    pub(super) fn count_piece(&mut self, length: usize) {
        if length >= SMALL_PIECE_LEN || length == 0 || !self.can_pause {
            return;
        }
        self.small_pieces += 1;
        if self.small_pieces >= SMALL_PIECES_BEFORE_PAUSE {
            self.pause();
        }
    }

    fn pause(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Broken) {
            State::Active(stream) => match stream.into_std() {
                Ok(stream) => State::Paused(stream, Box::pin(sleep(self.next_pause))),
                Err(_) => State::Broken,
            },
            other => other,
        };
        self.next_pause = MAX_PAUSE.min(self.next_pause * 2);
    }

    /// Waits for the end of a pause.
    #[inline]
    pub(super) fn poll_pause(&mut self, task: &mut Context<'_>) -> Poll<()> {
        match &mut self.state {
            State::Paused(_, sleep) => sleep.as_mut().poll(task),
            State::Active(_) | State::Broken => Poll::Ready(()),
        }
    }

    /// Returns the stream, and ends a pause.
    ///
    /// # Errors
    /// Fails if the system cannot continue to watch the stream.
    #[inline]
    pub(super) fn get(&mut self) -> io::Result<&mut TcpStream> {
        if matches!(self.state, State::Paused(..)) {
            self.end_pause()?;
        }
        match &mut self.state {
            State::Active(stream) => Ok(stream),
            State::Paused(..) | State::Broken => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    #[cold]
    fn end_pause(&mut self) -> io::Result<()> {
        if let State::Paused(stream, _) = std::mem::replace(&mut self.state, State::Broken) {
            self.state = State::Active(TcpStream::from_std(stream)?);
        }
        Ok(())
    }
}
