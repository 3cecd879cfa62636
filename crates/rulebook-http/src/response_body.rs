//! The bodies of responses. When a body ends, its connection can be used by other calls; if it fails or is dropped
//! earlier, its connection is closed.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, Sleep, sleep, timeout_at};

use super::address::Origin;
use super::call_limits::CallLimits;
use super::error::UpstreamError;
use super::pool::LeasedConnection;

/// The body of a response while it is received.
pub struct ResponseBody {
    incoming: Incoming,
    /// The connection that receives the body; `None` after the end of the body.
    connection: Option<LeasedConnection>,
}

impl ResponseBody {
    /// Creates the body of a response that arrives on a connection.
    pub fn new(incoming: Incoming, connection: LeasedConnection) -> Self {
        let mut body = Self { incoming, connection: Some(connection) };
        body.give_back_if_ended();
        body
    }

    /// Returns the length that the upstream has announced; `None` if it has not.
    pub fn length(&self) -> Option<u64> {
        self.incoming.size_hint().exact()
    }

    fn give_back_if_ended(&mut self) {
        if self.incoming.is_end_stream()
            && let Some(connection) = self.connection.take()
        {
            connection.give_back();
        }
    }

    /// Returns the next bytes; `None` at the end of the body. Trailers are ignored.
    fn poll_data(&mut self, task: &mut Context<'_>) -> Poll<Option<Result<Bytes, UpstreamError>>> {
        loop {
            if self.connection.is_none() {
                return Poll::Ready(None);
            }
            match ready!(Pin::new(&mut self.incoming).poll_frame(task)) {
                None => {
                    if let Some(connection) = self.connection.take() {
                        connection.give_back();
                    }
                }
                Some(Ok(frame)) => {
                    self.give_back_if_ended();
                    if let Ok(bytes) = frame.into_data() {
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                }
                Some(Err(error)) => {
                    self.connection = None;
                    return Poll::Ready(Some(Err(UpstreamError::from_connection(error))));
                }
            }
        }
    }

    /// Receives the whole body.
    ///
    /// # Errors
    /// Fails if the body has more than `max` bytes, is incomplete, or does not arrive before the deadline.
    pub async fn receive(mut self, max: usize, limits: &CallLimits, deadline: Instant) -> Result<Bytes, UpstreamError> {
        if self.length().is_some_and(|length| length > max as u64) {
            return Err(UpstreamError::TooLarge(max));
        }
        let mut received = Vec::new();
        loop {
            let next = timeout_at(deadline, poll_fn(|task| self.poll_data(task))).await;
            let Some(bytes) = next.map_err(|_| UpstreamError::Timeout(limits.timeout))?.transpose()? else {
                return Ok(received.into());
            };
            if bytes.len() > max - received.len() {
                return Err(UpstreamError::TooLarge(max));
            }
            if received.is_empty() && self.connection.is_none() {
                // The first bytes are the whole body.
                return Ok(bytes);
            }
            received.extend_from_slice(&bytes);
        }
    }

    /// Converts the body to a stream that fails if the upstream sends nothing for `max_pause`. `origin` is for the log.
    pub fn into_stream(self, origin: Origin, max_pause: Duration) -> BodyStream {
        BodyStream { body: self, origin, max_pause, pause: None }
    }
}

/// The body of a response as a stream. The upstream is read only as fast as the stream is polled.
pub struct BodyStream {
    body: ResponseBody,
    origin: Origin,
    max_pause: Duration,
    /// Ends when the upstream has sent nothing for too long; `None` while the stream does not wait for it.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Stream for BodyStream {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let stream = &mut *self;
        let failed = |error: UpstreamError| io::Error::other(format!("the upstream {}: {error}", stream.origin));
        if let Poll::Ready(next) = stream.body.poll_data(task) {
            stream.pause = None;
            return Poll::Ready(next.map(|bytes| bytes.map_err(failed)));
        }
        let max_pause = stream.max_pause;
        let pause = stream.pause.get_or_insert_with(|| Box::pin(sleep(max_pause)));
        ready!(pause.as_mut().poll(task));
        stream.body.connection = None;
        Poll::Ready(Some(Err(failed(UpstreamError::Timeout(max_pause)))))
    }
}
