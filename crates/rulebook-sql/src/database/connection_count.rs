//! The number of open connections of a pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of open connections, and their maximum.
pub(super) struct ConnectionCount {
    max: usize,
    open: Arc<AtomicUsize>,
}

/// An open connection, which counts until this value is dropped.
pub(super) struct CountedConnection(Arc<AtomicUsize>);

impl ConnectionCount {
    pub(super) fn new(max: usize) -> Self {
        Self { max, open: Arc::default() }
    }

    /// Counts a connection that will be opened; `None` if the maximum is reached.
    pub(super) fn try_add(&self) -> Option<CountedConnection> {
        let added =
            self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| (open < self.max).then_some(open + 1));
        added.ok().map(|_| CountedConnection(Arc::clone(&self.open)))
    }

    /// Counts a connection that will be opened, even above the maximum.
    pub(super) fn add(&self) -> CountedConnection {
        self.open.fetch_add(1, Ordering::Relaxed);
        CountedConnection(Arc::clone(&self.open))
    }
}

impl Drop for CountedConnection {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_connections_are_counted_than_the_maximum() {
        let count = ConnectionCount::new(2);
        let (one, other) = (count.try_add(), count.try_add());
        assert!(one.is_some() && other.is_some() && count.try_add().is_none());
        drop(one);
        assert!(count.try_add().is_some());
    }
}
