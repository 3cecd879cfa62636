//! The connections of a database, which calls borrow one after the other.
//!
//! The pools of sqlx ask the database whether a connection still works before and after each use, in another task. A
//! call here uses a connection at once if it was used a moment ago.

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rulebook::handler_kind::WorkerThread;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::connection::OpenConnection;
use super::connection_count::ConnectionCount;
use super::idle::{IdleConnection, IdleConnections, Next};
use super::options::Options;

/// A connection that was not used for longer than this is tested before it is used.
const TEST_AFTER: Duration = Duration::from_millis(100);
/// The maximum time for such a test. A connection through a firewall that has dropped it never responds.
const TEST_TIMEOUT: Duration = Duration::from_secs(1);
/// A connection that was not used for this time is closed when another one is returned.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);
/// The maximum time for which a connection is used, because a database can keep memory for each one.
const MAX_AGE: Duration = Duration::from_secs(1_800);

/// The connections of a database.
pub(super) struct Pool {
    options: Options,
    /// The runtime to which the sockets of the connections belong that calls outside of worker threads have opened. It
    /// lives as long as the API is served.
    runtime: Handle,
    /// The maximum time for which a call waits for a connection.
    wait: Duration,
    /// A permit for each connection that may be open.
    permits: Arc<Semaphore>,
    /// A permit for each connection that downloads may use, because a client can read a download slowly.
    download_permits: Arc<Semaphore>,
    count: ConnectionCount,
    idle: Mutex<IdleConnections>,
}

/// The right to use a connection. Another call gets it when this value is dropped.
pub(super) struct Permit {
    _connection: OwnedSemaphorePermit,
    _download: Option<OwnedSemaphorePermit>,
}

impl Pool {
    /// Creates the pool. Connections are opened when they are needed: those of calls in worker threads in the runtime
    /// of the thread, others in that of the caller.
    pub(super) fn new(options: Options, size: usize, wait: Duration) -> Self {
        Self {
            options,
            runtime: Handle::current(),
            wait,
            permits: Arc::new(Semaphore::new(size)),
            download_permits: Arc::new(Semaphore::new((size / 2).max(1))),
            count: ConnectionCount::new(size),
            idle: Mutex::new(IdleConnections { list: Vec::new(), test_before: None }),
        }
    }

    /// Returns the runtime of the connections that belong to no worker thread.
    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Returns the folder of an SQLite database; `None` for other databases.
    pub(super) fn sqlite_folder(&self) -> Option<&Path> {
        match &self.options {
            Options::Sqlite(options) => options.get_filename().parent(),
            Options::Postgres(..) | Options::Mysql(..) => None,
        }
    }

    /// Returns a connection for a call, or for a download.
    ///
    /// # Errors
    /// Fails if no connection is free in time, or the database cannot be reached.
    pub(super) async fn acquire(self: &Arc<Self>, is_download: bool) -> Result<(OpenConnection, Permit), sqlx::Error> {
        let download = if is_download { Some(self.permit(&self.download_permits).await?) } else { None };
        let permit = Permit { _connection: self.permit(&self.permits).await?, _download: download };
        let thread = self.thread_for_sockets(is_download);
        let next = match self.next(thread.as_ref()) {
            Next::Idle(idle) if !idle.must_test => return Ok((idle.connection, permit)),
            next => next,
        };
        let connection = if thread.is_some() {
            self.tested_or_new(next, thread).await?
        } else {
            // A socket belongs to the runtime in which it is opened, and that of the caller may end earlier.
            let pool = Arc::clone(self);
            let opened = self.runtime.spawn(async move { pool.tested_or_new(next, None).await });
            opened.await.map_err(|_| sqlx::Error::PoolClosed)??
        };
        Ok((connection, permit))
    }

