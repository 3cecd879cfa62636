//! Connections to database servers.
//!
//! Each call of the handler opens a connection, in an asynchronous runtime that this connection alone uses. Therefore
//! writing the files, which blocks the runtime, delays no other task.

use std::time::Duration;

use sqlx::{ConnectOptions, Connection};
use tokio::runtime::Builder;
use tokio::time::timeout;

use super::SourceError;

/// Timeout for opening the connection, and timeout for each row of a result.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(30);

/// Opens a connection to the database with this URL, and returns the result of `read`, which reads from the connection
/// in one transaction.
///
/// # Errors
/// Fails if the URL is invalid, the connection cannot be opened, or `read` fails.
pub(super) fn read_from_connection<C: Connection, T>(
    url: &str,
    read: impl AsyncFnOnce(&mut C) -> Result<T, SourceError>,
) -> Result<T, SourceError> {
    // The text of the parser's error could contain a part of the URL, such as the password.
    let options: C::Options = url.parse().map_err(|_| SourceError::Unavailable("its URL is invalid".to_owned()))?;
    block_on(async {
        let mut connection = with_timeout(options.disable_statement_logging().connect()).await?;
        let result = read(&mut connection).await;
        // Closing the connection ends the transaction. If closing fails, dropping the connection ends it.
        let _ = with_timeout(connection.close()).await;
        result
    })
}

/// Runs an operation in a new asynchronous runtime, and waits for its result.
///
/// # Errors
/// Fails if the operation fails, or the runtime cannot be started.
fn block_on<T>(operation: impl Future<Output = Result<T, SourceError>>) -> Result<T, SourceError> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| SourceError::Unavailable(format!("starting a runtime: {error}")))?;
    let result = runtime.block_on(operation);
    // Unlike dropping the runtime, this does not wait for threads that are still resolving a host name.
    runtime.shutdown_background();
    result
}

/// Waits for the result of an operation, at most for [`OPERATION_TIMEOUT`].
///
/// # Errors
/// Fails if the operation fails or takes too long.
pub(super) async fn with_timeout<T>(operation: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, SourceError> {
    match timeout(OPERATION_TIMEOUT, operation).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(SourceError::Unavailable(format!("no response within {} seconds", OPERATION_TIMEOUT.as_secs()))),
    }
}

impl From<sqlx::Error> for SourceError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}
