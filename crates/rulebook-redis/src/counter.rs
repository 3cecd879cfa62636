//! The counter, and the thread that has the connection to the server.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use redis::{Client, RedisError};
use rulebook::{Claim, ClaimError, Grant, SharedCounter};
use thiserror::Error;
use tokio::runtime;
use tokio::sync::{mpsc, oneshot};

use crate::connection::Reconnecting;

/// The maximum number of claims that wait for the thread of the connection.
const MAX_WAITING: usize = 4096;

/// The minimum time in which the server must respond. Requests may wait for less: what the server grants after that is
/// used by later requests.
const MIN_TIMEOUT: Duration = Duration::from_secs(1);

/// Counts the requests of limits in Valkey or Redis.
///
/// The connection is opened when it is first needed, and again when it has been lost. One thread has the connection, so
/// that it does not depend on the workers of a server.
pub struct RedisCounter {
    messages: mpsc::Sender<Message>,
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

enum Message {
    Claim(Claim, oneshot::Sender<Result<Grant, ClaimError>>),
    Check(oneshot::Sender<Result<(), ClaimError>>),
}

impl RedisCounter {
    /// Creates a counter for the server at `url`: `redis://HOST:PORT/DATABASE`, with a user name and a password before
    /// the host if necessary, `rediss://…` for TLS, or `unix://…` for a socket in the file system. It does not connect
    /// yet, so that a program can start while the server is unavailable. The server must respond within a second.
    ///
    /// # Errors
    /// Fails if the URL is invalid, or if a thread cannot be started.
    pub fn new(url: &str) -> Result<Self, RedisCounterError> {
        Self::with_timeout(url, MIN_TIMEOUT)
    }

    /// Creates a counter as [`RedisCounter::new`] does, for requests that wait longer than a second: see
    /// [`SharedCounterSettings::timeout`](rulebook::SharedCounterSettings::timeout). The server must respond within
    /// this time, or within a second if it is shorter.
    ///
    /// # Errors
    /// Fails if the URL is invalid, or if a thread cannot be started.
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
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (messages, receiver) = mpsc::channel(MAX_WAITING);
        // The thread ends when the counter has been dropped.
        thread::Builder::new().name("shared-limits".to_owned()).spawn(move || {
            runtime.block_on(handle_messages(Reconnecting::new(client, timeout.max(MIN_TIMEOUT)), receiver));
        })?;
        Ok(Self { messages })
    }

    /// Sends a message to the thread, and returns its reply.
    fn request<T: Send + 'static>(
        &self,
        message: impl FnOnce(oneshot::Sender<Result<T, ClaimError>>) -> Message,
    ) -> Pin<Box<dyn Future<Output = Result<T, ClaimError>> + Send>> {
        let (sender, receiver) = oneshot::channel();
        let sent = self.messages.try_send(message(sender));
        Box::pin(async move {
            sent.map_err(|_| ClaimError::new("too many claims wait"))?;
            receiver.await.unwrap_or_else(|_| Err(ClaimError::new("its thread has ended")))
        })
    }
}

impl SharedCounter for RedisCounter {
    fn claim(&self, claim: Claim) -> Pin<Box<dyn Future<Output = Result<Grant, ClaimError>> + Send>> {
        self.request(|sender| Message::Claim(claim, sender))
    }

    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), ClaimError>> + Send>> {
        self.request(Message::Check)
    }
}

impl fmt::Debug for RedisCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCounter").finish_non_exhaustive()
    }
}

/// Handles messages until all senders have been dropped.
async fn handle_messages(connection: Reconnecting, mut messages: mpsc::Receiver<Message>) {
    let connection = Arc::new(connection);
    while let Some(message) = messages.recv().await {
        let connection = Arc::clone(&connection);
        // The claims share the connection, and the server responds to them in their order.
        tokio::spawn(async move {
            // The receiver is gone if the request no longer waits.
            match message {
                Message::Claim(_, reply) if reply.is_closed() => {}
                Message::Claim(claim, reply) => {
                    let _ = reply.send(connection.claim(&claim).await.map_err(|error| describe(&error)));
                }
                Message::Check(reply) => {
                    let _ = reply.send(connection.ping().await.map_err(|error| describe(&error)));
                }
            }
        });
    }
}

/// Describes an error for the log. Errors of the client contain no credentials.
fn describe(error: &RedisError) -> ClaimError {
    ClaimError::new(error.to_string())
}
