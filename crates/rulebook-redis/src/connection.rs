//! The connection to the server, which is opened again when it has been lost.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, RedisResult};
use rulebook::{Claim, Grant};
use tokio::sync::Mutex;

use crate::script;

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
        let (mut connection, number) = self.connection().await?;
        match script::claim(&mut connection, claim).await {
            Ok(grant) => Ok(grant),
            Err(error) => {
                self.close(number, &error).await;
                if !error.is_connection_dropped() {
                    return Err(error);
                }
                let (mut connection, number) = self.connection().await?;
                let retried = script::claim(&mut connection, claim).await;
                if let Err(error) = &retried {
                    self.close(number, error).await;
                }
                retried
            }
        }
    }

    /// Checks that the server responds.
    pub(crate) async fn ping(&self) -> RedisResult<()> {
        let (mut connection, number) = self.connection().await?;
        let result = redis::cmd("PING").exec_async(&mut connection).await;
        if let Err(error) = &result {
            self.close(number, error).await;
        }
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
    async fn close(&self, number: u64, error: &RedisError) {
        if error.is_timeout() || error.is_unrecoverable_error() || error.is_io_error() {
            let mut current = self.current.lock().await;
            if current.number == number {
                current.connection = None;
            }
        }
    }
}
