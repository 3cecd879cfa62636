//! A server at work: its addresses, and how it is stopped.

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
use super::serving::{AtWork, Serving};

/// How long no more connections are taken before those at work are counted.
///
/// A connection is counted by the thread that accepts it only after it has been handed to its worker; were a
/// worker asked to stop in between, it would believe that it has none, and cut it off.
const SETTLE_TIME: Duration = Duration::from_millis(50);

/// A server at work. Dropping it stops it without waiting for requests in flight.
#[derive(Debug)]
#[must_use = "the server stops when this is dropped"]
pub struct Running {
    addresses: Vec<SocketAddr>,
    stopper: Stopper,
    handle: ServerHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// Stops a server from anywhere.
#[derive(Debug, Clone)]
pub struct Stopper(Arc<Notify>);

impl Stopper {
    /// Asks the server to stop: no new connections, and an end when the requests in flight have ended.
    pub fn stop(&self) {
        self.0.notify_one();
    }
}

impl Running {
    /// Where it listens, in the order of the settings.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What stops it.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Waits until it has stopped.
    ///
    /// # Errors
    /// Its workers could not be started, or it failed.
    pub fn wait(mut self) -> io::Result<()> {
        self.join()
    }

    /// Stops it and waits until the requests in flight have ended.
    ///
    /// # Errors
    /// As for [`Running::wait`].
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

impl Drop for Running {
    fn drop(&mut self) {
        if self.thread.is_some() {
            // The command is sent at once; the future only tells when it has been carried out.
            drop(self.handle.stop(false));
            // There is nobody left to tell an error to.
            let _ = self.join();
        }
    }
}

/// Runs the server on a thread of its own, which any program can start whatever runtime it has itself. When this
/// returns, signals are caught if they shall be.
pub(super) fn start(
    server: Server,
    listeners: Vec<TcpListener>,
    serving: Arc<Serving>,
    settings: &Settings,
) -> io::Result<Running> {
    let addresses = listeners.iter().map(TcpListener::local_addr).collect::<io::Result<_>>()?;
    let (signals, shutdown) = (settings.signals, settings.shutdown);
    let handle = server.handle();
    let stopper = Stopper(Arc::new(Notify::new()));
    let asked = stopper.clone();
    let (ready, caught) = mpsc::channel();
    let thread = std::thread::Builder::new().name("rulebook".to_owned()).spawn(move || {
        System::new().block_on(async {
            let signals = if signals { Some(Signals::new()?) } else { None };
            drop(ready);
            actix_rt::spawn(Arc::clone(&serving.links).keep_clean());
            run(server, &serving, &asked.0, signals, shutdown, listeners).await
        })
    })?;
    // Nothing is ever sent: that the other end is dropped is the news.
    let _: Result<(), _> = caught.recv();
    Ok(Running { addresses, stopper, handle, thread: Some(thread) })
}

/// Runs the server until it ends by itself, or until it is asked to stop and the requests in flight have ended.
async fn run(
    server: Server,
    serving: &Serving,
    asked: &Notify,
    mut signals: Option<Signals>,
    shutdown: Duration,
    listeners: Vec<TcpListener>,
) -> io::Result<()> {
    let handle = server.handle();
    let server = match select(server, pin!(stop(asked, signals.as_mut()))).await {
        Either::Left((ended, _)) => return ended,
        Either::Right(((), server)) => server,
    };
    serving.stop();
    log::info!("stopping when the requests in flight have ended");
    drop(handle.pause());
    let server = match select(server, pin!(sleep(SETTLE_TIME))).await {
        Either::Left((ended, _)) => return ended,
        Either::Right(((), server)) => server,
    };
    listeners.into_iter().for_each(deafen);
    serving.close();
    // A worker of actix ends as soon as it has no connections, and its runtime with it; handlers whose clients have
    // gone are waited for here.
    let rest = pin!(timeout(shutdown, serving.at_rest()));
    let (ended, server) = match select(server, pin!(select(rest, pin!(signal(signals.as_mut()))))).await {
        Either::Left((ended, _)) => return ended,
        Either::Right((Either::Left((Ok(()), _)), server)) => (true, Some(server)),
        Either::Right((Either::Left((Err(_), _)), server)) => (false, Some(server)),
        // Dropped, the server leaves its workers without waiting for them.
        Either::Right((Either::Right(_), _server)) => (false, None),
    };
    if !ended {
        let AtWork { connections, requests, handlers } = serving.at_work();
        log::warn!(
            "cut off: connections: {connections}, requests: {requests}, handlers whose clients had gone: {handlers}"
        );
    }
    let Some(server) = server else { return Ok(()) };
    drop(handle.stop(false));
    server.await
}

/// Has connections refused that nobody would take any more; without this they would wait until the process ends.
///
/// The listener itself is the server's, and only ends with it. Where the system does not know how to stop listening,
/// they do wait.
fn deafen(listener: TcpListener) {
    #[cfg(unix)]
    {
        let socket = TcpStream::from(OwnedFd::from(listener));
        let _ = socket.shutdown(Shutdown::Both);
    }
    #[cfg(not(unix))]
    drop(listener);
}

/// Being asked to stop, by the program or by a signal.
async fn stop(asked: &Notify, signals: Option<&mut Signals>) {
    let (asked, signal) = (pin!(asked.notified()), pin!(signal(signals)));
    select(asked, signal).await;
}

/// The next signal, where they are listened to.
async fn signal(signals: Option<&mut Signals>) {
    match signals {
        Some(signals) => signals.next().await,
        None => pending().await,
    }
}

/// The signals that ask a program to end.
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
