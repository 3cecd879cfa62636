//! The signals that a server handles: SIGTERM and SIGINT stop it, and SIGHUP reads the certificates again, and calls
//! a function of the program.

use std::future::{pending, poll_fn};
use std::io;
use std::sync::Arc;
use std::task::Poll;

use super::tls::Tls;
use crate::settings::HangupHook;

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
    tls: Option<Arc<Tls>>,
}

#[cfg(unix)]
impl Signals {
    /// Begins to catch the signals. For each SIGHUP, `hangup_hook` is called, and the certificates are read again.
    pub(super) fn new(hangup_hook: Option<HangupHook>, tls: Option<Arc<Tls>>) -> io::Result<Self> {
        use actix_rt::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            hangup_hook,
            tls,
        })
    }

    async fn next_stop_signal(&mut self) {
        poll_fn(|task| {
            while self.hangup.poll_recv(task).is_ready() {
                log::info!("received SIGHUP");
                if let Some(tls) = &self.tls {
                    tls.reload();
                }
                if let Some(HangupHook(hook)) = &self.hangup_hook {
                    hook();
                }
            }
            let any = self.terminate.poll_recv(task).is_ready() || self.interrupt.poll_recv(task).is_ready();
            if any { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// The signals that the server handles, from the moment when this value is created.
#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(super) fn new(_: Option<HangupHook>, _: Option<Arc<Tls>>) -> io::Result<Self> {
        Ok(Self)
    }

    async fn next_stop_signal(&mut self) {
        if actix_rt::signal::ctrl_c().await.is_err() {
            pending::<()>().await;
        }
    }
}
