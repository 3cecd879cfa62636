//! The thread that reads the certificates of a server again when their files have changed, and warns before they
//! expire.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::Tls;

/// The interval at which the thread checks whether a file has changed.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// The interval at which the thread warns of a certificate that expires soon.
const WARNING_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);
/// The time for which a server that stops waits for the thread. A file system that does not respond can block it.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);
/// The time before the end of a certificate from which the thread warns.
const WARNING_TIME: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Watches the files of the certificates until it is dropped.
pub(in crate::server) struct TlsWatcher {
    stop: Option<Sender<()>>,
    /// The thread drops the sender when it ends.
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl TlsWatcher {
    /// Starts the thread.
    ///
    /// # Errors
    /// Fails if the system cannot start a thread.
    pub(in crate::server) fn start(tls: &Arc<Tls>) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let (running, ended) = mpsc::channel();
        let tls = Arc::clone(tls);
        let watch = move || {
            let _running: Sender<()> = running;
            let (mut seen, mut warned) = (tls.stamps(), None);
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(POLL_INTERVAL) {
                // A certificate and its key are replaced one after the other, so that the files are read when they have
                // not changed for a while.
                let current = tls.stamps();
                if current == seen && tls.reload_if_changed(&current) {
                    warned = None;
                }
                seen = current;
                if warned.is_none_or(|at: Instant| at.elapsed() >= WARNING_INTERVAL) {
                    warn_of_expiry(&tls);
                    warned = Some(Instant::now());
                }
            }
        };
        let thread = thread::Builder::new().name("certificates".to_owned()).spawn(watch)?;
        Ok(Self { stop: Some(stop), ended, thread: Some(thread) })
    }
}

impl Drop for TlsWatcher {
    fn drop(&mut self) {
        drop(self.stop.take());
        let has_ended = self.ended.recv_timeout(STOP_TIMEOUT) == Err(RecvTimeoutError::Disconnected);
        if let Some(thread) = self.thread.take().filter(|_| has_ended) {
            // If the thread has panicked, the panic has been logged already.
            let _ = thread.join();
        }
    }
}

/// Logs the certificates that have expired or expire soon.
fn warn_of_expiry(tls: &Tls) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    for (file, expiry) in tls.expiry_times() {
        match expiry.checked_sub(now) {
            None => log::error!("the TLS certificate {file} has expired"),
            Some(left) if left < WARNING_TIME.as_secs() => {
                log::warn!("the TLS certificate {file} expires in {} days", left / (24 * 60 * 60));
            }
            Some(_) => {}
        }
    }
}
