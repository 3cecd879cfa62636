//! A running server, the ways to stop it, and the sockets on which it listens.
//!
//! SIGTERM and SIGINT stop the server, without losing connections. SIGHUP reads the certificates again and calls a
//! function of the program, and SIGUSR2 calls another function of the program, which gets the sockets.

use std::future::{pending, poll_fn};
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use actix_rt::time::{sleep, timeout};
use actix_server::{Server, ServerHandle};
use actix_service::{Service, ServiceFactory};
use futures_util::future::{Either, select};
use rulebook_model::settings::split_bind_address;
use tokio::runtime::{LocalOptions, LocalRuntime};
use tokio::sync::Notify;

use super::client_stream::Served;
use super::connection::connection_service_factory;
use super::services::Services;
use super::state::{ServerActivity, ServerState};
use super::tls::watch_certificates;
use crate::plan::Plan;
use crate::settings::{HandoverHook, HangupHook, Settings};
use crate::usage::UsageCounts;

/// For how long a stopping server keeps connections open on which it waits for a request.
///
/// A client, above all a proxy, may be sending a request on such a connection, and could not know whether the server
/// has received it. Each response now announces the end of its connection, so that a connection that a proxy uses
/// often is closed without this risk within the time.
const IDLE_GRACE: Duration = Duration::from_secs(1);

/// How often a thread checks whether the last request of a replaced API has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A stopped server waits for the threads of its file operations.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// A running server. Dropping this value stops the server without waiting for requests in flight.
#[derive(Debug)]
#[must_use = "the server stops when this is dropped"]
pub struct RunningServer {
    api: ApiHandle,
    addresses: Vec<SocketAddr>,
    stopper: StopHandle,
    handle: ServerHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// A handle with which any thread can stop a server.
#[derive(Debug, Clone)]
pub struct StopHandle(Arc<Notify>);

impl StopHandle {
    /// Asks the server to stop. The server accepts no more connections, and ends when all requests in flight have
    /// ended.
    pub fn stop(&self) {
        self.0.notify_one();
    }
}

/// A handle with which any thread can replace the API that a server serves, with
/// [`Engine::replace_api`](crate::Engine::replace_api).
#[derive(Debug, Clone)]
pub struct ApiHandle {
    state: Arc<ServerState>,
    pub(crate) settings: Settings,
}

impl ApiHandle {
    /// Lets the pages of the server know that the definition has changed, and whether it is refused. Pages look for
    /// changes if the API [is watched](rulebook_model::model::Api::is_watched).
    // It is hidden because only the command line uses it.
    #[doc(hidden)]
    pub fn report_change(&self, is_refused: bool) {
        self.state.changes.report(is_refused);
    }

    pub(crate) fn usage(&self) -> UsageCounts {
        self.state.metrics.usage()
    }

    /// Serves another plan to all requests that begin from now on.
    pub(crate) fn replace_plan(&self, plan: &Arc<Plan>) -> io::Result<()> {
        let previous = self.state.replace_plan(plan);
        // The end of a plan may wait for processes and databases, so that it is not the end of a worker's request.
        let ending = std::thread::Builder::new().name("replaced".to_owned()).spawn(move || {
            while Arc::strong_count(&previous) > 1 {
                std::thread::sleep(POLL_INTERVAL);
            }
        });
        ending.map(drop)
    }
}

impl RunningServer {
    /// Returns a handle with which any thread can replace the API.
    #[must_use]
    pub fn api_handle(&self) -> ApiHandle {
        self.api.clone()
    }

    /// Returns the addresses on which the server listens, in the order of [`Settings::bind`], and then that of
    /// [`Settings::monitoring`].
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Returns a handle with which any thread can stop the server.
    #[must_use]
    pub fn stopper(&self) -> StopHandle {
        self.stopper.clone()
    }

    /// Waits until the server has stopped.
    ///
    /// # Errors
    /// Fails if the workers could not be started, or if the server ended because of an error.
    pub fn wait(mut self) -> io::Result<()> {
        self.join_thread()
    }

    /// Stops the server, and waits until the requests in flight have ended.
    ///
    /// # Errors
    /// Fails in the same cases as [`RunningServer::wait`].
    pub fn stop(mut self) -> io::Result<()> {
        self.stopper.stop();
        self.join_thread()
    }

