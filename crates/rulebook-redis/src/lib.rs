//! Counts the requests of limits that several servers share, in Valkey or Redis.
//!
//! [`RedisCounter`] implements [`SharedCounter`]. A server claims several requests of a limit
//! at once, with one call of a Lua script, which Valkey runs atomically. The script uses the clock of Valkey, so that
//! the clocks of the servers need not agree.
//!
//! Valkey 7 or later and Redis 6 or later are supported. The counter needs the commands `EVALSHA`, `SCRIPT LOAD`,
//! `GET`,
//! `SET`, `TIME` and `PING`. Each key belongs to one limit and one caller, contains one number, and expires soon after
//! the end of the period.

use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use std::{fmt, io};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, RedisResult, Script};
use rulebook::{Claim, ClaimError, Grant, SharedCounter};
use thiserror::Error;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Mutex, Semaphore};

/// The maximum number of claims that wait for a response.
const MAX_WAITING: usize = 4096;

/// The minimum time in which the server must respond. Requests may wait for less: what the server grants after that is
/// used by later requests.
const MIN_TIMEOUT: Duration = Duration::from_secs(1);

/// Counts the requests of limits in Valkey or Redis.
///
/// The connection is opened when it is first needed, and again when it has been lost. One thread has the connection, so
/// that it does not depend on the workers of a server.
pub struct RedisCounter {
    connection: Arc<Reconnecting>,
    /// A permit for each claim that may wait.
    waiting: Arc<Semaphore>,
    /// `None` only after the value was dropped.
    runtime: Option<Runtime>,
}

/// An error in the URL of a [`RedisCounter`], or of its thread. The messages do not contain the URL, because it can
/// contain a password.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RedisCounterError {
    /// The URL is invalid.
    #[error(
        "the URL of the shared limits is invalid: expected `redis://HOST:PORT/DATABASE`, `rediss://…` or `unix://…`, with a \
         user name and a password that are percent-encoded"
    )]
    InvalidUrl,
    /// The URL begins with `rediss://`, but the crate was compiled without the feature `tls`.
    #[error("the URL of the shared limits needs TLS, but the program was compiled without the feature `tls`")]
    NoTls,
    /// The thread of the connection could not be started.
    #[error("the thread of the shared limits cannot be started: {0}")]
    Thread(#[from] io::Error),
}

type ClaimFuture<T> = Pin<Box<dyn Future<Output = Result<T, ClaimError>> + Send>>;

impl RedisCounter {
    /// Creates a counter for the server at `url`: `redis://HOST:PORT/DATABASE`, with a user name and a password before
    /// the host if necessary, `rediss://…` for TLS, or `unix://…` for a socket in the file system. It does not connect
    /// yet, so that a program can start while the server is unavailable. The server must respond within a second.
    ///
    /// # Errors
    /// Fails if the URL is invalid, if it needs TLS and the feature `tls` is disabled, or if a thread cannot be
    /// started.
    pub fn new(url: &str) -> Result<Self, RedisCounterError> {
        Self::with_timeout(url, MIN_TIMEOUT)
    }

    /// Creates a counter as [`RedisCounter::new`] does, for requests that wait longer than a second: see
    /// [`SharedCounterSettings::timeout`](rulebook::SharedCounterSettings::timeout). The server must respond within
    /// this time, or within a second if it is shorter.
    ///
    /// # Errors
    /// Fails if the URL is invalid, if it needs TLS and the feature `tls` is disabled, or if a thread cannot be
    /// started.
    pub fn with_timeout(url: &str, timeout: Duration) -> Result<Self, RedisCounterError> {
        if !cfg!(feature = "tls") && url.starts_with("rediss:") {
            return Err(RedisCounterError::NoTls);
        }
        #[cfg(feature = "tls")]
        if url.starts_with("rediss:") {
            // If the program has chosen another implementation of cryptography already, it stays.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let client = Client::open(url).map_err(|_| RedisCounterError::InvalidUrl)?;
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("shared-limits").enable_all().build()?;
        let connection = Arc::new(Reconnecting::new(client, timeout.max(MIN_TIMEOUT)));
        Ok(Self { connection, waiting: Arc::new(Semaphore::new(MAX_WAITING)), runtime: Some(runtime) })
    }

    /// Runs a task in the thread of the connection. It runs to its end even if the future is dropped: the tasks share
    /// the connection, and the server responds to them in their order.
    fn run<T, F>(&self, task: impl FnOnce(Arc<Reconnecting>) -> F) -> ClaimFuture<T>
    where
        T: Send + 'static,
        F: Future<Output = RedisResult<T>> + Send + 'static,
    {
        let permit = Arc::clone(&self.waiting).try_acquire_owned();
        let task = task(Arc::clone(&self.connection));
        let running = self.runtime.as_ref().zip(permit.ok()).map(|(runtime, permit)| {
            runtime.spawn(async move {
                let result = task.await;
                drop(permit);
                result
            })
        });
        Box::pin(async move {
            let running = running.ok_or_else(|| ClaimError::new("too many claims wait"))?;
            let result = running.await.map_err(|_| ClaimError::new("its thread has ended"))?;
            // Errors of the client contain no credentials.
            result.map_err(|error| ClaimError::new(error.to_string()))
        })
    }
}

impl SharedCounter for RedisCounter {
    fn claim(&self, claim: Claim) -> ClaimFuture<Grant> {
        self.run(|connection| async move { connection.claim(&claim).await })
    }

