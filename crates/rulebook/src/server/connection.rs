//! Serves a connection: counts it, does the handshake of TLS, and lets actix handle its requests with the `App` of the
//! API. Contains also the counts of open connections and their limits, so that a client cannot use all of them, and the
//! deadlines of connections.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive, Protocol, Request, Response};
use actix_rt::net::TcpStream;
use actix_rt::time::{Sleep, sleep_until, timeout};
use actix_service::{Service, ServiceFactory, apply_fn_factory, fn_factory, fn_service, map_config};
use actix_web::App;
use actix_web::dev::{AppConfig, ServiceResponse};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use rulebook_model::connection_limits::{
    ADDRESS_CONNECTIONS, ADDRESS_SHARE, CONNECTIONS, ConnectionLimit, HANDSHAKE_SECONDS, HEAD_SECONDS,
    PROGRESS_SECONDS, RESERVED_CONNECTIONS, TLS_HANDSHAKE,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::either::Either;

use super::client_stream::{ClientStream, ConnectionState, Served};
use super::response::HandledBody;
use super::running::Offer;
use super::services::Services;
use super::state::ServerState;
use super::tls::TlsStream;
use super::worker::Worker;
use crate::call::TlsSession;
use crate::client_shares::{ClientShares, Share, client_network};
use crate::handler::run_worker;

/// From this length on, actix sends responses before it copies the next piece of a body.
const WRITE_BUFFER_LEN: usize = 4 << 10;
/// The response to a client that sends a request without TLS to an address with TLS.
const NO_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\
    content-length: 64\r\n\r\nthis address has TLS: the URL of a request begins with https://\n";

/// The bytes of a connection. A stream with TLS is boxed: otherwise it would enlarge the memory of every connection.
pub(super) type Transport = Either<TcpStream, Box<TlsStream>>;

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
                data.insert(Rc::clone(&stream.connection));
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

type Accepted = (Transport, ConnectionState, SocketAddr, OpenConnection);

/// `None` if the connection can be closed.
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
        let Some((stream, session)) = encrypted else { return Ok(None) };
        (Transport::Right(stream), Some(Arc::new(session)))
    } else {
        (Transport::Left(stream), None)
    };
    Ok(Some((transport, ConnectionState::new(Instant::now(), served, session), peer, open)))
}

/// `None` if the handshake fails, takes too long, which counts for the limit, or if the server closes its connections.
async fn encrypt(
    mut stream: TcpStream,
    peer: SocketAddr,
    state: &Arc<ServerState>,
    served: Served,
) -> Option<(Box<TlsStream>, TlsSession)> {
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
    let _ = timeout(LINGER_TIMEOUT, ending).await;
}

const RESERVED_SHARE: usize = 64;

/// The open connections of a server. The lock is held only when a connection begins or ends.
#[derive(Debug)]
pub(super) struct OpenConnections {
    total: AtomicUsize,
    max_total: usize,
    max_per_client: usize,
    by_client: Mutex<HashMap<IpAddr, usize>>,
    reserved: Arc<ClientShares>,
}

/// A connection that is counted until this value is dropped.
#[derive(Debug)]
struct OpenConnection {
    connections: Arc<OpenConnections>,
    client: Option<IpAddr>,
    _reserved: Option<Share>,
}

impl OpenConnections {
    /// `max_per_client` is for each client address; 0 is no limit, `None` a part of `max_total`.
    pub(super) fn new(max_total: usize, max_per_client: Option<usize>) -> Self {
        let max_per_client = match max_per_client {
            None => max_total.div_ceil(ADDRESS_SHARE),
            Some(0) => usize::MAX,
            Some(max) => max,
        };
        let parts = (max_per_client != usize::MAX).then_some(RESERVED_SHARE);
        let reserved = Arc::new(ClientShares::new(RESERVED_CONNECTIONS, parts));
        Self { total: AtomicUsize::default(), max_total, max_per_client, by_client: Mutex::default(), reserved }
    }

