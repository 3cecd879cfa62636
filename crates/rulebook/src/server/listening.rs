//! The sockets on which a server listens, and how it stops listening without losing connections.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use actix_rt::time::sleep;
use actix_server::ServerHandle;
use actix_service::{Service, ServiceFactory};

use super::connection::connection_service_factory;
use super::connection_state::Served;
use super::services::Services;

/// The time from when the server's thread that accepts connections is asked to pause until the server stops listening.
///
/// The thread needs a moment until it pauses. If it had no time for this, it would log an error when the socket is shut
/// down, but lose no connection.
const ACCEPT_SETTLE_TIME: Duration = Duration::from_millis(50);
const ACCEPT_INTERVAL: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) struct Listener {
    pub(super) socket: TcpListener,
    pub(super) offer: Offer,
}

/// What clients get at an address.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    pub(super) is_tls: bool,
    pub(super) served: Served,
}

/// Stops listening. The operating system then refuses new connections, unless another process uses the sockets too.
///
/// Connections that clients have opened, but that have not been accepted yet, would be reset with the requests that
/// have been sent on them. Therefore this thread accepts and serves them. The returned values must exist as long as
/// these connections.
pub(super) async fn stop_listening(
    listeners: Vec<Listener>,
    handle: &ServerHandle,
    api: &Services,
    keep_alive: Duration,
) -> Vec<impl Sized> {
    drop(handle.pause());
    let mut services = Vec::with_capacity(listeners.len());
    for listener in &listeners {
        let factory = connection_service_factory(api, keep_alive, listener.offer);
        // The factory does not fail.
        services.extend(factory.new_service(()).await);
    }
    let end = Instant::now() + ACCEPT_SETTLE_TIME;
    while Instant::now() < end {
        for (Listener { socket, .. }, service) in listeners.iter().zip(&services) {
            serve_waiting(socket, service);
        }
        sleep(ACCEPT_INTERVAL).await;
    }
    for (Listener { socket, .. }, service) in listeners.iter().zip(&services) {
        if api.state.shares_sockets.load(Ordering::Relaxed) {
            break;
        }
        serve_waiting(socket, service);
        // Only a connection that is opened right now is reset.
        shut_down(socket);
    }
    services
}

fn serve_waiting<S>(listener: &TcpListener, service: &S)
where
    S: Service<actix_rt::net::TcpStream, Response = (), Error = io::Error>,
    S::Future: 'static,
{
    // actix has made the socket non-blocking: accepting fails if no connection waits.
    while let Ok((stream, _)) = listener.accept() {
        match into_async(stream) {
            Ok(stream) => drop(actix_rt::spawn(service.call(stream))),
            Err(error) => log::debug!("a connection could not be served: {error}"),
        }
    }
}

fn into_async(stream: TcpStream) -> io::Result<actix_rt::net::TcpStream> {
    stream.set_nonblocking(true)?;
    actix_rt::net::TcpStream::from_std(stream)
}

/// Makes the operating system refuse new connections. Otherwise a new connection would wait until the process ends,
/// because no thread accepts it. On systems where a listening socket cannot be shut down, it waits until the server,
/// which owns the socket, closes it.
fn shut_down(listener: &TcpListener) {
    let _ = socket2::SockRef::from(listener).shutdown(Shutdown::Both);
}
