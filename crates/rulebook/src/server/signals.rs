//! The signals that a server handles: SIGTERM and SIGINT stop it, SIGHUP reads the certificates again and calls a
//! function of the program, and SIGUSR2 calls another function of the program, which gets the sockets.

use std::future::{pending, poll_fn};
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use super::state::ServerState;
use crate::settings::{HandoverHook, HangupHook, Settings};

/// Waits for the next signal that asks the process to stop. Waits forever if the server handles no signals.
pub(super) async fn next_stop_signal(signals: Option<&mut Signals>) {
    match signals {
        Some(signals) => signals.next_stop_signal().await,
        None => pending().await,
    }
}

/// The signals that the server handles, from the moment when this value is created.
#[cfg(unix)]
pub(super) struct Signals {
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
    /// Begins to catch the signals.
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

    /// Passes the sockets to the function of the program.
    fn hand_over(&self) {
        let Some((HandoverHook(hook), sockets)) = &self.handover_hook else { return };
        log::info!("received SIGUSR2");
        let cloned: io::Result<Vec<_>> = sockets.iter().map(TcpListener::try_clone).collect();
        match cloned.and_then(|sockets| hook(sockets)) {
            Ok(()) => self.state.shares_sockets.store(true, Ordering::Relaxed),
            Err(error) => log::error!("no other process takes over: {error}"),
        }
    }

    /// Closes the sockets, because the server stops.
    pub(super) fn end_handover(&mut self) {
        self.handover_hook = None;
    }
}

/// The signals that the server handles, from the moment when this value is created.
#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(super) fn new(_: &Settings, _: &Arc<ServerState>, _: Vec<TcpListener>) -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) fn end_handover(&mut self) {}

    async fn next_stop_signal(&mut self) {
        if actix_rt::signal::ctrl_c().await.is_err() {
            pending::<()>().await;
        }
    }
}
