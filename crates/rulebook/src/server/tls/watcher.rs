//! The task that reads the certificates of a server again when their files have changed, and warns before they expire.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_rt::task::spawn_blocking;
use actix_rt::time::sleep;

use super::Tls;
use crate::unix_time::unix_time;

/// The interval at which the task checks whether a file has changed.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// The interval at which the task warns of a certificate that expires soon.
const WARNING_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);
/// The time before the end of a certificate from which the task warns.
const WARNING_TIME: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Reads the certificates again whenever their files have changed, and warns before they expire. Runs as long as the
/// server.
pub(in crate::server) async fn watch_certificates(tls: Arc<Tls>) {
    let (mut seen, mut warned) = (Vec::new(), None);
    loop {
        sleep(POLL_INTERVAL).await;
        let (watched, before) = (Arc::clone(&tls), seen);
        let reading = spawn_blocking(move || {
            let current = watched.stamps();
            // A certificate and its key are replaced one after the other, so that the files are read when they have not
            // changed for a while.
            let is_reloaded = current == before && watched.reload_if_changed(&current);
            (current, is_reloaded)
        });
        let Ok((current, is_reloaded)) = reading.await else { return };
        seen = current;
        if is_reloaded || warned.is_none_or(|at: Instant| at.elapsed() >= WARNING_INTERVAL) {
            warn_of_expiry(&tls);
            warned = Some(Instant::now());
        }
    }
}

/// Logs the certificates that have expired or expire soon.
fn warn_of_expiry(tls: &Tls) {
    let now = unix_time();
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
