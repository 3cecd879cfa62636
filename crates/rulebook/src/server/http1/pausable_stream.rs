//! The stream of a connection, which can be paused.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_rt::net::TcpStream;
use actix_rt::time::{Sleep, sleep};

/// A stream. While it is paused, the system does not wake the worker for bytes that arrive.
pub(super) enum PausableStream {
    Active(TcpStream),
    Paused(std::net::TcpStream, Pin<Box<Sleep>>),
    /// The system has failed to stop or to continue watching the stream, which is closed then.
    Broken,
}

impl PausableStream {
    /// Pauses the stream for this time.
    pub(super) fn pause(&mut self, duration: Duration) {
        *self = match std::mem::replace(self, Self::Broken) {
            Self::Active(stream) => match stream.into_std() {
                Ok(stream) => Self::Paused(stream, Box::pin(sleep(duration))),
                Err(_) => Self::Broken,
            },
            other => other,
        };
    }

    /// Waits for the end of a pause.
    pub(super) fn poll_pause(&mut self, task: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Paused(_, sleep) => sleep.as_mut().poll(task),
            Self::Active(_) | Self::Broken => Poll::Ready(()),
        }
    }

    /// Returns the stream, and ends a pause.
    ///
    /// # Errors
    /// Fails if the system cannot continue to watch the stream.
    pub(super) fn get(&mut self) -> io::Result<&mut TcpStream> {
        if matches!(self, Self::Paused(..))
            && let Self::Paused(stream, _) = std::mem::replace(self, Self::Broken)
        {
            *self = Self::Active(TcpStream::from_std(stream)?);
        }
        match self {
            Self::Active(stream) => Ok(stream),
            Self::Paused(..) | Self::Broken => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Ends a pause, and returns the stream; `None` if the system cannot continue to watch it.
    pub(super) fn into_active(self) -> Option<TcpStream> {
        match self {
            Self::Active(stream) => Some(stream),
            Self::Paused(stream, _) => TcpStream::from_std(stream).ok(),
            Self::Broken => None,
        }
    }
}
