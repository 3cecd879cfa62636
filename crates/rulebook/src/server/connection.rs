//! Serves a connection: counts it, does the handshake of TLS, and lets actix handle its requests with the `App` of the
//! API.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive, Protocol, Request, Response};
use actix_rt::net::TcpStream;
use actix_rt::time::timeout;
use actix_service::{Service, ServiceFactory, apply_fn_factory, fn_factory, fn_service, map_config};
use actix_web::App;
use actix_web::dev::{AppConfig, ServiceResponse};
use futures_util::FutureExt;
use rulebook_model::connection_limits::{CONNECTIONS, TLS_HANDSHAKE};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::either::Either;

use super::alarm::{Alarm, MAX_DISTANCE};
use super::client_stream::ClientStream;
use super::connection_limits::{HANDSHAKE_TIMEOUT, LINGER_TIMEOUT, RESERVED_HEAD_TIMEOUT};
use super::connection_state::{ConnectionState, Served};
use super::listening::Offer;
use super::open_connections::OpenConnection;
use super::response::HandledBody;
use super::services::Services;
use super::state::ServerState;
use super::tls::{Encrypted, TlsStream};
use super::worker::Worker;
use crate::handler::run_worker;

/// The number of bytes of responses from which actix sends them before it copies the next piece of a body. A connection
/// copies no more than this and one piece.
const WRITE_BUFFER_LEN: usize = 4 << 10;
/// The response to a client that sends a request without TLS to an address with TLS.
const NO_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\
    content-length: 64\r\n\r\nthis address has TLS: the URL of a request begins with https://\n";

/// The bytes of a connection. A stream with TLS is boxed: otherwise it would enlarge the memory of every connection.
pub(super) type Transport = Either<TcpStream, Box<TlsStream>>;

