//! Serves a connection in the version of HTTP that its client speaks.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_rt::net::TcpStream;
use actix_service::{ServiceFactory, fn_factory, fn_service};
use bytes::BytesMut;

use rulebook_model::connection_limits::{CONNECTIONS, HTTP2_CONNECTIONS};

use super::alarm::MAX_DISTANCE;
use super::client_stream::ClientStream;
use super::connection_limits::HEAD_TIMEOUT;
use super::pausable_stream::PausableStream;
use super::state::{CountedConnection, ServerState};
use super::tls::{self, Accepted};
use super::worker::Worker;
use super::{http1, http2};
use crate::handler::run_worker;

/// What a client can request on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Served {
    /// Everything.
    Everything,
    /// The state of the server, with a single request that must not take long: all connections of the server are used.
    ServerState,
    /// Nothing: the address has TLS, and the client sends a request without it.
    Nothing,
}

/// A connection that has ended, and that counts until its socket is closed.
pub(super) struct EndedConnection {
    _stream: ClientStream,
    _counted: CountedConnection,
}

/// Returns the factory that creates, for each worker, the actix service for the worker's connections to an address.
pub(super) fn connection_service_factory(
    state: &Arc<ServerState>,
    keep_alive: Duration,
    has_tls: bool,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = io::Error, InitError = ()> + use<> {
    let (state, keep_alive) = (Arc::clone(state), keep_alive.min(MAX_DISTANCE));
    fn_factory(move || {
        let (worker, thread) = (Worker::of_thread(&state), run_worker());
        state.worker_turns.add_worker();
        let service = fn_service(move |stream| {
            // The thread is a worker thread as long as this service exists.
            let _ = &thread;
            serve_connection(stream, Rc::clone(&worker), keep_alive, has_tls)
        });
        async move { Ok(service) }
    })
}

async fn serve_connection(
    stream: TcpStream,
    worker: Rc<Worker>,
    keep_alive: Duration,
    has_tls: bool,
) -> io::Result<()> {
    let state = worker.shared_state();
    // A connection without an address has been reset before the server accepted it.
    let Ok(address) = stream.peer_addr() else { return Ok(()) };
    let peer = Some(address);
    let (counted, mut served) = match state.count_connection(peer) {
        Ok(counted) => (counted, Served::Everything),
        Err(limit) => {
            state.exceeded_limits.count(&limit, peer);
            // The health of a server can be checked when all its connections are used.
            match state.count_reserved_connection(peer) {
                Some(counted) if limit == CONNECTIONS => (counted, Served::ServerState),
                _ => return Ok(()),
            }
        }
    };
    // Nagle's algorithm is disabled: it would delay a response to wait for more data, although each response is written
    // with a single call.
    stream.set_nodelay(true)?;
    let stream = if has_tls {
        // The futures are boxed. Otherwise they would enlarge the future of every connection.
        match Box::pin(tls::accept(stream, address, &worker, served)).await {
            Accepted::Tls { stream, http2: Some(http2) } => {
                let deadline = Instant::now() + HEAD_TIMEOUT;
                let serving = http2::serve(stream, address, BytesMut::new(), http2, deadline, keep_alive);
                Box::pin(serving).await;
                return Ok(());
            }
            Accepted::Tls { stream, http2: None } => stream,
            Accepted::Unencrypted(stream) => {
                served = Served::Nothing;
                ClientStream::Plain(PausableStream::new(stream, true))
            }
            Accepted::Closed(stream) => {
                if let Some(stream) = stream {
                    worker.close(EndedConnection { _stream: stream, _counted: counted });
                }
                return Ok(());
            }
        }
    } else {
        ClientStream::Plain(PausableStream::new(stream, true))
    };
    match http1::serve(stream, address, &worker, keep_alive, served).await {
        http1::Ended::Http2 { stream, received, deadline } => match http2::Counted::new(&worker, peer) {
            Some(counted) => {
                Box::pin(http2::serve(stream, address, received, counted, deadline, keep_alive)).await;
            }
            None => state.exceeded_limits.count(&HTTP2_CONNECTIONS, peer),
        },
        http1::Ended::Closed(stream) => worker.close(EndedConnection { _stream: stream, _counted: counted }),
        http1::Ended::Nothing => {}
    }
    Ok(())
}
