//! TLS 1.2 and 1.3 (RFC 5246 and RFC 8446) with the crate `rustls`.
//!
//! The task of a connection does the handshake, so that it runs on the worker of the connection, has a time limit, and
//! counts for the limits of connections.

mod certificates;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_rt::net::TcpStream;
use actix_rt::task::spawn_blocking;
use actix_rt::time::sleep;
use tokio_rustls::TlsAcceptor;

pub(super) use certificates::Tls;

use crate::call::{ClientCertificate, TlsSession};
use crate::unix_time::unix_time;

/// The names of HTTP/1.1 and HTTP/1.0 in the handshake (RFC 7301 section 6). Some clients of HTTP/1.0 offer only that.
const PROTOCOLS: [&[u8]; 2] = [b"http/1.1", b"http/1.0"];
/// The number of encrypted bytes that wait in the memory of a connection until the system accepts them: one record of
/// the maximum length (RFC 8446 section 5.1).
const UNSENT_LEN: usize = 16 << 10;

pub(super) type TlsStream = tokio_rustls::server::TlsStream<TcpStream>;

/// A connection whose handshake is complete.
pub(super) struct Encrypted {
    pub(super) stream: Box<TlsStream>,
    pub(super) session: TlsSession,
}

impl Tls {
    /// Does the handshake of a connection.
    pub(super) async fn accept(&self, stream: TcpStream, peer: SocketAddr) -> io::Result<Encrypted> {
        let acceptor = TlsAcceptor::from(self.server_config());
        let accepted = acceptor.accept_with(stream, |connection| connection.set_buffer_limit(Some(UNSENT_LEN))).await;
        let stream = accepted.inspect_err(|error| log_failure(peer, error))?;
        let connection = stream.get_ref().1;
        let certificate = connection.peer_certificates().and_then(|chain| chain.first());
        let session = TlsSession { client_certificate: certificate.map(|it| ClientCertificate::new(it)) };
        Ok(Encrypted { stream: Box::new(stream), session })
    }
}

/// Logs the reason why a handshake has failed.
fn log_failure(peer: SocketAddr, error: &io::Error) {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    match cause {
        // An operator needs to know why a client is not accepted. Other errors are frequent on public addresses.
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
            log::info!(peer:%; "the TLS handshake with {peer} failed: {error}");
        }
        _ => log::debug!(peer:%; "the TLS handshake with {peer} failed: {error}"),
    }
}

/// The interval at which the task checks whether a file has changed.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// The interval at which the task warns of a certificate that expires soon.
const WARNING_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);
/// The time before the end of a certificate from which the task warns.
const WARNING_TIME: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Reads the certificates again whenever their files have changed, and warns before they expire. Runs as long as the
/// server.
pub(super) async fn watch_certificates(tls: Arc<Tls>) {
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
