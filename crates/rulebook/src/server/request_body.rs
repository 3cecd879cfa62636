//! The body of a request, which is read piece by piece while it arrives.

use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::Payload;
use actix_rt::time::timeout;
use bytes::Bytes;
use futures_core::Stream;
use http::header;
use rulebook_model::connection_limits::FREE_REQUEST_BYTES;

use super::alarm::BodyTimer;
use crate::call::Head;
use crate::client_shares::{ClientShares, Share, UsedUp};

/// The maximum number of bytes of an unused body that the server reads to keep the connection open for further
/// requests.
const MAX_DRAINED_BYTES: u64 = 64 << 10;
/// The maximum time for which the server reads an unused body to keep the connection open.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(100);

pub(super) struct RequestBody {
    payload: Payload,
    /// The length of the body in bytes, if the head announces it; `None` if there is no body.
    pub(super) announced_length: Option<u64>,
    pub(super) received_bytes: u64,
    /// How often the server has waited for bytes of the body, without a time limit.
    pub(super) waits: u8,
    /// Measures the time limit; `None` until the server first waits for the body. It is boxed because few requests need
    /// it, and each moves this value.
    pub(super) timer: Option<Box<BodyTimer>>,
    state: BodyState,
    pub(super) memory: ReservedMemory,
    /// Bytes that were read to find the method. The next call of [`RequestBody::poll_next`] returns them again.
    replayed_bytes: Option<Bytes>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyState {
    Receiving,
    Ended,
    Failed,
}

impl RequestBody {
    pub(super) fn new(payload: Payload, head: &Head) -> Self {
        let state = if matches!(payload, Payload::None) { BodyState::Ended } else { BodyState::Receiving };
        let length = || head.get(&header::CONTENT_LENGTH).and_then(|length| length.trim().parse().ok());
        let announced_length = match payload {
            Payload::None => None,
            // Without these fields, a request has no body (RFC 9112 section 6.3), also one that asks for an upgrade.
            Payload::H1 { .. } if head.get(&header::TRANSFER_ENCODING).is_none() => length().or(Some(0)),
            _ => length(),
        };
        Self {
            payload,
            announced_length,
            received_bytes: 0,
            waits: 0,
            timer: None,
            state,
            memory: ReservedMemory::default(),
            replayed_bytes: None,
        }
    }

    /// Returns the next bytes of the body; `None` at the end of the body.
    pub(super) fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(bytes) = self.replayed_bytes.take() {
            self.received_bytes += bytes.len() as u64;
            return Poll::Ready(Some(Ok(bytes)));
        }
        if self.state != BodyState::Receiving {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut self.payload).poll_next(task);
        let mut polled = polled.map(|next| next.map(|read| read.map_err(io::Error::other)));
        if let (Payload::H1 { .. }, Some(length)) = (&self.payload, self.announced_length) {
            let rest = length.saturating_sub(self.received_bytes);
            match &mut polled {
                // For actix, the body of a request with `Upgrade: websocket` or the method CONNECT is everything that
                // follows on the connection, which therefore ends after the response.
                Poll::Pending | Poll::Ready(Some(_)) if rest == 0 => {
                    self.mark_failed();
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(Ok(bytes))) => bytes.truncate(usize::try_from(rest).unwrap_or(usize::MAX)),
                _ => {}
            }
        }
        match &polled {
            Poll::Ready(Some(Ok(bytes))) => self.received_bytes += bytes.len() as u64,
            Poll::Ready(Some(Err(_))) => self.state = BodyState::Failed,
            Poll::Ready(None) => self.state = BodyState::Ended,
            Poll::Pending => {}
        }
        polled
    }

    /// Puts back bytes that have been read. The next call of [`RequestBody::poll_next`] returns them again.
    pub(super) fn put_back(&mut self, bytes: Bytes) {
        self.received_bytes -= bytes.len() as u64;
        // Their memory is reserved when they are returned again.
        self.memory = ReservedMemory::default();
        self.replayed_bytes = Some(bytes).filter(|bytes| !bytes.is_empty());
    }

    /// Marks the body as failed, so that no more of it is read.
    pub(super) fn mark_failed(&mut self) {
        self.state = BodyState::Failed;
    }

    /// Returns `true` if a part of the body is unread that keeps the connection from being used for further requests.
    /// On an HTTP/2 connection, a body does not need to be read before the next request.
    pub(super) fn must_be_drained(&self) -> bool {
        self.state != BodyState::Ended && !is_http2(&self.payload)
    }

    /// Reads and discards the unread part of a body that [must be drained](RequestBody::must_be_drained), so that the
    /// connection can be used for further requests. If the unread part is too long or arrives too slowly, returns the
    /// payload; the connection has to be closed then.
    pub(super) async fn drain(mut self) -> Option<Payload> {
        let max = self.received_bytes + MAX_DRAINED_BYTES;
        if self.state == BodyState::Failed || self.announced_length.is_some_and(|length| length > max) {
            return Some(self.payload);
        }
        let all = async {
            while self.received_bytes <= max {
                if poll_fn(|task| self.poll_next(task)).await.is_none() {
                    break;
                }
            }
        };
        // If the time is over, the state is still `Receiving`.
        let _ = timeout(DRAIN_TIMEOUT, all).await;
        (self.state != BodyState::Ended).then_some(self.payload)
    }
}

/// Returns `true` for the body of an HTTP/2 request. The variant for HTTP/2 is not named, because it exists only if the
/// program enables HTTP/2 of actix.
fn is_http2(payload: &Payload) -> bool {
    !matches!(payload, Payload::None | Payload::H1 { .. } | Payload::Stream { .. })
}

/// The memory for the body of one request, until this value is dropped. Each request has limits too, but many clients
/// could send long requests at the same time, and never complete them.
#[derive(Debug, Default)]
pub(super) struct ReservedMemory {
    pub(super) length: usize,
    /// The part of the memory for all requests; `None` while the bytes are few.
    share: Option<Share>,
}

impl ReservedMemory {
    /// Reserves memory for this number of bytes in total. The first [`FREE_REQUEST_BYTES`] are not counted, so that the
    /// workers rarely write to the same counter.
    ///
    /// # Errors
    /// Fails if the requests of all clients, or of this client, would use too much memory. Nothing is reserved then.
    #[inline]
    pub(super) fn grow_to(
        &mut self,
        length: usize,
        memory: &Arc<ClientShares>,
        client: Option<IpAddr>,
    ) -> Result<(), UsedUp> {
        if length <= self.length.max(FREE_REQUEST_BYTES as usize) {
            self.length = self.length.max(length);
            return Ok(());
        }
        self.grow_share(length, memory, client)
    }

    fn grow_share(&mut self, length: usize, memory: &Arc<ClientShares>, client: Option<IpAddr>) -> Result<(), UsedUp> {
        match &mut self.share {
            Some(share) => share.grow(length - self.length)?,
            None => self.share = Some(memory.take(client, length)?),
        }
        self.length = length;
        Ok(())
    }
}
