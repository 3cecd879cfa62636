//! The bytes of a connection to a client, with or without TLS.

use actix_rt::net::TcpStream;
use actix_rt::time::timeout;
use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::either::Either;

use super::connection_limits::LINGER_TIMEOUT;
use super::tls::TlsStream;

/// The bytes of a connection. A stream with TLS is boxed: otherwise it would enlarge the memory of every connection.
pub(super) type Transport = Either<TcpStream, Box<TlsStream>>;

/// Closes the sending side of the server. Over TLS, the client learns that this is the end of what it receives
/// (`close_notify`, RFC 8446 section 6.1).
///
/// Then discards what the client still sends, until it closes its side too or [`LINGER_TIMEOUT`] is over: closing the
/// socket would discard a response that the client has not read (RFC 9112 section 9.6). If the client is not
/// `expected_to_send`, only waits if something has already arrived.
pub(super) async fn end_connection(mut transport: Transport, expected_to_send: bool) {
    let ending = async {
        let mut discarded = vec![0; 4 << 10];
        if transport.shutdown().await.is_err() {
            return;
        }
        let first = transport.read(&mut discarded);
        let mut read = if expected_to_send { first.await } else { first.now_or_never().unwrap_or(Ok(0)) };
        while matches!(read, Ok(1..)) {
            read = transport.read(&mut discarded).await;
        }
    };
    // The result does not matter: the connection is over.
    let _ = timeout(LINGER_TIMEOUT, ending).await;
}
