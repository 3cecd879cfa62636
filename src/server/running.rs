//! A server at work: its addresses, and how it is stopped.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::mpsc;
use std::task::Poll;
use std::thread::JoinHandle;

use actix_rt::System;
use actix_server::{Server, ServerHandle};
use futures_util::future::{Either, select};

/// A server at work. Dropping it stops it without waiting for requests in flight.
#[derive(Debug)]
#[must_use = "the server stops when this is dropped"]
pub struct Running {
    addresses: Vec<SocketAddr>,
    stopper: Stopper,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// Stops a server from anywhere.
#[derive(Debug, Clone)]
pub struct Stopper(ServerHandle);

impl Stopper {
    /// Asks the server to stop: no new connections, and an end when the requests in flight have ended.
    pub fn stop(&self) {
        // The command is sent at once; the future only tells when it has been carried out.
        drop(self.0.stop(true));
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
            drop(self.stopper.0.stop(false));
            // There is nobody left to tell an error to.
            let _ = self.join();
        }
    }
}

/// Runs the server on a thread of its own, which any program can start whatever runtime it has itself. When this
/// returns, signals are caught if they shall be.
pub(super) fn start(server: Server, addresses: Vec<SocketAddr>, signals: bool) -> io::Result<Running> {
    let stopper = Stopper(server.handle());
    let (ready, caught) = mpsc::channel();
    let thread = std::thread::Builder::new().name("rulebook".to_owned()).spawn(move || {
        System::new().block_on(async {
            if !signals {
                drop(ready);
                return server.await;
            }
            let signals = Signals::new()?;
            drop(ready);
            until_signal(server, signals).await
        })
    })?;
    // Nothing is ever sent: that the other end is dropped is the news.
    let _: Result<(), _> = caught.recv();
    Ok(Running { addresses, stopper, thread: Some(thread) })
}

/// The server, until it ends by itself or a signal ends it.
async fn until_signal(server: Server, mut signals: Signals) -> io::Result<()> {
    let stopper = Stopper(server.handle());
    let server = match select(server, pin!(signals.next())).await {
        Either::Left((ended, _)) => return ended,
        Either::Right(((), server)) => server,
    };
    log::info!("stopping; another signal stops at once");
    stopper.stop();
    match select(server, pin!(signals.next())).await {
        Either::Left((ended, _)) => ended,
        // Dropped, the server leaves its workers without waiting for them.
        Either::Right(((), _server)) => Ok(()),
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
            poll_fn(|_| Poll::<()>::Pending).await;
        }
    }
}
