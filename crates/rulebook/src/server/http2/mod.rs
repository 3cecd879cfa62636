//! HTTP/2 (RFC 9113), over TLS, or without it, as some proxies speak it to servers. The crate `h2` implements the
//! protocol.
//!
//! A client costs no more over HTTP/2 than over HTTP/1: the number of its concurrent requests and the size of a head
//! are limited, and a connection or a response without progress is closed.

mod connection_state;
mod exchange;
mod field_counter;
#[cfg(test)]
mod fuzz_tests;
mod received_frames;
mod received_head;
mod refuse;
mod resumed_stream;
mod send;
mod send_memory;
mod sent_frames;

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use futures_core::Stream;
use futures_util::stream::FuturesUnordered;
use h2::Reason;
use h2::server::{Builder, Connection};
use rulebook_model::connection_limits::{
    HEAD_TIME, HTTP2_REQUESTS, MAX_HTTP2_FIELDS, MAX_HTTP2_HEAD_BYTES, MAX_HTTP2_REQUESTS, PROGRESS,
};

use tokio::time::timeout_at;

use connection_state::ConnectionState;
pub(super) use exchange::BodyReceiver;
use exchange::{RequestContext, respond};
use resumed_stream::ResumedStream;
use send_memory::{BodyPart, SendMemory};

use super::alarm::Alarm;
use super::client_stream::ClientStream;
use super::connection_limits::{HEAD_TIMEOUT, LINGER_TIMEOUT, PROGRESS_TIMEOUT};
use super::open_connections;
use super::worker::Worker;

/// The number of bytes of a request's body that a client may send before the server has read them.
const WINDOW_SIZE: u32 = 256 << 10;
/// The same number for all requests of a connection together.
const CONNECTION_WINDOW_SIZE: u32 = 1 << 20;
/// The maximum size of the fields of a head for `h2`, which responds to longer heads itself. It is more than all fields
/// that [`received_frames`] permits can have: their bytes, and references to the table of 4096 bytes.
const MAX_FIELDS_SIZE: u32 = (MAX_HTTP2_HEAD_BYTES * 2 + MAX_HTTP2_FIELDS * (4096 + 32)) as u32;

/// The time after which a connection is closed if the windows of the client stop all responses. If the client receives
/// no bytes at all, writing fails earlier.
const STALLED_TIMEOUT: Duration = PROGRESS_TIMEOUT.saturating_add(LINGER_TIMEOUT);

/// Serves a connection whose client speaks HTTP/2, until the connection is closed. `received` contains the bytes that
/// have been received.
///
/// The head of the first request must be complete before `deadline`.
pub(super) async fn serve(
    stream: ClientStream,
    peer: SocketAddr,
    received: BytesMut,
    counted: Counted<'_>,
    deadline: Instant,
    keep_alive: Duration,
) {
    let (peer, worker) = (Some(peer), counted.worker);
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(MAX_HTTP2_REQUESTS as u32)
        .max_header_list_size(MAX_FIELDS_SIZE)
        .initial_window_size(WINDOW_SIZE)
        .initial_connection_window_size(CONNECTION_WINDOW_SIZE);
    let state = Rc::new(ConnectionState::default());
    let client = worker.state().limited_peer(peer).map(|peer| peer.ip());
    let tls = stream.tls_session().cloned();
    let stream = ResumedStream::new(stream, received, &worker.state().request_memory, client, &state);
    let connection = match timeout_at(deadline.into(), builder.handshake(stream)).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return log::debug!("an HTTP/2 connection ended: {error}"),
        Err(_) => return worker.state().exceeded_limits.count(&HEAD_TIME, peer),
    };
    let context =
        RequestContext { worker: Rc::clone(worker), peer, tls, state, send_memory: Rc::new(SendMemory::default()) };
    if let Err(error) = serve_requests(connection, Rc::new(context), deadline, keep_alive).await {
        if error.get_io().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            worker.state().exceeded_limits.count(&PROGRESS, peer);
        }
        log::debug!("an HTTP/2 connection ended: {error}");
    }
}

/// Counts a connection of HTTP/2 until this value is dropped.
pub(super) struct Counted<'w> {
    worker: &'w Rc<Worker>,
    counted: open_connections::Counted,
}

impl<'w> Counted<'w> {
    /// Counts a connection; returns `None` if the server or the client has the maximum number of them.
    pub(super) fn new(worker: &'w Rc<Worker>, peer: Option<SocketAddr>) -> Option<Self> {
        let state = worker.state();
        let counted = state.http2_connections.add(state.limited_peer(peer)).ok()?;
        Some(Self { worker, counted })
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.worker.state().http2_connections.remove(&self.counted);
    }
}

