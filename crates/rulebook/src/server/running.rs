//! A running server, and the ways to stop it.

use std::io;
#[cfg(unix)]
use std::net::{Shutdown, TcpStream};
use std::net::{SocketAddr, TcpListener};
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_rt::System;
use actix_rt::time::{sleep, timeout};
use actix_server::{Server, ServerHandle};
use futures_util::future::{Either, select};
use tokio::sync::Notify;

use super::signals::{Signals, next_stop_signal};
use super::state::{ServerActivity, ServerState};
use super::tls::TlsWatcher;
use super::{Settings, split_scheme};

/// The time from when a stopping server stops accepting connections until it asks its workers to stop.
///
/// The thread that accepts a connection passes it to a worker first, and counts it after that. If the worker were asked
/// to stop in between, it would assume that it has no connections, and close the new connection.
const ACCEPT_SETTLE_TIME: Duration = Duration::from_millis(50);

/// A running server. Dropping this value stops the server without waiting for requests in flight.
#[derive(Debug)]
#[must_use = "the server stops when this is dropped"]
pub struct RunningServer {
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

impl RunningServer {
    /// Returns the addresses on which the server listens, in the order of [`Settings::bind`].
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

/// Runs a server on a new thread, so that it works with any async runtime of the program. If the settings enable
/// signals, the server catches SIGTERM and SIGINT from the moment when this function returns.
pub(super) fn start_server(
    server: Server,
    listeners: Vec<TcpListener>,
    state: Arc<ServerState>,
    settings: &Settings,
) -> io::Result<RunningServer> {
    let addresses = listeners.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>()?;
    let (signals, shutdown) = (settings.handle_signals, settings.shutdown_timeout);
    let hangup_hook = settings.hangup_hook.clone();
    let watcher = state.tls.as_ref().map(TlsWatcher::start).transpose()?;
    let handle = server.handle();
    let stopper = StopHandle(Arc::new(Notify::new()));
    let requested = stopper.clone();
    let (ready, caught) = mpsc::channel();
    let thread = std::thread::Builder::new().name("rulebook".to_owned()).spawn(move || {
        let plan = Arc::clone(&state.plan);
        let ended = System::new().block_on(async {
            let signals = if signals { Some(Signals::new(hangup_hook, state.tls.clone())?) } else { None };
            let _watcher = watcher;
            drop(ready);
            state.links.start_sweeping();
            let ended = run_until_stopped(server, &state, &requested.0, signals, shutdown, listeners).await;
            if ended.is_ok() {
                log::info!("stopped");
            }
            ended
        });
        if let Some(tracer) = &plan.load().tracer {
            tracer.flush();
        }
        ended
    })?;
    // The thread never sends a value. `recv` returns when the thread drops the sender, after it has begun to catch
    // signals.
    let _: Result<(), _> = caught.recv();
    for (address, bound) in addresses.iter().zip(&settings.bind) {
        let with_tls = if split_scheme(bound).0 { " with TLS" } else { "" };
        log::info!(address:%; "listening on {address}{with_tls}");
    }
    Ok(RunningServer { addresses, stopper, handle, thread: Some(thread) })
}

/// Runs a server until it fails, or until it was asked to stop and the requests in flight have ended.
async fn run_until_stopped(
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
    let server = match select(server, pin!(sleep(ACCEPT_SETTLE_TIME))).await {
        Either::Left((ended, _)) => return ended,
        Either::Right(((), server)) => server,
    };
    listeners.into_iter().for_each(stop_listening);
    state.close_connections();
    // A worker of actix and its runtime end as soon as the worker has no connections. Handlers whose clients have
    // disconnected would be aborted then. Therefore the server first waits until these handlers have ended.
    let idle = pin!(timeout(shutdown, state.wait_until_idle()));
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

/// Makes the operating system refuse new connections. Otherwise a new connection would wait until the process ends,
/// because no thread accepts it.
///
/// The server owns the socket, and closes it only when the server ends. On systems where a listening socket cannot be
/// shut down before it is closed, new connections wait until then.
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
    let (requested, signal) = (pin!(requested.notified()), pin!(next_stop_signal(signals)));
    select(requested, signal).await;
}
