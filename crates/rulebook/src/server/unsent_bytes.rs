//! Limits the bytes that the operating system keeps for a client that does not receive them.
//!
//! Without a limit, the system accepts some megabytes of a long response for each such client, and copies them. A new
//! connection therefore begins with few unsent bytes. A client that has received a part of its responses fast gets
//! more, so that the system can send without waiting for a busy worker.
//!
//! The server measures the progress of a client by the bytes that the system accepts. The system accepts some when half
//! of the unsent bytes have been sent: while they are few, the progress of slow clients is noticed too.

use std::cell::Cell;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use actix_rt::net::TcpStream;

/// The number of bytes that a single write of a new connection sends at most. It is also the number of bytes that the
/// system keeps for a new connection and has not sent yet.
const FIRST_UNSENT_BYTES: u32 = 32 << 10;
/// The number of bytes that the system keeps for a connection, and has not sent yet, after the connection has sent
/// [`TRUSTED_BYTES`].
const MAX_UNSENT_BYTES: u32 = 128 << 10;
/// The number of bytes that a new connection sends until its writes are no longer limited.
const TRUSTED_BYTES: usize = 256 << 10;

/// Limits the unsent bytes of the connections of a listener: they have the options of the listener.
pub(super) fn limit_unsent_bytes(listener: &TcpListener) {
    set_unsent_bytes(&socket2::SockRef::from(listener), FIRST_UNSENT_BYTES);
}

#[cfg(any(target_os = "android", target_os = "linux"))]
fn set_unsent_bytes(socket: &socket2::SockRef<'_>, bytes: u32) {
    if let Err(error) = socket.set_tcp_notsent_lowat(bytes) {
        log::debug!("the system cannot limit the unsent bytes of connections: {error}");
    }
}

#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn set_unsent_bytes(_: &socket2::SockRef<'_>, _: u32) {}

/// The time for which the system accepts no bytes after which a client is slow.
const SLOW: Duration = Duration::from_secs(1);

/// The bytes that a connection has sent since its client was last slow, until it has sent [`TRUSTED_BYTES`].
#[derive(Debug, Default)]
pub(super) struct SentBytes {
    count: Cell<usize>,
    /// The time since which the system accepts no bytes.
    waiting_since: Cell<Option<Instant>>,
}

impl SentBytes {
    /// Returns the number of bytes that the next write may send.
    #[inline]
    pub(super) fn max_write_len(&self) -> usize {
        if self.count.get() < TRUSTED_BYTES { FIRST_UNSENT_BYTES as usize } else { usize::MAX }
    }

    /// Notes that the system accepts no bytes at the moment.
    pub(super) fn wait(&self) {
        if self.waiting_since.get().is_none() {
            self.waiting_since.set(Some(Instant::now()));
        }
    }

    /// Counts bytes that the system has accepted.
    #[inline]
    pub(super) fn add(&self, count: usize, stream: &TcpStream) {
        let is_waiting = self.waiting_since.get().is_some();
        if is_waiting || self.count.get() < TRUSTED_BYTES {
            self.add_first_bytes(count, stream);
        }
    }

    /// Counts bytes after which the number of unsent bytes may change.
    fn add_first_bytes(&self, count: usize, stream: &TcpStream) {
        let before = self.count.get();
        let was_slow = self.waiting_since.take().is_some_and(|since| since.elapsed() >= SLOW);
        if was_slow && before >= TRUSTED_BYTES {
            set_unsent_bytes(&socket2::SockRef::from(stream), FIRST_UNSENT_BYTES);
        }
        let before = if was_slow { 0 } else { before };
        if before >= TRUSTED_BYTES {
            return;
        }
        self.count.set(before + count);
        if before + count >= TRUSTED_BYTES {
            set_unsent_bytes(&socket2::SockRef::from(stream), MAX_UNSENT_BYTES);
        }
    }
}
