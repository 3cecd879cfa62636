//! The connections of a kind of handler to a server.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

/// A limited number of connections to a server, which one call after the other uses.
#[derive(Debug)]
pub struct ConnectionPool<C> {
    idle_timeout: Duration,
    /// Has a permit for each connection that can be in use at the same time.
    permits: Arc<Semaphore>,
    idle: Mutex<IdleConnections<C>>,
}

/// The connections without a call, with the time at which their last call ended, the earliest first.
#[derive(Debug)]
struct IdleConnections<C> {
    list: Vec<(C, Instant)>,
    /// The task that closes connections when their time is over.
    closing: Option<JoinHandle<()>>,
}

/// The permission to use one connection. It ends when this value is dropped, so that the connection must be dropped
/// before.
#[derive(Debug)]
pub struct ConnectionLease<C> {
    pool: Arc<ConnectionPool<C>>,
    _permit: OwnedSemaphorePermit,
}

impl<C: Send + 'static> ConnectionPool<C> {
    /// Creates a pool for at most `connections` connections. Each is kept without a call for `idle_timeout`; if this is
    /// zero, none is kept.
    #[must_use]
    pub fn new(connections: usize, idle_timeout: Duration) -> Arc<Self> {
        let idle = Mutex::new(IdleConnections { list: Vec::new(), closing: None });
        Arc::new(Self { idle_timeout, permits: Arc::new(Semaphore::new(connections)), idle })
    }

    /// Waits until a connection is free, or can be opened. Returns `None` at the deadline.
    pub async fn lease(self: &Arc<Self>, deadline: Instant) -> Option<ConnectionLease<C>> {
        let permit = timeout_at(deadline, Arc::clone(&self.permits).acquire_owned()).await;
        Some(ConnectionLease { pool: Arc::clone(self), _permit: permit.ok()?.ok()? })
    }

    fn lock_idle(&self) -> MutexGuard<'_, IdleConnections<C>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes connections that have been idle for too long. Returns when the next one has to be closed; `None` if no
    /// connection is idle, so that the task ends.
    fn close_expired(&self) -> Option<Instant> {
        let mut idle = self.lock_idle();
        let expired = idle.list.iter().take_while(|(_, since)| since.elapsed() >= self.idle_timeout).count();
        let closed: Vec<_> = idle.list.drain(..expired).collect();
        let next = idle.list.first().map(|(_, since)| *since + self.idle_timeout);
        if next.is_none() {
            idle.closing = None;
        }
        drop(idle);
        drop(closed);
        next
    }
}

impl<C: Send + 'static> ConnectionLease<C> {
    /// Removes and returns the connection whose last call ended most recently; `None` if a new one has to be opened.
    #[must_use]
    pub fn take_idle(&self) -> Option<C> {
        let (connection, since) = self.pool.lock_idle().list.pop()?;
        (since.elapsed() < self.pool.idle_timeout).then_some(connection)
    }

    /// Keeps the connection for other calls, and ends the permission.
    pub fn keep(self, connection: C) {
        if self.pool.idle_timeout.is_zero() {
            return;
        }
        let mut idle = self.pool.lock_idle();
        idle.list.push((connection, Instant::now()));
        // A task of another runtime ends with it.
        if idle.closing.as_ref().is_none_or(JoinHandle::is_finished) {
            idle.closing = Some(tokio::spawn(close_idle_connections(Arc::downgrade(&self.pool))));
        }
    }
}

/// Closes the idle connections of a pool when their time is over, until it has none.
async fn close_idle_connections<C: Send + 'static>(pool: Weak<ConnectionPool<C>>) {
    while let Some(next) = pool.upgrade().and_then(|pool| pool.close_expired()) {
        sleep_until(next).await;
    }
}
