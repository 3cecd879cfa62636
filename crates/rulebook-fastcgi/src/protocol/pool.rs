//! The connections to one FastCGI server.
//!
//! A process of php-fpm serves one connection at a time, and waits for the next request as long as the connection is
//! open. So an idle connection occupies a process. Therefore the number of connections, idle ones included, is limited
//! for the whole program and not for each of its threads, and idle connections are soon closed. A thread without an
//! idle connection takes over one of another thread.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::{self, Handle};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};

use super::Connection;
use crate::address::Address;
use crate::call_error::CallError;

/// The limits of a pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoolLimits {
    /// The maximum number of open connections.
    pub connections: usize,
    /// The maximum time that a call waits for a connection.
    pub wait: Duration,
    /// The time after which an idle connection is closed; zero if no connection is kept.
    pub idle: Duration,
    /// The maximum number of calls on one connection.
    pub calls_per_connection: u16,
}

/// The connections to one server.
#[derive(Debug)]
pub struct Pool {
    address: Address,
    limits: PoolLimits,
    permits: Arc<Semaphore>,
    state: Mutex<PoolState>,
}

#[derive(Debug, Default)]
struct PoolState {
    /// The connections without a lease; the one that was used last is at the end.
    idle: VecDeque<IdleConnection>,
    /// `true` if a task closes idle connections.
    is_closing_idle: bool,
}

#[derive(Debug)]
struct IdleConnection {
    connection: Connection,
    runtime: runtime::Id,
    since: Instant,
}

impl Pool {
    /// Creates a pool without connections.
    pub fn new(address: Address, limits: PoolLimits) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(limits.connections));
        Arc::new(Self { address, limits, permits, state: Mutex::default() })
    }

    /// Returns the address of the server.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Waits for the permission to use a connection, and takes an idle connection if there is one. So there are never
    /// more connections than permits.
    ///
    /// # Errors
    /// Fails if all connections are in use for too long.
    pub async fn lease(self: &Arc<Self>) -> Result<Lease, CallError> {
        let permit = timeout(self.limits.wait, Arc::clone(&self.permits).acquire_owned()).await;
        let Ok(Ok(permit)) = permit else { return Err(CallError::Busy) };
        let connection = self.take_idle();
        Ok(Lease { is_reused: connection.is_some(), connection, pool: Arc::clone(self), _permit: permit })
    }

    /// Returns an idle connection, if possible one of this runtime: the other ones have to be moved to it.
    fn take_idle(&self) -> Option<Connection> {
        let runtime = Handle::current().id();
        loop {
            let mut idle = self.remove_idle(runtime)?;
            if idle.since.elapsed() >= self.limits.idle {
                continue;
            }
            if idle.runtime != runtime {
                if let Ok(connection) = idle.connection.move_to_current_runtime() {
                    return Some(connection);
                }
            } else if idle.connection.is_quiet() {
                return Some(idle.connection);
            }
        }
    }

    fn remove_idle(&self, runtime: runtime::Id) -> Option<IdleConnection> {
        let mut state = self.lock();
        match state.idle.iter().rposition(|idle| idle.runtime == runtime) {
            Some(index) => state.idle.remove(index),
            None => state.idle.pop_back(),
        }
    }

    /// Keeps a connection for the next call on this runtime.
    fn keep(self: &Arc<Self>, connection: Connection) {
        let runtime = Handle::current();
        let mut state = self.lock();
        state.idle.push_back(IdleConnection { connection, runtime: runtime.id(), since: Instant::now() });
        if !std::mem::replace(&mut state.is_closing_idle, true) {
            drop(state);
            runtime.spawn(close_idle(IdleTask(Arc::downgrade(self))));
        }
    }

    /// Removes the connections that were idle for too long. Returns when the next one will be, or `None` if none is
    /// left.
    fn remove_expired(&self) -> Option<Instant> {
        let mut closed = Vec::new();
        let mut state = self.lock();
        while let Some(oldest) = state.idle.front() {
            let expiry = oldest.since + self.limits.idle;
            if expiry > Instant::now() {
                return Some(expiry);
            }
            closed.extend(state.idle.pop_front());
        }
        state.is_closing_idle = false;
        drop(state);
        None
    }

    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes idle connections until none is left.
async fn close_idle(task: IdleTask) {
    while let Some(expiry) = task.0.upgrade().and_then(|pool| pool.remove_expired()) {
        sleep_until(expiry).await;
    }
}

/// The task that closes idle connections. If its runtime ends first, the next call starts another one.
struct IdleTask(Weak<Pool>);

impl Drop for IdleTask {
    fn drop(&mut self) {
        if let Some(pool) = self.0.upgrade() {
            let mut state = pool.lock();
            state.is_closing_idle = false;
        }
    }
}

/// The permission to use a connection. When the lease is dropped, its connection is closed.
#[derive(Debug)]
pub struct Lease {
    connection: Option<Connection>,
    is_reused: bool,
    pool: Arc<Pool>,
    /// The permit is released after the connection is closed: fields are dropped in this order.
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    /// Returns the connection, which is opened if the lease has none.
    pub async fn connection(&mut self) -> Result<&mut Connection, CallError> {
        if self.connection.is_none() {
            self.connection = Some(Connection::open(&self.pool.address).await?);
        }
        self.connection.as_mut().ok_or(CallError::Closed)
    }

    /// Returns the id of the next request on the connection, from 1.
    pub fn request_id(&self) -> u16 {
        self.connection.as_ref().map_or(0, |connection| connection.calls) + 1
    }

    /// Returns `true` if the connection was used for other calls.
    pub fn is_reused(&self) -> bool {
        self.is_reused
    }

    /// Closes the connection, so that a new one is opened.
    pub fn without_connection(mut self) -> Self {
        self.connection = None;
        self.is_reused = false;
        self
    }

    /// Keeps the connection for other calls, unless it has received bytes that belong to no response.
    pub fn keep(mut self) {
        let limits = self.pool.limits;
        let Some(mut connection) = self.connection.take() else { return };
        connection.calls += 1;
        let is_new_enough = connection.calls < limits.calls_per_connection && !limits.idle.is_zero();
        if is_new_enough && connection.buffer.is_empty() {
            self.pool.keep(connection);
        }
    }
}