    fn check(&self) -> ClaimFuture<()> {
        self.run(|connection| async move { connection.ping().await })
    }
}

impl Drop for RedisCounter {
    fn drop(&mut self) {
        // Dropping a runtime waits for its tasks, which asynchronous code must not do.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for RedisCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCounter").finish_non_exhaustive()
    }
}

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("claim.lua")));

/// A connection that is opened when it is needed.
struct Reconnecting {
    client: Client,
    /// The time in which a connection must be opened, and in which the server must respond. A connection on which the
    /// server does not respond is closed.
    timeout: Duration,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    connection: Option<MultiplexedConnection>,
    /// Increases with each connection that is opened, so that an error closes only the connection on which it occurred.
    number: u64,
}

impl Reconnecting {
    fn new(client: Client, timeout: Duration) -> Self {
        Self { client, timeout, current: Mutex::default() }
    }

    /// Claims requests. If the connection was lost since it was last used, a new one is tried at once. The first claim
    /// may have been granted nevertheless: then its requests stay unused.
    async fn claim(&self, claim: &Claim) -> RedisResult<Grant> {
        match self.try_claim(claim).await {
            Err(error) if error.is_connection_dropped() => self.try_claim(claim).await,
            result => result,
        }
    }

    /// Claims requests. The script is loaded into the server if the server does not know it yet.
    async fn try_claim(&self, claim: &Claim) -> RedisResult<Grant> {
        let (mut connection, number) = self.connection().await?;
        let mut call = SCRIPT.prepare_invoke();
        call.key(&claim.name).arg(claim.requests).arg(claim.seconds).arg(claim.needed).arg(claim.desired);
        call.arg(if claim.shares { Claim::SHARES } else { 0 });
        let granted = call.invoke_async::<(u32, u32, u64, u64)>(&mut connection).await;
        self.close_after_error(number, granted.as_ref().err()).await;
        let (granted, remaining, period, left) = granted?;
        Ok(Grant { granted, remaining, period, ends_in: Duration::from_millis(left) })
    }

    async fn ping(&self) -> RedisResult<()> {
        let (mut connection, number) = self.connection().await?;
        let result = redis::cmd("PING").exec_async(&mut connection).await;
        self.close_after_error(number, result.as_ref().err()).await;
        result
    }

    /// Returns the connection and its number. Requests that need it at the same time wait until it has been opened.
    async fn connection(&self) -> RedisResult<(MultiplexedConnection, u64)> {
        let mut current = self.current.lock().await;
        if let Some(connection) = &current.connection {
            return Ok((connection.clone(), current.number));
        }
        let (config, timeout) = (AsyncConnectionConfig::new(), Some(self.timeout));
        let config = config.set_connection_timeout(timeout).set_response_timeout(timeout);
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        current.number += 1;
        current.connection = Some(connection.clone());
        Ok((connection, current.number))
    }

    /// Closes the connection with this number if it cannot be used after this error.
    async fn close_after_error(&self, number: u64, error: Option<&RedisError>) {
        if error.is_some_and(|error| error.is_timeout() || error.is_unrecoverable_error() || error.is_io_error()) {
            let mut current = self.current.lock().await;
            if current.number == number {
                current.connection = None;
            }
        }
    }
}
