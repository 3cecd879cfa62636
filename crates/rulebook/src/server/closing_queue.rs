//! Closes ended connections a few at a time.
//!
//! Closing a socket takes longer than everything else that a worker does when a connection ends. If thousands of
//! clients disconnect at the same moment, the worker must still handle the requests of other clients in between.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use tokio::task::yield_now;

/// The number of connections that a worker closes before it looks for requests again.
const CLOSED_PER_TURN: usize = 16;
/// The part of a long queue that a worker closes instead: one of this number. So the queue becomes shorter also while
/// further connections end.
const PART_PER_TURN: usize = 32;

/// The ended connections of a worker, in the order in which they ended. Dropping a value of the type `C` closes a
/// connection.
pub(super) struct ClosingQueue<C> {
    ended: RefCell<VecDeque<C>>,
    /// `true` while a task closes the connections.
    has_task: Cell<bool>,
}

impl<C> Default for ClosingQueue<C> {
    fn default() -> Self {
        Self { ended: RefCell::default(), has_task: Cell::default() }
    }
}

impl<C: 'static> ClosingQueue<C> {
    /// Closes a connection, at once or when the worker has time. Must be called in a task of the worker.
    pub(super) fn close(self: &Rc<Self>, connection: C) {
        self.ended.borrow_mut().push_back(connection);
        if !self.has_task.replace(true) {
            actix_rt::spawn(Rc::clone(self).close_all());
        }
    }

    async fn close_all(self: Rc<Self>) {
        loop {
            let count = CLOSED_PER_TURN.max(self.ended.borrow().len() / PART_PER_TURN);
            for _ in 0..count {
                let ended = self.ended.borrow_mut().pop_front();
                if ended.is_none() {
                    // The memory for a long queue is released.
                    self.ended.borrow_mut().shrink_to(CLOSED_PER_TURN);
                    return self.has_task.set(false);
                }
            }
            yield_now().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::running::server_runtime;

    /// A connection that counts how many of them are open.
    struct Connection(Rc<Cell<usize>>);

    impl Drop for Connection {
        fn drop(&mut self) {
            self.0.set(self.0.get() - 1);
        }
    }

    #[test]
    fn connections_are_closed_a_few_at_a_time() {
        server_runtime().unwrap().block_on(async {
            let (queue, open) = (Rc::new(ClosingQueue::default()), Rc::new(Cell::new(100)));
            (0..100).for_each(|_| queue.close(Connection(Rc::clone(&open))));
            let mut seen = vec![open.get()];
            while open.get() > 0 {
                yield_now().await;
                seen.push(open.get());
            }
            assert!(seen.windows(2).all(|pair| pair[0] - pair[1] <= CLOSED_PER_TURN), "{seen:?}");
            // A later connection is closed too.
            open.set(1);
            queue.close(Connection(Rc::clone(&open)));
            while open.get() > 0 {
                yield_now().await;
            }
        });
    }
}
