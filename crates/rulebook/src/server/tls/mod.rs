//! TLS 1.2 and 1.3 (RFC 5246 and RFC 8446) with the crate `rustls`.
//!
//! The task of a connection does the handshake, so that it runs on the worker of the connection, has a time limit, and
//! counts for the limits of connections. Then [`TlsStream`] takes the place of the TCP stream.

mod certificates;
mod stream;
mod watcher;

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Instant;

use actix_rt::net::TcpStream;
use rulebook_model::connection_limits::TLS_HANDSHAKE;
use rustls::server::Acceptor;
use tokio_rustls::LazyConfigAcceptor;

pub(super) use certificates::Tls;
use stream::EncryptedStream;
pub(super) use stream::{TlsStream, UNSENT_LEN};
pub(super) use watcher::TlsWatcher;

use super::alarm::Alarm;
use super::client_stream::ClientStream;
use super::connection::Served;
use super::connection_limits::{HANDSHAKE_TIMEOUT, RESERVED_HEAD_TIMEOUT};
use super::http2::Counted;
use super::pausable_stream::PausableStream;
use super::worker::Worker;
use crate::call::{ClientCertificate, TlsSession};

/// The name of HTTP/2 in the handshake (RFC 9113 section 3.1).
const HTTP2_PROTOCOL: &[u8] = b"h2";
/// The names of HTTP/1.1 and HTTP/1.0 in the handshake (RFC 7301 section 6). Some clients of HTTP/1.0 offer only that.
const HTTP1_PROTOCOLS: [&[u8]; 2] = [b"http/1.1", b"http/1.0"];

/// How a connection to an address with TLS begins.
pub(super) enum Accepted<'w> {
    /// The handshake is complete. If `http2` is `Some`, the client speaks HTTP/2.
    Tls { stream: ClientStream, http2: Option<Counted<'w>> },
    /// The client has sent something like a request of HTTP/1 without TLS. Nothing has been read.
    Unencrypted(TcpStream),
    /// The connection can be closed.
    Closed(Option<ClientStream>),
}

/// Does the handshake of a connection.
pub(super) async fn accept<'w>(
    stream: TcpStream,
    peer: SocketAddr,
    worker: &'w Rc<Worker>,
    served: Served,
) -> Accepted<'w> {
    let timeout = if served == Served::ServerState { RESERVED_HEAD_TIMEOUT } else { HANDSHAKE_TIMEOUT };
    let deadline = Instant::now() + timeout;
    let mut alarm = Alarm::new(worker.shared_state(), deadline);
    let mut handshake = pin!(handshake(stream, peer, worker, served));
    poll_fn(|task| {
        if let Poll::Ready(accepted) = handshake.as_mut().poll(task) {
            return Poll::Ready(accepted);
        }
        alarm.poll_or_close(deadline, worker.state(), task).map(|()| {
            if !worker.state().is_closing() {
                worker.state().exceeded_limits.count(&TLS_HANDSHAKE, Some(peer));
            }
            Accepted::Closed(None)
        })
    })
    .await
}

async fn handshake<'w>(stream: TcpStream, peer: SocketAddr, worker: &'w Rc<Worker>, served: Served) -> Accepted<'w> {
    let Some(tls) = &worker.state().tls else { return Accepted::Closed(None) };
    let mut first = [0];
    match stream.peek(&mut first).await {
        // The type of the first record of TLS is 22. Methods of HTTP begin with a letter.
        Ok(1) if first[0].is_ascii_alphabetic() => return Accepted::Unencrypted(stream),
        Ok(1) => {}
        _ => return Accepted::Closed(None),
    }
    let client = worker.state().limited_peer(Some(peer)).map(|peer| peer.ip());
    let tcp = PausableStream::new(stream, true);
    let mut accepting =
        LazyConfigAcceptor::new(Acceptor::default(), EncryptedStream::new(tcp, worker.shared_state(), client));
    let begun = match Pin::new(&mut accepting).await {
        Ok(begun) => begun,
        Err(error) => return failed(peer, &error, accepting.take_io()),
    };
    // A client to which HTTP/2 is not offered, because there are too many connections of HTTP/2, speaks HTTP/1.1.
    let offers_http2 = begun.client_hello().alpn().is_some_and(|mut names| names.any(|name| name == HTTP2_PROTOCOL));
    let counted = if offers_http2 && served == Served::Everything { Counted::new(worker, Some(peer)) } else { None };
    let config = tls.server_config(counted.is_some());
    let accepting = begun.into_stream_with(config, |connection| connection.set_buffer_limit(Some(UNSENT_LEN)));
    let stream = match accepting.into_fallible().await {
        Ok(stream) => stream,
        Err((error, stream)) => return failed(peer, &error, Some(stream)),
    };
    let connection = stream.get_ref().1;
    let http2 = counted.filter(|_| connection.alpn_protocol() == Some(HTTP2_PROTOCOL));
    let certificate = connection.peer_certificates().and_then(|chain| chain.first());
    let session = TlsSession { client_certificate: certificate.map(|it| ClientCertificate::new(it)) };
    Accepted::Tls { stream: ClientStream::Tls(Box::new(TlsStream::new(stream, session))), http2 }
}

/// Logs the reason why a handshake has failed.
fn failed<'w>(peer: SocketAddr, error: &io::Error, stream: Option<EncryptedStream>) -> Accepted<'w> {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    match cause {
        // An operator needs to know why a client is not accepted. Other errors are frequent on public addresses.
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
            log::info!(peer:%; "the TLS handshake with {peer} failed: {error}");
        }
        _ => log::debug!(peer:%; "the TLS handshake with {peer} failed: {error}"),
    }
    Accepted::Closed(stream.map(|stream| ClientStream::Plain(stream.into_tcp())))
}
