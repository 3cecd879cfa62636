//! HTTP/2 (RFC 9113) without TLS, as some proxies speak it to servers. The crate `h2` implements the protocol.
//!
//! A client costs no more over HTTP/2 than over HTTP/1: the number of its concurrent requests and the size of a head are
//! limited, and a connection or a response without progress is closed.

mod exchange;
mod field_counter;
mod received_frames;
mod resumed_stream;

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_rt::net::TcpStream;
use actix_rt::time::timeout;
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::stream::FuturesUnordered;
use h2::Reason;
use h2::server::{Builder, Connection};
use rulebook_model::connection_limits::{HEAD_TIME, HTTP2_CONNECTIONS, MAX_HTTP2_REQUESTS, PROGRESS};

pub(super) use exchange::BodyReceiver;
use exchange::respond;
use resumed_stream::{ExceededLimit, ResumedStream};

use super::alarm::Alarm;
use super::connection_limits::{HEAD_TIMEOUT, LINGER_TIMEOUT, MAX_HEAD_LEN};
use super::open_connections;
use super::worker::Worker;

/// The number of bytes of a request's body that a client may send before the server has read them.
const WINDOW_SIZE: u32 = 256 << 10;
/// The same number for all requests of a connection together.
const CONNECTION_WINDOW_SIZE: u32 = 1 << 20;

/// Serves a connection whose client speaks HTTP/2, until the connection is closed. `received` contains the bytes that
/// have been received.
pub(super) async fn serve(stream: TcpStream, received: BytesMut, worker: &Rc<Worker>, keep_alive: Duration) {
    let peer = stream.peer_addr().ok();
    let Some(_counted) = Counted::new(worker, peer) else {
        return worker.state().exceeded_limits.count(&HTTP2_CONNECTIONS, peer);
    };
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(MAX_HTTP2_REQUESTS as u32)
        .max_header_list_size(MAX_HEAD_LEN as u32)
        .initial_window_size(WINDOW_SIZE)
        .initial_connection_window_size(CONNECTION_WINDOW_SIZE);
    let exceeded = ExceededLimit::default();
    let handshake = builder.handshake::<_, Bytes>(ResumedStream::new(stream, received, Rc::clone(&exceeded)));
    let connection = match timeout(HEAD_TIMEOUT, handshake).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return log::debug!("an HTTP/2 connection ended: {error}"),
        Err(_) => return worker.state().exceeded_limits.count(&HEAD_TIME, peer),
    };
    if let Err(error) = serve_requests(connection, peer, worker, keep_alive, &exceeded).await {
        if error.get_io().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            worker.state().exceeded_limits.count(&PROGRESS, peer);
        }
        log::debug!("an HTTP/2 connection ended: {error}");
    }
}

/// Counts a connection of HTTP/2 until this value is dropped.
struct Counted<'w> {
    worker: &'w Worker,
    counted: open_connections::Counted,
}

impl<'w> Counted<'w> {
    /// Counts a connection; returns `None` if the server or the client has the maximum number of them.
    fn new(worker: &'w Worker, peer: Option<SocketAddr>) -> Option<Self> {
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

/// Handles the requests of a connection, several of them at the same time.
///
/// # Errors
/// Fails if the connection is broken, or the client violates the protocol.
async fn serve_requests(
    mut connection: Connection<ResumedStream, Bytes>,
    peer: Option<SocketAddr>,
    worker: &Rc<Worker>,
    keep_alive: Duration,
    exceeded: &ExceededLimit,
) -> Result<(), h2::Error> {
    let mut deadline = Instant::now() + HEAD_TIMEOUT;
    let mut alarm = Alarm::new(worker.shared_state(), deadline);
    let mut exchanges = FuturesUnordered::new();
    let mut is_ending = false;
    poll_fn(|task| {
        loop {
            if worker.state().is_closing() && !is_ending {
                is_ending = true;
                // The client learns which requests the server still handles (RFC 9113 section 6.8).
                connection.graceful_shutdown();
                deadline = Instant::now() + LINGER_TIMEOUT;
            }
            match connection.poll_accept(task) {
                Poll::Ready(Some(Ok((request, responding)))) => {
                    exchanges.push(respond(Rc::clone(worker), request, responding, peer));
                    continue;
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => {}
            }
            if let Some(limit) = exceeded.take() {
                worker.state().exceeded_limits.count(&limit, peer);
                connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
                continue;
            }
            if poll_exchanges(&mut exchanges, task) {
                deadline = Instant::now() + if is_ending { LINGER_TIMEOUT } else { keep_alive };
                // What the exchanges have written is sent when the connection is polled again.
                continue;
            }
            if !exchanges.is_empty() {
                return Poll::Pending;
            }
            if alarm.poll(deadline, task).is_pending() {
                return Poll::Pending;
            }
            if is_ending {
                return Poll::Ready(Ok(()));
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
