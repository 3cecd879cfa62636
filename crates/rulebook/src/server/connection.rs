//! Serves a connection in the version of HTTP that its client speaks.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_rt::net::TcpStream;
use actix_service::{ServiceFactory, fn_factory, fn_service};

use rulebook_model::connection_limits::CONNECTIONS;

use super::alarm::MAX_DISTANCE;
use super::state::{CountedConnection, ServerState};
use super::worker::Worker;
use super::{http1, http2};

/// What a client can request on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Served {
    /// Everything.
    Everything,
    /// The state of the server, with a single request that must not take long: all connections of the server are used.
    ServerState,
}

/// A connection that has ended, and that counts until its socket is closed.
pub(super) struct EndedConnection {
    _stream: TcpStream,
    _counted: CountedConnection,
}

/// Returns the factory that creates, for each worker, the actix service for the worker's connections.
pub(super) fn connection_service_factory(
    state: &Arc<ServerState>,
    keep_alive: Duration,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = io::Error, InitError = ()> + use<> {
    let (state, keep_alive) = (Arc::clone(state), keep_alive.min(MAX_DISTANCE));
    fn_factory(move || {
        let worker = Worker::of_thread(&state);
        let service = fn_service(move |stream| serve_connection(stream, Rc::clone(&worker), keep_alive));
        async move { Ok(service) }
    })
}

async fn serve_connection(stream: TcpStream, worker: Rc<Worker>, keep_alive: Duration) -> io::Result<()> {
    let state = worker.shared_state();
    // A connection without an address has been reset before the server accepted it.
    let Ok(address) = stream.peer_addr() else { return Ok(()) };
    let peer = Some(address);
    let (counted, served) = match state.count_connection(peer) {
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
    match http1::serve(stream, address, &worker, keep_alive, served).await {
        // The future is boxed. Otherwise it would enlarge the future of every connection.
        http1::Ended::Http2 { stream, received, deadline } => {
            Box::pin(http2::serve(stream, address, received, &worker, deadline, keep_alive)).await;
        }
        http1::Ended::Closed(stream) => worker.close(EndedConnection { _stream: stream, _counted: counted }),
        http1::Ended::Nothing => {}
    }
    Ok(())
}
