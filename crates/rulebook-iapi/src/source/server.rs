//! Connections to database servers.
//!
//! Each call of the handler opens a connection, in an asynchronous runtime that this connection alone uses. Therefore
//! writing the files, which blocks the runtime, delays no other task.

use std::time::Duration;

use rulebook::store::StagedFile;
use sqlx::{ConnectOptions, Connection};
use tokio::runtime::Builder;
use tokio::time::timeout;

use super::{Column, LimitedStore, Result, SourceError};

/// Timeout for opening the connection, and timeout for each row of a result.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(30);

/// How values of a column are read from a kind of server.
pub(super) trait ServerColumn: Sized {
    type Connection: Connection;

    /// Begins a transaction in which all queries read the same state of the database, and finds the column.
    async fn begin(connection: &mut Self::Connection, column: &Column) -> Result<Self>;

    /// Returns `true` if the table has a row for the key, and the value in the row is not null.
    async fn has_value(&self, connection: &mut Self::Connection, key: &str) -> Result<bool>;

    async fn copy_value(
        &self,
        connection: &mut Self::Connection,
        key: &str,
        store: &mut LimitedStore,
    ) -> Result<StagedFile>;
}

pub(super) fn copy_values<C: ServerColumn>(
    url: &str,
    column: &Column,
    keys: &[String],
    store: &mut LimitedStore,
) -> Result<Vec<StagedFile>> {
    // The text of the parser's error could contain a part of the URL, such as the password.
    let options = url.parse::<<C::Connection as Connection>::Options>();
    let options = options.map_err(|_| SourceError::Unavailable("its URL is invalid".to_owned()))?;
    block_on(async {
        let mut connection = with_timeout(options.disable_statement_logging().connect()).await?;
        let copied = copy_in_transaction::<C>(&mut connection, column, keys, store).await;
        // Closing the connection ends the transaction. If closing fails, dropping the connection ends it.
        let _ = with_timeout(connection.close()).await;
        copied
    })
}

async fn copy_in_transaction<C: ServerColumn>(
    connection: &mut C::Connection,
    column: &Column,
    keys: &[String],
    store: &mut LimitedStore,
) -> Result<Vec<StagedFile>> {
    let values = C::begin(connection, column).await?;
    let mut present = Vec::with_capacity(keys.len());
    for key in keys {
        present.push(values.has_value(connection, key).await?.then_some(()));
    }
    super::require_all_values(keys, present)?;
    let mut staged = Vec::with_capacity(keys.len());
    for key in keys {
        staged.push(values.copy_value(connection, key, store).await?);
    }
    Ok(staged)
}

/// Runs an operation in a new asynchronous runtime, and waits for its result.
fn block_on<T>(operation: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| SourceError::Unavailable(format!("starting a runtime: {error}")))?;
    let result = runtime.block_on(operation);
    // Unlike dropping the runtime, this does not wait for threads that are still resolving a host name.
    runtime.shutdown_background();
    result
}

pub(super) async fn with_timeout<T>(operation: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T> {
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
