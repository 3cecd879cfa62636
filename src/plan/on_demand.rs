//! What is made when it is asked for.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Makes the one of this index.
type Make<T> = dyn Fn(usize) -> T + Send + Sync;

/// Documents with names, each made when it is asked for first, and kept from then on as long as all that are kept are
/// not too much: an API may have more of them than a machine has room for.
pub struct OnDemand<T> {
    indices: HashMap<Box<str>, usize>,
    ready: Box<[OnceLock<T>]>,
    /// How many bytes are kept.
    kept: AtomicUsize,
    size: fn(&T) -> usize,
    make: Option<Box<Make<T>>>,
}

impl<T: Clone> OnDemand<T> {
    /// The most bytes that are kept.
    const MOST_KEPT: usize = 16 << 20;

    /// Those of these names, in order. `size`: how many bytes one has.
    #[must_use]
    pub fn new(names: Vec<String>, size: fn(&T) -> usize, make: impl Fn(usize) -> T + Send + Sync + 'static) -> Self {
        let ready = names.iter().map(|_| OnceLock::new()).collect();
        let indices = names.into_iter().enumerate().map(|(index, name)| (name.into(), index)).collect();
        Self { indices, ready, kept: AtomicUsize::new(0), size, make: Some(Box::new(make)) }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ready.len()
    }

    /// Which one has this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.indices.get(name).copied()
    }

    /// The one of this index, where it is kept.
    #[must_use]
    pub fn ready(&self, index: usize) -> Option<&T> {
        self.ready.get(index)?.get()
    }

    /// The one of this index. That takes a while where it is not kept.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<T> {
        let place = self.ready.get(index)?;
        if let Some(ready) = place.get() {
            return Some(ready.clone());
        }
        let made = (self.make.as_ref()?)(index);
        let bytes = (self.size)(&made);
        if self.kept.fetch_add(bytes, Ordering::Relaxed) + bytes > Self::MOST_KEPT || place.set(made.clone()).is_err() {
            // There is no room, or another request has made it meanwhile.
            self.kept.fetch_sub(bytes, Ordering::Relaxed);
        }
        Some(made)
    }

    /// Bytes of those that are kept, as they are now.
    #[must_use]
    pub fn size(&self) -> usize {
        self.ready.iter().filter_map(OnceLock::get).map(self.size).sum()
    }
}

impl<T> Default for OnDemand<T> {
    /// None.
    fn default() -> Self {
        Self { indices: HashMap::new(), ready: Box::default(), kept: AtomicUsize::default(), size: |_| 0, make: None }
    }
}