/// Handles the requests of a connection, several of them at the same time. The first request must arrive before
/// `deadline`.
///
/// # Errors
/// Fails if the connection is broken, or the client violates the protocol.
async fn serve_requests(
    mut connection: Connection<ResumedStream, BodyPart>,
    context: Rc<RequestContext>,
    mut deadline: Instant,
    keep_alive: Duration,
) -> Result<(), h2::Error> {
    let RequestContext { worker, peer, state, .. } = &*context;
    let exceeded_limits = &worker.state().exceeded_limits;
    let mut alarm = Alarm::new(worker.shared_state(), deadline);
    let mut exchanges = FuturesUnordered::new();
    let (mut is_first, mut is_ending, mut closes_at) = (true, false, None);
    poll_fn(|task| {
        let mut is_turn_over = false;
        loop {
            if worker.state().is_closing() && !is_ending {
                is_ending = true;
                // The client learns which requests the server still handles (RFC 9113 section 6.8).
                connection.graceful_shutdown();
                deadline = Instant::now() + LINGER_TIMEOUT;
            }
            // The worker handles requests of other connections before the next request of this one.
            if !is_turn_over {
                match connection.poll_accept(task) {
                    Poll::Ready(Some(Ok((request, responding)))) => {
                        is_first = false;
                        is_turn_over = true;
                        exchanges.push(respond(Rc::clone(&context), request, responding));
                        continue;
                    }
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                    Poll::Ready(None) => return Poll::Ready(Ok(())),
                    Poll::Pending => {}
                }
            }
            if let Some(closes_at) = closes_at {
                // A client that does not read does not receive the reason either.
                return alarm.poll(closes_at, task).map(|()| Ok(()));
            }
            for _ in 0..state.refused_requests.take() {
                exceeded_limits.count(&HTTP2_REQUESTS, *peer);
            }
            if let Some(limit) = state.exceeded.take() {
                exceeded_limits.count(&limit, *peer);
                connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
                closes_at = Some(Instant::now() + LINGER_TIMEOUT);
                // The reason is sent at once.
                is_turn_over = false;
                continue;
            }
            let has_ended = poll_exchanges(&mut exchanges, task);
            // The fields of requests that wait for the next turn have not been joined yet.
            let can_receive = !is_turn_over && state.has_long_head.take();
            if has_ended {
                deadline = Instant::now() + if is_ending { LINGER_TIMEOUT } else { keep_alive };
            }
            if is_turn_over {
                task.waker().wake_by_ref();
                return Poll::Pending;
            }
            // What the exchanges have written is sent when the connection is polled again.
            if has_ended || can_receive {
                continue;
            }
            let head_deadline = state.head_begun.get().map(|begun| begun + HEAD_TIMEOUT);
            let head_deadline = head_deadline.map(|head| if is_first { head.min(deadline) } else { head });
            if let Some(head_deadline) = head_deadline
                && alarm.poll(head_deadline, task).is_ready()
            {
                // Until the head is complete, nothing else can be received, so that no request can continue.
                state.head_begun.set(None);
                state.exceeded.set(Some(HEAD_TIME));
                continue;
            }
            if let Some(since) = context.send_memory.stalled_since()
                && alarm.poll(since + STALLED_TIMEOUT, task).is_ready()
            {
                state.exceeded.set(Some(PROGRESS));
                continue;
            }
            // An incomplete head has its own deadline.
            let is_busy = !exchanges.is_empty() || head_deadline.is_some() && !is_ending;
            if is_busy || alarm.poll(deadline, task).is_pending() {
                return Poll::Pending;
            }
            if is_ending {
                return Poll::Ready(Ok(()));
            }
            if is_first {
                exceeded_limits.count(&HEAD_TIME, *peer);
            }
            is_ending = true;
            connection.graceful_shutdown();
            deadline = Instant::now() + LINGER_TIMEOUT;
        }
    })
    .await
}

/// Continues all exchanges. Returns `true` if an exchange has ended.
fn poll_exchanges<F: Future<Output = ()>>(exchanges: &mut FuturesUnordered<F>, task: &mut Context<'_>) -> bool {
    let mut has_ended = false;
    while let Poll::Ready(Some(())) = pin!(&mut *exchanges).poll_next(task) {
        has_ended = true;
    }
    has_ended
}
