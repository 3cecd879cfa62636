//! The worker threads of the server, for handlers that open connections for each of them.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

thread_local! {
    /// The worker that runs in this thread. It ends with its services.
    static CURRENT: RefCell<Weak<()>> = const { RefCell::new(Weak::new()) };
}

/// A worker thread of a server, with its tokio runtime.
///
/// A socket belongs to the runtime in which it is opened: if another thread uses the socket, each response wakes two
/// threads. So a handler that keeps connections should open them in the worker thread whose calls use them. All worker
/// threads of a server run until the last of its requests has ended.
#[derive(Debug, Clone)]
pub struct WorkerThread(Weak<()>);

impl WorkerThread {
    /// Returns the worker thread that runs this code; `None` in any other thread, such as one of a program that calls
    /// methods from code.
    #[must_use]
    pub fn current() -> Option<Self> {
        let current = CURRENT.try_with(|current| current.borrow().clone()).ok()?;
        Some(Self(current)).filter(Self::is_running)
    }

    /// Returns `false` if the worker has ended. Sockets that were opened in its thread cannot be used any more.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.0.strong_count() > 0
    }
}

impl PartialEq for WorkerThread {
    fn eq(&self, other: &Self) -> bool {
        self.0.ptr_eq(&other.0)
    }
}

impl Eq for WorkerThread {}

/// Notes that the current thread is a worker thread, until all returned values of the thread have been dropped.
pub(crate) fn run_worker() -> Arc<()> {
    CURRENT.with_borrow_mut(|current| {
        current.upgrade().unwrap_or_else(|| {
            let worker = Arc::new(());
            *current = Arc::downgrade(&worker);
            worker
        })
    })
}
