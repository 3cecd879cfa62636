//! Limits the bytes that the operating system keeps for a client that does not receive them.
//!
//! Without a limit, the system accepts some megabytes of a long response for each such client, and copies them. A new
//! connection therefore begins with few unsent bytes. A client that has received a part of its responses gets more, so
//! that the system can send without waiting for a busy worker.

use std::cell::Cell;
use std::net::TcpListener;

use actix_rt::net::TcpStream;

#[cfg(any(target_os = "android", target_os = "linux"))]
use super::connection_limits::PROGRESS_TIMEOUT;

/// The number of bytes that a single write of a new connection sends at most. It is also the number of bytes that the
/// system keeps for a new connection and has not sent yet.
const FIRST_UNSENT_BYTES: u32 = 32 << 10;
/// The number of bytes that the system keeps for a connection, and has not sent yet, after the connection has sent
/// [`TRUSTED_BYTES`].
const MAX_UNSENT_BYTES: u32 = 256 << 10;
/// The number of bytes that a new connection sends until its writes are no longer limited.
const TRUSTED_BYTES: usize = 256 << 10;

/// Limits the unsent bytes of the connections of a listener: they have the options of the listener.
pub(super) fn limit_unsent_bytes(listener: &TcpListener) {
    set_unsent_bytes(&socket2::SockRef::from(listener), FIRST_UNSENT_BYTES);
}

/// Makes the system close the connections of a listener if the client receives no further byte for [`PROGRESS_TIMEOUT`].
/// Only the system knows what a client has received.
pub(super) fn limit_unacknowledged_time(listener: &TcpListener) {
    #[cfg(any(target_os = "android", target_os = "linux"))]
    if let Err(error) = socket2::SockRef::from(listener).set_tcp_user_timeout(Some(PROGRESS_TIMEOUT)) {
        log::debug!("the system cannot limit the time in which a client receives nothing: {error}");
    }
    #[cfg(not(any(target_os = "android", target_os = "linux")))]
    let _ = listener;
}

#[cfg(any(target_os = "android", target_os = "linux"))]
fn set_unsent_bytes(socket: &socket2::SockRef<'_>, bytes: u32) {
    if let Err(error) = socket.set_tcp_notsent_lowat(bytes) {
        log::debug!("the system cannot limit the unsent bytes of connections: {error}");
    }
}

#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn set_unsent_bytes(_: &socket2::SockRef<'_>, _: u32) {}

/// The bytes that a connection has sent, until it has sent [`TRUSTED_BYTES`].
#[derive(Debug, Default)]
pub(super) struct SentBytes(Cell<usize>);

impl SentBytes {
    /// Returns the number of bytes that the next write may send.
    pub(super) fn max_write_len(&self) -> usize {
        if self.0.get() < TRUSTED_BYTES { FIRST_UNSENT_BYTES as usize } else { usize::MAX }
    }

    /// Counts bytes that the system has accepted.
    pub(super) fn add(&self, count: usize, stream: &TcpStream) {
        let before = self.0.get();
        if before >= TRUSTED_BYTES {
            return;
        }
        self.0.set(before + count);
        if before + count >= TRUSTED_BYTES {
            set_unsent_bytes(&socket2::SockRef::from(stream), MAX_UNSENT_BYTES);
        }
    }
}
