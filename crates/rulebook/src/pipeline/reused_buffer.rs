//! Memory for the bodies of replies, which a worker uses again for its next replies.

use std::cell::Cell;
use std::ops::Deref;

/// The maximum size in bytes of the memory that a worker keeps.
const MAX_KEPT_SIZE: usize = 64 << 10;

thread_local! {
    /// Memory that is not in use.
    static UNUSED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The bytes of a reply's body. When this value is dropped, its memory is kept for the next reply of this thread.
#[derive(Debug, Default)]
pub struct ReusedBuffer(Vec<u8>);

impl ReusedBuffer {
    /// Returns empty memory. Its capacity is that of an earlier body, so that most bodies need no allocation.
    pub(super) fn empty_memory() -> Vec<u8> {
        // The thread may be ending, so that its memory has been released already.
        UNUSED.try_with(Cell::take).unwrap_or_default()
    }

    /// Returns the bytes without keeping their memory.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

impl From<Vec<u8>> for ReusedBuffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for ReusedBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for ReusedBuffer {
    fn drop(&mut self) {
        if (1..=MAX_KEPT_SIZE).contains(&self.0.capacity()) {
            self.0.clear();
            let _ = UNUSED.try_with(|unused| unused.set(std::mem::take(&mut self.0)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_a_dropped_body_is_used_again() {
        let mut bytes = ReusedBuffer::empty_memory();
        bytes.extend_from_slice(b"body");
        let (memory, body) = (bytes.as_ptr(), ReusedBuffer::from(bytes));
        assert_eq!(&*body, b"body");
        drop(body);
        let again = ReusedBuffer::empty_memory();
        assert!(again.is_empty() && again.capacity() >= 4 && again.as_ptr() == memory);
        assert_eq!(ReusedBuffer::empty_memory().capacity(), 0, "the memory is in use");
    }
}
