//! Limits the memory for the heads and bodies of all requests. Each request has limits too, but many clients could send
//! long requests at the same time, and never complete them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rulebook_model::connection_limits::{FREE_REQUEST_BYTES, REQUEST_MEMORY_BYTES};

/// The memory that requests use.
#[derive(Debug, Default)]
pub(super) struct RequestMemory {
    used: AtomicUsize,
}

/// The memory for the head or the body of one request, until this value is dropped.
#[derive(Debug, Default)]
pub(super) struct ReservedMemory {
    /// The number of bytes of the head or body.
    length: usize,
    /// What counts these bytes; `None` while they are few.
    counted_by: Option<Arc<RequestMemory>>,
}

/// The server has no memory for the request at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutOfMemory;

impl ReservedMemory {
    /// Reserves memory for further bytes.
    ///
    /// # Errors
    /// Fails in the same case as [`ReservedMemory::grow_to`].
    pub(super) fn add(&mut self, bytes: usize, memory: &Arc<RequestMemory>) -> Result<(), OutOfMemory> {
        self.grow_to(self.length + bytes, memory)
    }

    /// Reserves memory for this number of bytes in total. The first [`FREE_REQUEST_BYTES`] are not counted, so that the
    /// workers rarely write to the same counter.
    ///
    /// # Errors
    /// Fails if all requests together would use more than [`REQUEST_MEMORY_BYTES`]. Nothing is reserved then.
    pub(super) fn grow_to(&mut self, length: usize, memory: &Arc<RequestMemory>) -> Result<(), OutOfMemory> {
        if length <= self.length {
            return Ok(());
        }
        if length > FREE_REQUEST_BYTES as usize {
            let added = if self.counted_by.is_some() { length - self.length } else { length };
            let used = memory.used.fetch_add(added, Ordering::Relaxed) + added;
            if used > REQUEST_MEMORY_BYTES as usize {
                memory.used.fetch_sub(added, Ordering::Relaxed);
                return Err(OutOfMemory);
            }
            self.counted_by.get_or_insert_with(|| Arc::clone(memory));
        }
        self.length = length;
        Ok(())
    }
}

impl Drop for ReservedMemory {
    fn drop(&mut self) {
        if let Some(memory) = &self.counted_by {
            memory.used.fetch_sub(self.length, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_use_no_more_memory_than_the_limit() {
        let (free, max) = (FREE_REQUEST_BYTES as usize, REQUEST_MEMORY_BYTES as usize);
        let memory = Arc::new(RequestMemory::default());
        let mut requests: Vec<_> = (0..4).map(|_| ReservedMemory::default()).collect();
        for request in &mut requests {
            assert_eq!(request.add(free, &memory), Ok(()));
        }
        assert_eq!(memory.used.load(Ordering::Relaxed), 0, "short requests are not counted");
        assert_eq!(requests[0].grow_to(max, &memory), Ok(()));
        assert_eq!(requests[0].grow_to(1, &memory), Ok(()), "the memory does not shrink");
        assert_eq!(requests[1].add(1, &memory), Err(OutOfMemory));
        requests.clear();
        assert_eq!(memory.used.load(Ordering::Relaxed), 0, "all memory is released");
    }
}
