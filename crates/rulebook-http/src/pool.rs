//! The connections of one thread to one upstream.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};

use super::connect::Connection;
use super::error::UpstreamError;
use super::pool_limits::PoolLimits;
use super::upstream::Upstream;

/// The connections of one thread to one upstream.
pub struct Pool {
    limits: PoolLimits,
    /// Has a permit for each connection that can be in use at the same time.
    permits: Arc<Semaphore>,
    idle: Mutex<IdleConnections>,
}

/// The connections without a call, those with the oldest call first.
#[derive(Default)]
struct IdleConnections {
    list: Vec<IdleConnection>,
    /// The task that closes connections when their time is over.
    reaper: Option<JoinHandle<()>>,
}

struct IdleConnection {
    connection: Connection,
    /// When the last call ended.
    since: Instant,
}

/// A connection that a call uses. It is closed when this value is dropped, unless [`LeasedConnection::give_back`] is
/// called.
pub struct LeasedConnection {
    /// The connection.
    pub connection: Connection,
    /// `true` if another call has used the connection before.
    pub is_reused: bool,
    pool: Arc<Pool>,
    permit: OwnedSemaphorePermit,
}

impl Pool {
    /// Creates a pool without connections.
    pub fn new(limits: PoolLimits) -> Self {
        Self { limits, permits: Arc::new(Semaphore::new(limits.connections)), idle: Mutex::default() }
    }

    /// Returns a connection without a call; a new one if all others are in use, or if `must_be_new` is `true`.
    ///
    /// # Errors
    /// Fails if no connection becomes free or can be opened within `connect_timeout`, or until `deadline`.
    pub async fn lease(
        self: Arc<Self>,
        upstream: &Upstream,
        must_be_new: bool,
        connect_timeout: Duration,
        deadline: Instant,
    ) -> Result<LeasedConnection, UpstreamError> {
        let connect_deadline = deadline.min(Instant::now() + connect_timeout);
        let busy = || UpstreamError::Busy(self.limits.connections);
        let permit = timeout_at(connect_deadline, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = permit.map_err(|_| busy())?.map_err(|_| busy())?;
        if !must_be_new && let Some(connection) = self.take_idle() {
            return Ok(LeasedConnection { connection, is_reused: true, pool: self, permit });
        }
        let connection = timeout_at(connect_deadline, Connection::open(upstream)).await;
        let connection = connection.map_err(|_| UpstreamError::ConnectTimeout(connect_timeout))??;
        Ok(LeasedConnection { connection, is_reused: false, pool: self, permit })
    }

    /// Removes and returns the connection whose last call ended most recently.
    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.lock_idle();
        while let Some(IdleConnection { connection, since }) = idle.list.pop() {
            if since.elapsed() >= self.limits.idle_timeout {
                // All others have been idle for longer.
                idle.list.clear();
                return None;
            }
            // A connection that still sends or receives something is closed: it cannot be known to which call this
            // belongs.
            if connection.sender.is_ready() {
                return Some(connection);
            }
        }
        None
    }

    fn lock_idle(&self) -> MutexGuard<'_, IdleConnections> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes connections that have been idle for too long. Returns the time until the next one has to be closed.
    fn close_expired(&self) -> Option<Duration> {
        let (timeout, mut idle) = (self.limits.idle_timeout, self.lock_idle());
        idle.list.retain(|idle| idle.since.elapsed() < timeout && !idle.connection.sender.is_closed());
        idle.list.first().map(|oldest| timeout.saturating_sub(oldest.since.elapsed()))
    }
}

/// Closes the idle connections of a pool when their time is over, until it has none.
async fn close_idle_connections(pool: Weak<Pool>, mut pause: Duration) {
    loop {
        sleep(pause).await;
        let Some(next) = pool.upgrade().and_then(|pool| pool.close_expired()) else { return };
        pause = next.max(Duration::from_millis(1));
    }
}

impl LeasedConnection {
    /// Gives the connection back after a call whose response has ended, so that other calls can use it.
    pub fn give_back(self) {
        let Self { connection, pool, permit, .. } = self;
        if !connection.sender.is_closed() {
            let mut idle = pool.lock_idle();
            idle.list.push(IdleConnection { connection, since: Instant::now() });
            if idle.reaper.as_ref().is_none_or(JoinHandle::is_finished) {
                let task = close_idle_connections(Arc::downgrade(&pool), pool.limits.idle_timeout);
                idle.reaper = Some(tokio::spawn(task));
            }
        }
        // The next call gets the permit only when the connection is in the list.
        drop(permit);
    }
}
