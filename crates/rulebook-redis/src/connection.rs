//! The connection to the server, which is opened again when it has been lost.

use std::sync::LazyLock;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, RedisResult, Script};
use rulebook::{Claim, Grant};
use tokio::sync::Mutex;

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("claim.lua")));

/// A connection that is opened when it is needed.
pub(crate) struct Reconnecting {
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
    pub(crate) fn new(client: Client, timeout: Duration) -> Self {
        Self { client, timeout, current: Mutex::default() }
    }

    /// Claims requests. If the connection was lost since it was last used, a new one is tried at once. The first claim
    /// may have been granted nevertheless: then its requests stay unused.
    pub(crate) async fn claim(&self, claim: &Claim) -> RedisResult<Grant> {
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

    /// Checks that the server responds.
    pub(crate) async fn ping(&self) -> RedisResult<()> {
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