    /// `client` is the address whose connections are limited; `None` for a proxy. Not counted if it exceeds a limit.
    fn add(self: &Arc<Self>, client: Option<IpAddr>) -> Result<OpenConnection, ConnectionLimit> {
        self.add_below(client, self.max_total, None)
    }

    /// A connection beyond the maximum, on which a client can only ask for the state of the server; `None` if there are
    /// too many.
    fn add_reserved(self: &Arc<Self>, client: Option<IpAddr>) -> Option<OpenConnection> {
        let share = self.reserved.take(client, 1).ok()?;
        self.add_below(client, self.max_total.saturating_add(RESERVED_CONNECTIONS), Some(share)).ok()
    }

    fn add_below(
        self: &Arc<Self>,
        client: Option<IpAddr>,
        max_total: usize,
        reserved: Option<Share>,
    ) -> Result<OpenConnection, ConnectionLimit> {
        let client = client.filter(|_| self.max_per_client != usize::MAX).map(client_network);
        // A client that has its share must not get a reserved connection, so that the share is checked first.
        if let Some(client) = client {
            let mut by_client = self.lock();
            let count = by_client.entry(client).or_default();
            if *count >= self.max_per_client {
                return Err(ADDRESS_CONNECTIONS);
            }
            *count += 1;
        }
        let open = OpenConnection { connections: Arc::clone(self), client, _reserved: reserved };
        let before = self.total.fetch_add(1, Ordering::Relaxed);
        if before < max_total { Ok(open) } else { Err(CONNECTIONS) }
    }

    pub(super) fn total(&self) -> usize {
        self.total.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.by_client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        let connections = &self.connections;
        if let Some(client) = self.client {
            let mut by_client = connections.lock();
            if let Some(count) = by_client.get_mut(&client) {
                *count -= 1;
                if *count == 0 {
                    by_client.remove(&client);
                }
            }
        }
        connections.total.fetch_sub(1, Ordering::AcqRel);
    }
}

/// About a year. A longer one could overflow when it is added to the current time.
const MAX_DISTANCE: Duration = Duration::from_secs(1 << 25);

/// For how long a connection still waits for a request after the server has begun to close its connections.
///
/// A worker that had no time for its connections until then first learns that the server is closing them, and only then
/// that requests or the messages of a handshake have arrived.
const CLOSING_GRACE: Duration = Duration::from_millis(250);

/// A timer whose deadline moves often.
///
/// Almost every wait has a deadline. Setting a timer each time would cost more than the wait itself, so the timer stays
/// as it is when the deadline moves to a later time. Only when the timer fires is it set again.
struct MovingTimer {
    timer: Pin<Box<Sleep>>,
    /// The waker of the task that `timer` wakes; `None` if it has not been polled.
    waker: Option<Waker>,
}

impl MovingTimer {
    pub(super) fn new(deadline: Instant) -> Self {
        Self { timer: Box::pin(sleep_until(deadline.into())), waker: None }
    }

    fn wakes(&self, task: &Context<'_>) -> bool {
        self.waker.as_ref().is_some_and(|waker| waker.will_wake(task.waker()))
    }

    pub(super) fn poll(&mut self, deadline: Instant, task: &mut Context<'_>) -> Poll<()> {
        if self.wakes(task) && !self.timer.is_elapsed() && self.timer.deadline() <= deadline.into() {
            return Poll::Pending;
        }
        let now = Instant::now();
        if deadline <= now {
            return Poll::Ready(());
        }
        self.timer.as_mut().reset(deadline.min(now + MAX_DISTANCE).into());
        self.waker = Some(task.waker().clone());
        self.timer.as_mut().poll(task)
    }
}

/// Wakes the task of a connection when a deadline has passed or when the server closes its connections.
pub(super) struct Alarm {
    timer: MovingTimer,
    closing: LocalBoxFuture<'static, ()>,
    closes_at: Option<Instant>,
}

