//! A running server, and how it is stopped.

use std::future::{pending, poll_fn};
use std::io;
#[cfg(unix)]
use std::net::{Shutdown, TcpStream};
use std::net::{SocketAddr, TcpListener};
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_rt::System;
use actix_rt::time::{sleep, timeout};
use actix_server::{Server, ServerHandle};
use futures_util::future::{Either, select};
use tokio::sync::Notify;

use super::Settings;
use super::state::{Activity, ServerState};

/// The time from when a stopping server stops accepting connections until it asks its workers to stop.
///
/// The accepting thread counts a connection only after it has passed it to a worker. If that worker was asked to stop
/// before the connection is counted, it would assume that it has no connections, and close the new one.
const SETTLE_TIME: Duration = Duration::from_millis(50);

/// A running server. Dropping it stops the server without waiting for requests in flight.
#[derive(Debug)]
#[must_use = "the server stops when this is dropped"]
pub struct RunningServer {
    addresses: Vec<SocketAddr>,
    stopper: StopHandle,
    handle: ServerHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// A handle that stops a server from any thread.
#[derive(Debug, Clone)]
pub struct StopHandle(Arc<Notify>);

impl StopHandle {
    /// Asks the server to stop: it accepts no more connections, and ends when all requests in flight have ended.
    pub fn stop(&self) {
        self.0.notify_one();
    }
}

impl RunningServer {
    /// Returns the addresses on which the server listens, in the order of the settings.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Returns a handle that stops the server.
    #[must_use]
    pub fn stopper(&self) -> StopHandle {
        self.stopper.clone()
    }

    /// Waits until the server has stopped.
    ///
    /// # Errors
    /// Fails if the workers could not be started, or the server failed.
    pub fn wait(mut self) -> io::Result<()> {
        self.join()
    }

    /// Stops the server and waits until the requests in flight have ended.
    ///
    /// # Errors
    /// Fails as [`RunningServer::wait`] does.
    pub fn stop(mut self) -> io::Result<()> {
        self.stopper.stop();
        self.join()
    }

    fn join(&mut self) -> io::Result<()> {
        match self.thread.take() {
            Some(thread) => thread.join().unwrap_or_else(|_| Err(io::Error::other("the server's thread panicked"))),
            None => Ok(()),
        }
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        if self.thread.is_some() {
            // `stop` sends the command immediately; the returned future would only wait until it has been executed.
            drop(self.handle.stop(false));
            // `drop` cannot return an error.
            let _ = self.join();
        }
    }
}

/// Runs the server on a new thread, so that a program with any async runtime can start it. If the settings enable
/// signals, they are caught when this function returns.
pub(super) fn start(
    server: Server,
    listeners: Vec<TcpListener>,
    state: Arc<ServerState>,
    settings: &Settings,
) -> io::Result<RunningServer> {
    let addresses = listeners.iter().map(TcpListener::local_addr).collect::<io::Result<_>>()?;
    let (signals, shutdown) = (settings.handle_signals, settings.shutdown_timeout);
    let handle = server.handle();
    let stopper = StopHandle(Arc::new(Notify::new()));
    let requested = stopper.clone();
    let (ready, caught) = mpsc::channel();
    let thread = std::thread::Builder::new().name("rulebook".to_owned()).spawn(move || {
        System::new().block_on(async {
            let signals = if signals { Some(Signals::new()?) } else { None };
            drop(ready);
            state.links.start_sweeping();
            run(server, &state, &requested.0, signals, shutdown, listeners).await
        })
    })?;
    // No value is ever sent: this returns when the sender is dropped.
    let _: Result<(), _> = caught.recv();
    Ok(RunningServer { addresses, stopper, handle, thread: Some(thread) })
}

/// Runs the server until it fails, or until it has been asked to stop and the requests in flight have ended.
async fn run(
    server: Server,
    state: &ServerState,
    requested: &Notify,
    mut signals: Option<Signals>,
    shutdown: Duration,
    listeners: Vec<TcpListener>,
) -> io::Result<()> {
    let handle = server.handle();
    let server = match select(server, pin!(stop_requested(requested, signals.as_mut()))).await {
        Either::Left((ended, _)) => return ended,
        Either::Right(((), server)) => server,
    };
    state.mark_stopping();
    log::info!("stopping when the requests in flight have ended");
    drop(handle.pause());
    let server = match select(server, pin!(sleep(SETTLE_TIME))).await {
        Either::Left((ended, _)) => return ended,
        Either::Right(((), server)) => server,
    };
    listeners.into_iter().for_each(stop_listening);
    state.close();
    // A worker of actix and its runtime end as soon as it has no connections. Therefore this waits for handlers whose
    // clients have disconnected.
    let idle = pin!(timeout(shutdown, state.idle()));
    let (ended, server) = match select(server, pin!(select(idle, pin!(signal(signals.as_mut()))))).await {
        Either::Left((ended, _)) => return ended,
        Either::Right((Either::Left((Ok(()), _)), server)) => (true, Some(server)),
        Either::Right((Either::Left((Err(_), _)), server)) => (false, Some(server)),
        // Dropping the server does not wait for its workers.
        Either::Right((Either::Right(_), _server)) => (false, None),
    };
    if !ended {
        let Activity { connections, requests, handlers } = state.activity();
        log::warn!(
            "stopped before everything had ended: connections: {connections}, requests: {requests}, \
             handlers whose clients had disconnected: {handlers}"
        );
    }
    let Some(server) = server else { return Ok(()) };
    drop(handle.stop(false));
    server.await
}

/// Makes the operating system refuse new connections. Otherwise they would wait until the process ends, because no
/// thread accepts them.
///
/// The server owns the listener and closes it only at its end. On systems where a listener cannot be shut down, new
/// connections wait.
fn stop_listening(listener: TcpListener) {
    #[cfg(unix)]
    {
        let socket = TcpStream::from(OwnedFd::from(listener));
        let _ = socket.shutdown(Shutdown::Both);
    }
    #[cfg(not(unix))]
    drop(listener);
}

/// Waits until the program or a signal asks the server to stop.
async fn stop_requested(requested: &Notify, signals: Option<&mut Signals>) {
    let (requested, signal) = (pin!(requested.notified()), pin!(signal(signals)));
    select(requested, signal).await;
}

/// Waits for the next signal; forever if signals are not caught.
async fn signal(signals: Option<&mut Signals>) {
    match signals {
        Some(signals) => signals.next().await,
        None => pending().await,
    }
}

/// The signals that ask a program to stop.
struct Signals {
    #[cfg(unix)]
    terminate: actix_rt::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: actix_rt::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use actix_rt::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        poll_fn(|task| {
            let any = self.terminate.poll_recv(task).is_ready() || self.interrupt.poll_recv(task).is_ready();
            if any { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) {
        if actix_rt::signal::ctrl_c().await.is_err() {
            pending::<()>().await;
        }
    }
}
