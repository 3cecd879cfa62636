//! Limits the memory for request bodies of the whole server. Each body has limits too, but many clients could send long
//! bodies at the same time, and never complete them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rulebook_model::connection_limits::{BODY_MEMORY_BYTES, FREE_BODY_BYTES};

/// The memory that request bodies use.
#[derive(Debug, Default)]
pub(super) struct BodyMemory {
    used: AtomicUsize,
}

/// The memory for the body of one request, until this value is dropped.
#[derive(Debug)]
pub(super) struct ReservedMemory {
    memory: Arc<BodyMemory>,
    /// The number of bytes of the body.
    length: usize,
    /// The part of these bytes that `memory` counts.
    counted: usize,
}

/// The server has no memory for the body at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutOfMemory;

impl ReservedMemory {
    pub(super) fn new(memory: &Arc<BodyMemory>) -> Self {
        Self { memory: Arc::clone(memory), length: 0, counted: 0 }
    }

    /// Reserves memory for further bytes. The first [`FREE_BODY_BYTES`] of each body are not counted, so that the
    /// workers rarely write to the same counter.
    ///
    /// # Errors
    /// Fails if all bodies together would use more than [`BODY_MEMORY_BYTES`].
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), OutOfMemory> {
        self.length += bytes;
        if self.length <= FREE_BODY_BYTES as usize {
            return Ok(());
        }
        let added = self.length - self.counted;
        self.counted = self.length;
        let used = self.memory.used.fetch_add(added, Ordering::Relaxed) + added;
        if used > BODY_MEMORY_BYTES as usize { Err(OutOfMemory) } else { Ok(()) }
    }
}

impl Drop for ReservedMemory {
    fn drop(&mut self) {
        if self.counted > 0 {
            self.memory.used.fetch_sub(self.counted, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_use_no_more_memory_than_the_limit() {
        let memory = Arc::new(BodyMemory::default());
        let mut bodies: Vec<_> = (0..4).map(|_| ReservedMemory::new(&memory)).collect();
        for body in &mut bodies {
            assert_eq!(body.grow(FREE_BODY_BYTES as usize), Ok(()));
        }
        assert_eq!(memory.used.load(Ordering::Relaxed), 0, "short bodies are not counted");
        assert_eq!(bodies[0].grow(BODY_MEMORY_BYTES as usize - FREE_BODY_BYTES as usize), Ok(()));
        assert_eq!(bodies[1].grow(1), Err(OutOfMemory));
        bodies.clear();
        assert_eq!(memory.used.load(Ordering::Relaxed), 0, "all memory is released");
    }
}