impl Alarm {
    pub(super) fn new(state: &Arc<ServerState>, deadline: Instant) -> Self {
        let state = Arc::clone(state);
        let closing = Box::pin(async move { state.wait_until_closing().await });
        Self { timer: MovingTimer::new(deadline), closing, closes_at: None }
    }

    /// Polls a connection on which the server waits for a request: it is also ready shortly after the server begins to
    /// close.
    pub(super) fn poll_or_close(&mut self, deadline: Instant, state: &ServerState, task: &mut Context<'_>) -> Poll<()> {
        if !state.is_closing() {
            return self.poll(deadline, task);
        }
        let closes_at = *self.closes_at.get_or_insert_with(|| Instant::now() + CLOSING_GRACE);
        self.poll(deadline.min(closes_at), task)
    }

    /// Becomes ready when `deadline` has passed. The task is also woken when the server closes its connections.
    pub(super) fn poll(&mut self, deadline: Instant, task: &mut Context<'_>) -> Poll<()> {
        // After the server has begun to close its connections, this future must not be polled again.
        if !self.timer.wakes(task) && self.closing.as_mut().poll(task).is_ready() {
            self.closing = Box::pin(std::future::pending());
        }
        self.timer.poll(deadline, task)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExceededTime {
    Whole,
    /// The time without a further byte.
    Progress,
}

/// The time that a body takes, from the moment when the server first waits for it.
pub(super) struct BodyTimer {
    started: Instant,
    /// The bytes that had been received when the server last waited.
    received_bytes: u64,
    silent_since: Instant,
    timer: MovingTimer,
}

impl BodyTimer {
    pub(super) fn start() -> Self {
        let started = Instant::now();
        let timer = MovingTimer::new(started + PROGRESS_TIMEOUT);
        Self { started, received_bytes: 0, silent_since: started, timer }
    }

    /// Becomes ready `time` after the start, or if no further byte has been received for too long. `time` may be longer
    /// than in the last call.
    pub(super) fn poll(&mut self, time: Duration, received_bytes: u64, task: &mut Context<'_>) -> Poll<ExceededTime> {
        if received_bytes != self.received_bytes {
            (self.received_bytes, self.silent_since) = (received_bytes, Instant::now());
        }
        let (whole, silence) = (self.started + time.min(MAX_DISTANCE), self.silent_since + PROGRESS_TIMEOUT);
        ready!(self.timer.poll(whole.min(silence), task));
        Poll::Ready(if whole <= silence { ExceededTime::Whole } else { ExceededTime::Progress })
    }
}

/// The time from the first byte of a request until its head is complete.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(HEAD_SECONDS);
/// The time from the beginning of a connection until the handshake of TLS is complete.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(HANDSHAKE_SECONDS);
/// The time for a head on a connection that is reserved for checks of the server's health.
pub(super) const RESERVED_HEAD_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the server waits for a client that receives no further byte of a response.
pub(super) const PROGRESS_TIMEOUT: Duration = Duration::from_secs(PROGRESS_SECONDS);
/// How long the server reads after its last response, so that the client can read it (RFC 9112 section 9.6).
const LINGER_TIMEOUT: Duration = Duration::from_secs(1);

/// Below this number, the server warns that it can serve few clients.
const FEW_FILES: u64 = 2048;
/// Assumed if the system does not report it.
const DEFAULT_MAX_FILES: u64 = 1024;

/// Raises the number of files that the process may open to the maximum of the system, and returns it.
pub(super) fn raise_file_limit() -> usize {
    let files = max_files();
    if files < FEW_FILES {
        log::warn!("the process may open only {files} files and connections; raise the limit of the system");
    } else {
        log::debug!("the process may open {files} files and connections");
    }
    usize::try_from(files).unwrap_or(usize::MAX)
}

#[cfg(unix)]
fn max_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum.unwrap_or(u64::MAX),
        Err(_) => current.unwrap_or(DEFAULT_MAX_FILES),
    }
}

#[cfg(not(unix))]
fn max_files() -> u64 {
    DEFAULT_MAX_FILES
}
