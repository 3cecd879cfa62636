//! The connections to one FastCGI server.
//!
//! A process of php-fpm serves one connection at a time, and waits for the next request as long as the connection is
//! open. So an idle connection occupies a process. Therefore the number of connections, idle ones included, is limited
//! for the whole program and not for each of its threads, and idle connections are soon closed. A thread takes over the
//! idle connections of the others.

use std::sync::Arc;
use std::time::Duration;

use rulebook::handler_kind::{ConnectionLease, ConnectionPool};
use tokio::time::Instant;

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
    /// The address of the server.
    pub address: Address,
    limits: PoolLimits,
    connections: Arc<ConnectionPool<Connection>>,
}

/// The permission to use a connection. When the lease is dropped, its connection is closed.
#[derive(Debug)]
pub struct Lease {
    /// The connection, which is dropped before the permission ends.
    connection: Option<Connection>,
    /// `true` if the connection was used for other calls.
    pub is_reused: bool,
    pool: Arc<Pool>,
    lease: ConnectionLease<Connection>,
}

impl Pool {
    pub fn new(address: Address, limits: PoolLimits) -> Arc<Self> {
        Arc::new(Self { address, limits, connections: ConnectionPool::new(limits.connections, limits.idle) })
    }

    /// Waits for the permission to use a connection, and takes an idle connection if there is one. So there are never
    /// more connections than permits.
    /// Fails if all connections are in use for too long.
    pub async fn lease(self: &Arc<Self>) -> Result<Lease, CallError> {
        let lease = self.connections.lease(Instant::now() + self.limits.wait).await.ok_or(CallError::Busy)?;
        let mut connection = None;
        while connection.is_none()
            && let Some(idle) = lease.take_idle()
        {
            connection = idle.move_to_current_runtime().ok();
        }
        Ok(Lease { is_reused: connection.is_some(), connection, pool: Arc::clone(self), lease })
    }
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
        if connection.calls < limits.calls_per_connection && connection.buffer.is_empty() {
            self.lease.keep(connection);
        }
    }
}