/// Returns the factory that creates, for each worker, the actix service for the worker's connections to an address.
pub(super) fn connection_service_factory(
    services: &Services,
    keep_alive: Duration,
    offer: Offer,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = io::Error, InitError = ()> + use<> {
    let (services, keep_alive) = (services.clone(), keep_alive.min(MAX_DISTANCE));
    fn_factory(move || {
        let state = &services.state;
        let (worker, thread) = (Worker::of_thread(state), run_worker());
        state.worker_turns.add_worker(&worker);
        let app = App::new().configure(|config| {
            // The server has called the same function before, and it did not fail.
            if let Err(error) = services.add_to_app(config) {
                log::error!("the services of the API cannot be added to an App: {error}");
            }
        });
        let http = HttpService::build()
            // The stream ends connections that are idle, or whose heads do not arrive, and waits for clients that still
            // send.
            .keep_alive(if keep_alive.is_zero() { KeepAlive::Disabled } else { KeepAlive::Os })
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(Duration::ZERO)
            .h1_write_buffer_size(WRITE_BUFFER_LEN)
            .on_connect_ext(|stream: &ClientStream, data| {
                data.insert(Rc::clone(stream.connection()));
            })
            .finish(apply_fn_factory(map_config(app, |()| AppConfig::default()), begin_request))
            .new_service(());
        async move {
            let http = Rc::new(http.await?);
            Ok(fn_service(move |stream| {
                // The thread is a worker thread as long as this service exists.
                let _ = &thread;
                let (http, worker) = (Rc::clone(&http), Rc::clone(&worker));
                async move {
                    let Some(accepted) = accept(stream, &worker.shared_state, offer).await? else { return Ok(()) };
                    let (transport, connection, peer, open) = accepted;
                    let (transport, connection) = (Rc::new(RefCell::new(transport)), Rc::new(connection));
                    let (shared, state) = (Rc::clone(&transport), Rc::clone(&connection));
                    let stream = ClientStream::new(shared, state, &worker.shared_state, peer, keep_alive);
                    let handled = http.call((stream, Protocol::Http1, Some(peer))).await;
                    if let Err(error) = &handled {
                        log::debug!("a connection ended: {error}");
                    }
                    // The end of a response that failed must not look like that of a complete one.
                    let is_broken = matches!(handled, Err(DispatchError::Body(_) | DispatchError::Io(_)));
                    if !is_broken && let Some(transport) = Rc::into_inner(transport) {
                        let expected_to_send = handled.is_err() || connection.has_unread_body.get();
                        Box::pin(end_connection(transport.into_inner(), expected_to_send)).await;
                    }
                    drop(open);
                    Ok(())
                }
            }))
        }
    })
}

/// Lets `app` handle a request. The connection is not idle until the whole response has been made, also if a route of
/// the program makes it.
fn begin_request<S>(request: Request, app: &S) -> impl Future<Output = Result<Response<HandledBody>, S::Error>> + use<S>
where
    S: Service<Request, Response = ServiceResponse>,
{
    let connection = request.conn_data::<Rc<ConnectionState>>();
    let handled = connection.map(|connection| connection.begin_request(request.head()));
    let responding = app.call(request);
    async move {
        let response = Response::from(responding.await?);
        Ok(response.map_body(|_, body| HandledBody { body, _guard: handled }))
    }
}

/// A connection that has been counted, and whose handshake is complete.
type Accepted = (Transport, ConnectionState, SocketAddr, OpenConnection);

/// Begins a connection. Returns `None` if it can be closed.
async fn accept(stream: TcpStream, state: &Arc<ServerState>, offer: Offer) -> io::Result<Option<Accepted>> {
    // A connection without an address has been reset before the server accepted it.
    let Ok(peer) = stream.peer_addr() else { return Ok(None) };
    let client = state.limited_client(peer);
    let (open, served) = match state.connections.add(client) {
        Ok(open) => (open, offer.served),
        Err(limit) => {
            state.exceeded_limits.count(&limit, Some(peer));
            // The health of a server can be checked when all its connections are used.
            match state.connections.add_reserved(client) {
                Some(open) if limit == CONNECTIONS => (open, Served::ServerState),
                _ => return Ok(None),
            }
        }
    };
    // Nagle's algorithm is disabled: it would delay a response to wait for more data, although most responses are
    // written with a single call.
    stream.set_nodelay(true)?;
    let (transport, session) = if offer.is_tls {
        // The future is boxed. Otherwise it would enlarge the future of every connection.
        let encrypted = Box::pin(encrypt(stream, peer, state, served)).await;
        let Some(Encrypted { stream, session }) = encrypted else { return Ok(None) };
        (Transport::Right(stream), Some(Arc::new(session)))
    } else {
        (Transport::Left(stream), None)
    };
    Ok(Some((transport, ConnectionState::new(Instant::now(), served, session), peer, open)))
}

/// Does the handshake of TLS. Returns `None` if it fails, or is not complete in time, which counts for the limit, or if
/// the server closes its connections.
async fn encrypt(
    mut stream: TcpStream,
    peer: SocketAddr,
    state: &Arc<ServerState>,
    served: Served,
) -> Option<Encrypted> {
    let max_time = if served == Served::ServerState { RESERVED_HEAD_TIMEOUT } else { HANDSHAKE_TIMEOUT };
    let handshake = async {
        let mut first = [0];
        // The type of the first record of TLS is 22. Methods of HTTP begin with a letter.
        if stream.peek(&mut first).await.ok()? == 1 && first[0].is_ascii_alphabetic() {
            stream.write_all(NO_TLS).await.ok()?;
            end_connection(Transport::Left(stream), true).await;
            return None;
        }
        state.tls.as_ref()?.accept(stream, peer).await.ok()
    };
    let deadline = Instant::now() + max_time;
    let mut alarm = Alarm::new(state, deadline);
    let mut handshake = pin!(handshake);
    poll_fn(|task| {
        if let Poll::Ready(encrypted) = handshake.as_mut().poll(task) {
            return Poll::Ready(encrypted);
        }
        alarm.poll_or_close(deadline, state, task).map(|()| {
            if !state.is_closing() {
                state.exceeded_limits.count(&TLS_HANDSHAKE, Some(peer));
            }
            None
        })
    })
    .await
}

/// Closes the sending side of the server. Over TLS, the client learns that this is the end of what it receives
/// (`close_notify`, RFC 8446 section 6.1).
///
/// Then discards what the client still sends, until it closes its side too or [`LINGER_TIMEOUT`] is over: closing the
/// socket would discard a response that the client has not read (RFC 9112 section 9.6). If the client is not
/// `expected_to_send`, only waits if something has already arrived.
async fn end_connection(mut transport: Transport, expected_to_send: bool) {
    let ending = async {
        let mut discarded = vec![0; 4 << 10];
        if transport.shutdown().await.is_err() {
            return;
        }
        let first = transport.read(&mut discarded);
        let mut read = if expected_to_send { first.await } else { first.now_or_never().unwrap_or(Ok(0)) };
        while matches!(read, Ok(1..)) {
            read = transport.read(&mut discarded).await;
        }
    };
    // The result does not matter: the connection is over.
    let _ = timeout(LINGER_TIMEOUT, ending).await;
}
