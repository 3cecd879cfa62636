//! The bodies of responses.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use futures_util::stream::try_unfold;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, timeout, timeout_at};

use super::address::Origin;
use super::error::UpstreamError;
use super::settings::CallLimits;
use super::upstream::LeasedConnection;

/// The body of a response while it is received.
pub struct ResponseBody {
    incoming: Incoming,
    /// The connection that receives the body; `None` after the end of the body.
    connection: Option<LeasedConnection>,
}

impl ResponseBody {
    pub fn new(incoming: Incoming, connection: LeasedConnection) -> Self {
        let mut body = Self { incoming, connection: Some(connection) };
        body.give_back_if(body.incoming.is_end_stream());
        body
    }

    /// Returns the length that the upstream has announced; `None` if it has not.
    pub fn length(&self) -> Option<u64> {
        self.incoming.size_hint().exact()
    }

    fn give_back_if(&mut self, has_ended: bool) {
        if let Some(connection) = self.connection.take_if(|_| has_ended) {
            connection.give_back();
        }
    }

    /// Returns the next bytes; `None` at the end of the body. Trailers are ignored.
    async fn next(&mut self) -> Result<Option<Bytes>, UpstreamError> {
        while self.connection.is_some() {
            match self.incoming.frame().await {
                None => self.give_back_if(true),
                Some(Ok(frame)) => {
                    self.give_back_if(self.incoming.is_end_stream());
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
                Some(Err(error)) => {
                    self.connection = None;
                    return Err(UpstreamError::from_connection(error));
                }
            }
        }
        Ok(None)
    }

    /// Receives the whole body.
    /// Fails if the body has more than `max` bytes, is incomplete, or does not arrive before the deadline.
    pub async fn receive(mut self, max: usize, limits: &CallLimits, deadline: Instant) -> Result<Bytes, UpstreamError> {
        if self.length().is_some_and(|length| length > max as u64) {
            return Err(UpstreamError::TooLarge(max));
        }
        let mut received = Vec::new();
        loop {
            let next = timeout_at(deadline, self.next()).await.map_err(|_| UpstreamError::Timeout(limits.timeout))?;
            let Some(bytes) = next? else { return Ok(received.into()) };
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

    /// Converts the body to a stream, which fails if the upstream sends nothing for `max_pause`. The upstream is read
    /// only as fast as the stream is polled. `origin` is for the log.
    pub fn into_stream(
        self,
        origin: Origin,
        max_pause: Duration,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        try_unfold((self, origin), move |(mut body, origin)| async move {
            let next = timeout(max_pause, body.next()).await.unwrap_or(Err(UpstreamError::Timeout(max_pause)));
            let next = next.map_err(|error| io::Error::other(format!("the upstream {origin}: {error}")))?;
            Ok(next.map(|bytes| (bytes, (body, origin))))
        })
    }
}