    fn join_thread(&mut self) -> io::Result<()> {
        match self.thread.take() {
            Some(thread) => thread.join().unwrap_or_else(|_| Err(io::Error::other("the server's thread panicked"))),
            None => Ok(()),
        }
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        if self.thread.is_some() {
            // `stop` sends the command to stop immediately. Its future, which is dropped, would only wait until the
            // server has stopped.
            drop(self.handle.stop(false));
            // `drop` has no return value, so that an error of the server is lost.
            let _ = self.join_thread();
        }
    }
}

/// Runs a server on a new thread, so that it works with any runtime of the program. It catches signals once this
/// function returns.
pub(super) fn start_server(
    server: Server,
    listeners: Vec<Listener>,
    services: Services,
    settings: &Settings,
) -> io::Result<RunningServer> {
    let state = Arc::clone(&services.state);
    let api = ApiHandle { state: Arc::clone(&state), settings: settings.clone() };
    let addresses = listeners.iter().map(|listener| listener.socket.local_addr()).collect::<io::Result<Vec<_>>>()?;
    let owned = settings.clone();
    let handle = server.handle();
    let stopper = StopHandle(Arc::new(Notify::new()));
    let requested = stopper.clone();
    let (ready, caught) = mpsc::channel();
    let thread = std::thread::Builder::new().name("rulebook".to_owned()).spawn(move || {
        let runtime = server_runtime()?;
        let ended = runtime.block_on(async {
            let sockets = || listeners.iter().map(|listener| listener.socket.try_clone()).collect::<io::Result<_>>();
            let signals = owned.handle_signals.then(|| Signals::new(&owned, &state, sockets()?)).transpose()?;
            if let Some(tls) = state.tls.clone() {
                actix_rt::spawn(watch_certificates(tls));
            }
            drop(ready);
            state.links.start_sweeping();
            let ended = run_until_stopped(server, &services, &requested.0, signals, &owned, listeners).await;
            if ended.is_ok() {
                log::info!("stopped");
            }
            ended
        });
        // A file system that does not respond can block the thread that looks for new certificates.
        runtime.shutdown_timeout(STOP_TIMEOUT);
        if let Some(tracer) = &state.plan().tracer {
            tracer.flush();
        }
        ended
    })?;
    // The thread never sends a value. `recv` returns when the thread drops the sender, after it has begun to catch
    // signals.
    let _: Result<(), _> = caught.recv();
    for (address, bound) in addresses.iter().zip(settings.bind.iter().chain(&settings.monitoring)) {
        let with_tls = if split_bind_address(bound).0 { " with TLS" } else { "" };
        log::info!(address:%; "listening on {address}{with_tls}");
    }
    Ok(RunningServer { api, addresses, stopper, handle, thread: Some(thread) })
}

/// Creates a runtime that is not a `System` of actix: in one, the tasks of each worker of actix are in a second queue
/// (a `LocalSet`), which the runtime polls as one future. This costs each request.
fn server_runtime() -> io::Result<LocalRuntime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default())
}

async fn run_until_stopped(
    server: Server,
    services: &Services,
    requested: &Notify,
    mut signals: Option<Signals>,
    settings: &Settings,
    listeners: Vec<Listener>,
) -> io::Result<()> {
    let (handle, state) = (server.handle(), &services.state);
    let server =
        match select(server, select(pin!(requested.notified()), pin!(next_stop_signal(signals.as_mut())))).await {
            Either::Left((ended, _)) => return ended,
            Either::Right((_, server)) => server,
        };
    state.mark_stopping();
    if let Some(signals) = &mut signals {
        signals.end_handover();
    }
    log::info!("stopping when the requests in flight have ended");
    let (_services, server) =
        match select(server, pin!(stop_listening(listeners, &handle, services, settings.keep_alive))).await {
            Either::Left((ended, _)) => return ended,
            Either::Right((services, server)) => (services, server),
        };
    // A worker of actix and its runtime end as soon as the worker has no connections. Handlers whose clients have
    // disconnected would be aborted then. Therefore the server first waits until these handlers have ended.
    let shutdown = settings.shutdown_timeout;
    let idle = pin!(timeout(shutdown, end_connections(state, shutdown)));
    let (ended, server) = match select(server, pin!(select(idle, pin!(next_stop_signal(signals.as_mut()))))).await {
        Either::Left((ended, _)) => return ended,
        Either::Right((Either::Left((Ok(()), _)), server)) => (true, Some(server)),
        Either::Right((Either::Left((Err(_), _)), server)) => (false, Some(server)),
        // The server is dropped, which does not wait for its workers.
        Either::Right((Either::Right(_), _server)) => (false, None),
    };
    if !ended {
        let ServerActivity { connections, requests, detached_handlers } = state.activity();
        log::warn!(
            "stopped before everything had ended: connections: {connections}, requests: {requests}, \
             handlers whose clients had disconnected: {detached_handlers}"
        );
    }
    let Some(server) = server else { return Ok(()) };
    drop(handle.stop(false));
    server.await
}