    /// Returns the worker thread to whose runtime the socket of a new connection shall belong. A download continues in
    /// the runtime of the pool, and SQLite has no sockets.
    fn thread_for_sockets(&self, is_download: bool) -> Option<WorkerThread> {
        let has_sockets = !is_download && !matches!(self.options, Options::Sqlite(_));
        has_sockets.then(WorkerThread::current).flatten()
    }

    /// Returns a connection, which the next call can use, perhaps only after a test.
    pub(super) fn put_back(&self, connection: OpenConnection, must_test: bool) {
        if self.permits.is_closed() || connection.opened.elapsed() > MAX_AGE {
            return;
        }
        let mut idle = self.lock();
        idle.list.push(IdleConnection { connection, since: Instant::now(), must_test });
        if idle.list[0].since.elapsed() > IDLE_TIMEOUT {
            let unused = idle.list.remove(0);
            drop(idle);
            drop(unused);
        }
    }

    /// Notes that a connection has failed, for example because the database was restarted.
    pub(super) fn distrust_others(&self) {
        self.lock().test_before = Some(Instant::now());
    }

    /// Closes all connections, and those that are used when they are returned.
    pub(super) async fn close(&self) {
        self.permits.close();
        let idle = std::mem::take(&mut self.lock().list);
        join_all(idle.into_iter().map(|idle| idle.connection.close())).await;
    }

    async fn permit(&self, permits: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, sqlx::Error> {
        match Arc::clone(permits).try_acquire_owned() {
            Ok(permit) => Ok(permit),
            Err(_) => {
                let permit = self.within(self.wait, Arc::clone(permits).acquire_owned()).await;
                permit.ok_or(sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)
            }
        }
    }

    /// Waits for a future, at most for this time. The caller need not be in a runtime with timers.
    pub(super) async fn within<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        let limited = {
            // The timers of a worker thread wake no other thread.
            let _context = WorkerThread::current().is_none().then(|| self.runtime.enter());
            timeout(limit, future)
        };
        limited.await.ok()
    }

    /// Returns the connection for a call, or the right to open one.
    fn next(&self, thread: Option<&WorkerThread>) -> Next {
        let mut closed = Vec::new();
        let mut idle = self.lock();
        let mut next = idle.next(thread, &self.count, &mut closed);
        if let Next::Idle(found) = &mut next {
            let is_distrusted = idle.test_before.is_some_and(|before| found.since <= before);
            found.must_test |= is_distrusted || found.since.elapsed() > TEST_AFTER;
        }
        drop(idle);
        self.drop_connections(closed);
        next
    }

    /// Closes connections without waiting for the database. The caller need not be in a runtime.
    pub(super) fn drop_connections(&self, connections: impl IntoIterator<Item = OpenConnection>) {
        let _context = self.runtime.enter();
        connections.into_iter().for_each(drop);
    }

    /// Returns a connection that works: this one, another one that is idle, or a new one.
    async fn tested_or_new(&self, mut next: Next, thread: Option<WorkerThread>) -> Result<OpenConnection, sqlx::Error> {
        let counted = loop {
            match next {
                Next::Idle(IdleConnection { mut connection, .. }) => {
                    if matches!(timeout(TEST_TIMEOUT, connection.connection.ping()).await, Ok(Ok(()))) {
                        return Ok(connection);
                    }
                    self.distrust_others();
                }
                Next::New(counted) => break counted,
            }
            next = self.next(thread.as_ref());
        };
        let opened = timeout(self.wait, self.options.open()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))?;
        Ok(opened.in_pool(thread, counted))
    }

    fn lock(&self) -> MutexGuard<'_, IdleConnections> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // The last connection of SQLite merges the write-ahead log when it is closed, on another thread. The program
        // could end before.
        let idle = std::mem::take(&mut self.idle.get_mut().unwrap_or_else(PoisonError::into_inner).list);
        for connection in idle.into_iter().filter(|idle| idle.connection.is_embedded()) {
            futures_executor::block_on(connection.connection.close());
        }
    }
}
