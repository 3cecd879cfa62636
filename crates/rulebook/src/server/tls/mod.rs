//! TLS 1.2 and 1.3 (RFC 5246 and RFC 8446) with the crate `rustls`.
//!
//! The task of a connection does the handshake, so that it runs on the worker of the connection, has a time limit, and
//! counts for the limits of connections.

mod certificates;
mod watcher;

use std::io;
use std::net::SocketAddr;

use actix_rt::net::TcpStream;
use tokio_rustls::TlsAcceptor;

pub(super) use certificates::Tls;
pub(super) use watcher::watch_certificates;

use crate::call::{ClientCertificate, TlsSession};

/// The name of HTTP/2 in the handshake (RFC 9113 section 3.1).
const HTTP2_PROTOCOL: &[u8] = b"h2";
/// The names of HTTP/1.1 and HTTP/1.0 in the handshake (RFC 7301 section 6). Some clients of HTTP/1.0 offer only that.
const HTTP1_PROTOCOLS: [&[u8]; 2] = [b"http/1.1", b"http/1.0"];
/// The number of encrypted bytes that wait in the memory of a connection until the system accepts them: one record of
/// the maximum length (RFC 8446 section 5.1).
const UNSENT_LEN: usize = 16 << 10;

pub(super) type TlsStream = tokio_rustls::server::TlsStream<TcpStream>;

/// A connection whose handshake is complete.
pub(super) struct Encrypted {
    pub(super) stream: Box<TlsStream>,
    pub(super) session: TlsSession,
    pub(super) is_http2: bool,
}

impl Tls {
    /// Does the handshake of a connection. HTTP/2 is offered if `with_http2` is `true`.
    pub(super) async fn accept(&self, stream: TcpStream, peer: SocketAddr, with_http2: bool) -> io::Result<Encrypted> {
        let acceptor = TlsAcceptor::from(self.server_config(with_http2));
        let accepted = acceptor.accept_with(stream, |connection| connection.set_buffer_limit(Some(UNSENT_LEN))).await;
        let stream = accepted.inspect_err(|error| log_failure(peer, error))?;
        let connection = stream.get_ref().1;
        let is_http2 = connection.alpn_protocol() == Some(HTTP2_PROTOCOL);
        let certificate = connection.peer_certificates().and_then(|chain| chain.first());
        let session = TlsSession { client_certificate: certificate.map(|it| ClientCertificate::new(it)) };
        Ok(Encrypted { stream: Box::new(stream), session, is_http2 })
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
