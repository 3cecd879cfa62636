//! The connections that no call uses, and which of them the next call gets.
//!
//! The socket of a connection belongs to a runtime, whose thread each response wakes. If a call of another thread uses
//! the connection, this thread is woken too, which costs as much as the call itself. So calls of a worker thread prefer
//! connections of this thread, and open one before they use that of another thread.

use std::time::Instant;

use rulebook::handler_kind::WorkerThread;

use super::connection::OpenConnection;
use super::connection_count::{ConnectionCount, CountedConnection};

/// The connections that no call uses.
pub(super) struct IdleConnections {
    /// The connection that was used last is at the end.
    pub list: Vec<IdleConnection>,
    /// Connections that were returned before this time are tested, because another one has failed since.
    pub test_before: Option<Instant>,
}

pub(super) struct IdleConnection {
    pub connection: OpenConnection,
    pub since: Instant,
    pub must_test: bool,
}

/// What a call uses.
pub(super) enum Next {
    /// A connection that was used before.
    Idle(IdleConnection),
    /// A connection that the call opens.
    New(CountedConnection),
}

impl IdleConnections {
    /// Returns what a call in a worker thread uses, or in another thread if `thread` is `None`. Connections that cannot
    /// be used any more are moved to `closed`.
    pub(super) fn next(
        &mut self,
        thread: Option<&WorkerThread>,
        count: &ConnectionCount,
        closed: &mut Vec<OpenConnection>,
    ) -> Next {
        if let Some(idle) = self.remove_last(|found| found == thread) {
            return Next::Idle(idle);
        }
        closed.extend(self.remove_ended());
        if let Some(counted) = count.try_add() {
            return Next::New(counted);
        }
        match thread {
            Some(_) => {
                let idle = self.remove_last(|found| found.is_none()).or_else(|| self.list.pop());
                idle.map_or_else(|| Next::New(count.add()), Next::Idle)
            }
            // A worker may end before this call, and its sockets with it.
            None => {
                closed.extend((!self.list.is_empty()).then(|| self.list.remove(0).connection));
                Next::New(count.add())
            }
        }
    }

    /// Removes the connection that was used last of those whose thread fulfills a condition.
    fn remove_last(&mut self, is_usable: impl Fn(Option<&WorkerThread>) -> bool) -> Option<IdleConnection> {
        let last = self.list.iter().rposition(|idle| is_usable(idle.connection.thread.as_ref()))?;
        Some(self.list.remove(last))
    }

    /// Removes the connections of worker threads that have ended.
    fn remove_ended(&mut self) -> Vec<OpenConnection> {
        let has_ended =
            |idle: &mut IdleConnection| idle.connection.thread.as_ref().is_some_and(|thread| !thread.is_running());
        self.list.extract_if(.., has_ended).map(|idle| idle.connection).collect()
    }
}
