//! Limits the bytes of responses that wait on an HTTP/2 connection because the client does not receive them.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::{Buf, Bytes};

/// The number of bytes from which no further bytes are passed to a new connection.
const FIRST_MAX_BYTES: usize = 32 << 10;
/// The same number for a connection that has sent [`TRUSTED_BYTES`].
const MAX_BYTES: usize = 256 << 10;
/// The number of bytes after which a connection can have more bytes that wait.
const TRUSTED_BYTES: u64 = 256 << 10;

/// The bytes that a connection has not sent yet. The window of a stream cannot stop them, because bytes are passed to
/// the connection only when the client permits them. So a stream that the client does not read does not stop the
/// others.
#[derive(Default)]
pub(super) struct SendMemory {
    used: Cell<usize>,
    sent: Cell<u64>,
    stalled_since: Cell<Option<Instant>>,
    /// The tasks that wait until bytes are released.
    waiting: RefCell<Vec<Waker>>,
}

/// Some of the bytes, until they have been sent or dropped.
pub(super) struct ReservedBytes {
    length: usize,
    memory: Rc<SendMemory>,
}

/// A part of a response body.
pub(super) struct BodyPart {
    bytes: Bytes,
    reserved: ReservedBytes,
}

impl SendMemory {
    /// Waits until the connection can take further bytes, and reserves this number of bytes.
    pub(super) async fn reserve(self: &Rc<Self>, length: usize) -> ReservedBytes {
        poll_fn(|task| {
            let max = if self.sent.get() < TRUSTED_BYTES { FIRST_MAX_BYTES } else { MAX_BYTES };
            if self.used.get() >= max {
                self.wait(task);
                return Poll::Pending;
            }
            self.used.set(self.used.get() + length);
            Poll::Ready(ReservedBytes { length, memory: Rc::clone(self) })
        })
        .await
    }

    /// Returns the memory of a part without bytes, for which no part has to wait.
    pub(super) fn reserve_nothing(self: &Rc<Self>) -> ReservedBytes {
        ReservedBytes { length: 0, memory: Rc::clone(self) }
    }

    /// Returns the time since which parts wait and no bytes have been sent; `None` if no part waits.
    pub(super) fn stalled_since(&self) -> Option<Instant> {
        self.stalled_since.get()
    }

    /// Wakes the task when bytes have been released.
    fn wait(&self, task: &Context<'_>) {
        let mut waiting = self.waiting.borrow_mut();
        if !waiting.iter().any(|waker| waker.will_wake(task.waker())) {
            waiting.push(task.waker().clone());
        }
        if self.stalled_since.get().is_none() {
            self.stalled_since.set(Some(Instant::now()));
        }
    }
}

impl Drop for ReservedBytes {
    fn drop(&mut self) {
        let SendMemory { used, stalled_since, waiting, .. } = &*self.memory;
        used.set(used.get() - self.length);
        stalled_since.set(None);
        for waker in waiting.take() {
            waker.wake();
        }
    }
}

impl BodyPart {
    /// Returns the bytes of a body that were reserved before.
    pub(super) fn new(bytes: Bytes, reserved: ReservedBytes) -> Self {
        Self { bytes, reserved }
    }
}

impl Buf for BodyPart {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        let sent = &self.reserved.memory.sent;
        sent.set(sent.get().saturating_add(count as u64));
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn bytes_wait_until_earlier_bytes_have_been_sent() {
        let memory = Rc::new(SendMemory::default());
        let reserve = || memory.reserve(FIRST_MAX_BYTES).now_or_never();
        let send = |reserved| BodyPart::new(Bytes::from(vec![0; FIRST_MAX_BYTES]), reserved).advance(FIRST_MAX_BYTES);
        let first = reserve().expect("no bytes wait");
        assert!(reserve().is_none() && memory.stalled_since().is_some());
        send(first);
        assert!(memory.stalled_since().is_none());
        for _ in 1..TRUSTED_BYTES as usize / FIRST_MAX_BYTES {
            send(reserve().expect("no bytes wait"));
        }
        let parts: Vec<_> = (0..MAX_BYTES / FIRST_MAX_BYTES).map(|_| reserve()).collect();
        assert!(parts.iter().all(Option::is_some), "the client has received enough");
        assert!(reserve().is_none());
        drop(parts);
        assert_eq!(memory.used.get(), 0);
    }

    #[test]
    fn bytes_that_are_dropped_without_being_sent_do_not_count_as_sent() {
        let memory = Rc::new(SendMemory::default());
        drop(memory.reserve(MAX_BYTES).now_or_never());
        assert_eq!((memory.used.get(), memory.sent.get()), (0, 0));
    }
}