async fn end_connections(state: &ServerState, shutdown_timeout: Duration) {
    if timeout(IDLE_GRACE.min(shutdown_timeout / 2), state.wait_until_idle()).await.is_err() {
        state.close_connections();
        state.wait_until_idle().await;
    }
}

/// The time from when the accepting thread is asked to pause until the server stops listening. The thread needs a
/// moment until it pauses. If it had no time for this, it would log an error when the socket is shut down, but lose no
/// connection.
const ACCEPT_SETTLE_TIME: Duration = Duration::from_millis(50);
const ACCEPT_INTERVAL: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) struct Listener {
    pub(super) socket: TcpListener,
    pub(super) offer: Offer,
}

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
async fn stop_listening(
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
        match stream.set_nonblocking(true).and_then(|()| actix_rt::net::TcpStream::from_std(stream)) {
            Ok(stream) => drop(actix_rt::spawn(service.call(stream))),
            Err(error) => log::debug!("a connection could not be served: {error}"),
        }
    }
}

/// Makes the operating system refuse new connections. Otherwise a new connection would wait until the process ends,
/// because no thread accepts it. On systems where a listening socket cannot be shut down, it waits until the server,
/// which owns the socket, closes it.
fn shut_down(listener: &TcpListener) {
    let _ = socket2::SockRef::from(listener).shutdown(Shutdown::Both);
}

/// Waits forever if the server handles no signals.
async fn next_stop_signal(signals: Option<&mut Signals>) {
    match signals {
        Some(signals) => signals.next_stop_signal().await,
        None => pending().await,
    }
}

/// They are caught from the moment when this value is created.
#[cfg(unix)]
struct Signals {
    terminate: actix_rt::signal::unix::Signal,
    interrupt: actix_rt::signal::unix::Signal,
    hangup: actix_rt::signal::unix::Signal,
    hangup_hook: Option<HangupHook>,
    handover: actix_rt::signal::unix::Signal,
    /// `None` while the server stops.
    handover_hook: Option<(HandoverHook, Vec<TcpListener>)>,
    state: Arc<ServerState>,
}

#[cfg(unix)]
impl Signals {
    pub(super) fn new(settings: &Settings, state: &Arc<ServerState>, sockets: Vec<TcpListener>) -> io::Result<Self> {
        use actix_rt::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            hangup_hook: settings.hangup_hook.clone(),
            handover: signal(SignalKind::user_defined2())?,
            handover_hook: settings.handover_hook.clone().map(|hook| (hook, sockets)),
            state: Arc::clone(state),
        })
    }

    async fn next_stop_signal(&mut self) {
        poll_fn(|task| {
            while self.hangup.poll_recv(task).is_ready() {
                log::info!("received SIGHUP");
                if let Some(tls) = &self.state.tls {
                    tls.reload();
                }
                if let Some(HangupHook(hook)) = &self.hangup_hook {
                    hook();
                }
            }
            while self.handover.poll_recv(task).is_ready() {
                self.hand_over();
            }
            let any = self.terminate.poll_recv(task).is_ready() || self.interrupt.poll_recv(task).is_ready();
            if any { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn hand_over(&self) {
        let Some((HandoverHook(hook), sockets)) = &self.handover_hook else { return };
        log::info!("received SIGUSR2");
        let cloned: io::Result<Vec<_>> = sockets.iter().map(TcpListener::try_clone).collect();
        match cloned.and_then(|sockets| hook(sockets)) {
            Ok(()) => self.state.shares_sockets.store(true, Ordering::Relaxed),
            Err(error) => log::error!("no other process takes over: {error}"),
        }
    }

    fn end_handover(&mut self) {
        self.handover_hook = None;
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(super) fn new(_: &Settings, _: &Arc<ServerState>, _: Vec<TcpListener>) -> io::Result<Self> {
        Ok(Self)
    }

    fn end_handover(&mut self) {}

    async fn next_stop_signal(&mut self) {
        if actix_rt::signal::ctrl_c().await.is_err() {
            pending::<()>().await;
        }
    }
}
