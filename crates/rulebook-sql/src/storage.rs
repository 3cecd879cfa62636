//! The databases of storages, which are not part of a definition: their tables, and the thread of their connections.

use std::fmt::Display;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use sqlx::error::DatabaseError;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::database::{Database, Dialect, Lease, LeaseEnd, TextRow};
use crate::errors::ErrorClass;
use crate::settings::{DatabaseSettings, UNENCODED, has_unencoded_credentials};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The time between two attempts to reach the database at the start.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);
/// The error of a task that was running when its storage was closed.
pub(crate) const INTERRUPTED: &str = "the statement was interrupted";
/// The number of attempts of a statement, which the database may refuse because another server changes the same record.
const ATTEMPTS: usize = 5;

/// The database of a storage. Its connections belong to a thread of their own, so that the storage can be used in any
/// thread, also in those of runtimes.
pub(crate) struct Storage {
    pub location: String,
    pub file: Option<PathBuf>,
    database: Arc<Database>,
    handle: Handle,
    /// `None` only after the value was dropped.
    runtime: Option<Runtime>,
}

pub(crate) enum OpenError {
    Address(&'static str),
    Runtime(std::io::Error),
}

impl Storage {
    /// Creates the storage without opening a connection. A server uses at most `connections`, whose statements take at
    /// most the time `limit`. The path of a file of SQLite is relative to `data_folder`.
    pub(crate) fn new(
        name: &str,
        url: &str,
        dialect: Dialect,
        data_folder: &Path,
        connections: u32,
        limit: Duration,
    ) -> Result<Self, OpenError> {
        if has_unencoded_credentials(dialect, url) {
            return Err(OpenError::Address(UNENCODED));
        }
        let mut settings = DatabaseSettings::at(name, url, dialect);
        (settings.pool, settings.pool_timeout, settings.timeout) = (connections, CONNECT_TIMEOUT, limit);
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name(name).enable_all().build();
        let runtime = runtime.map_err(OpenError::Runtime)?;
        let handle = runtime.handle().clone();
        let database = Database::new(settings);
        let opened = {
            let _context = handle.enter();
            database.open(data_folder)
        };
        let storage = Self {
            location: database.location(),
            file: database.file(data_folder),
            database: Arc::new(database),
            handle,
            runtime: Some(runtime),
        };
        opened.map(|()| storage).map_err(|_| OpenError::Address("its address is not valid"))
    }

    /// Runs a task in the thread of the connections, at most for the time `limit`. It runs to its end even if the
    /// handle is dropped, so that its connection can be used again. The error contains no secrets.
    pub(crate) fn run<T, F>(
        &self,
        limit: Duration,
        task: impl FnOnce(Arc<Database>) -> F,
    ) -> JoinHandle<Result<T, String>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, sqlx::Error>> + Send + 'static,
    {
        self.handle.spawn(within(limit, task(Arc::clone(&self.database))))
    }

    /// Starts a task in the thread of the connections, which ends with the storage.
    pub(crate) fn spawn<F: Future<Output = ()> + Send + 'static>(&self, task: impl FnOnce(Arc<Database>) -> F) {
        self.handle.spawn(task(Arc::clone(&self.database)));
    }

    /// Runs a task as [`Storage::run`] does, and blocks this thread until it ends.
    pub(crate) fn wait<T, F>(&self, limit: Duration, task: impl FnOnce(Arc<Database>) -> F) -> Result<T, String>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, sqlx::Error>> + Send + 'static,
    {
        let (sender, receiver) = mpsc::sync_channel(1);
        let task = within(limit, task(Arc::clone(&self.database)));
        self.handle.spawn(async move {
            // The receiver waits for the result.
            let _ = sender.send(task.await);
        });
        receiver.recv().unwrap_or_else(|_| Err(INTERRUPTED.to_owned()))
    }

    /// Prepares the tables. If the database cannot be reached, tries again for the time `wait`. `name` is the name of
    /// the database in the log.
    pub(crate) fn wait_until_ready<E: Display>(
        &self,
        wait: Duration,
        name: &str,
        prepare: impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        let end = Instant::now() + wait;
        let mut is_logged = false;
        loop {
            let Err(error) = prepare() else { return Ok(()) };
            if Instant::now() + RETRY_INTERVAL > end {
                return Err(error);
            }
            if !is_logged {
                log::warn!("waiting for {name}: {error}");
                is_logged = true;
            }
            thread::sleep(RETRY_INTERVAL);
        }
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // The caller may be in a runtime, in which another one cannot be waited for.
            runtime.shutdown_background();
        }
    }
}

/// Waits for the result of a task, at most for the time `limit`. The error contains no secrets.
pub(crate) async fn within<T>(
    limit: Duration,
    task: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, String> {
    match timeout(limit, task).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(sqlx::Error::PoolTimedOut)) => Err("no connection could be opened in time".to_owned()),
        Ok(Err(sqlx::Error::Configuration(_))) => Err("the address is not valid".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the database does not respond in time".to_owned()),
    }
}

/// Executes the statements that create tables, in one transaction.
pub(crate) async fn create_tables(database: &Database, statements: &[&str]) -> Result<(), sqlx::Error> {
    let mut lease = database.lease().await?;
    lease.run("BEGIN").await?;
    for sql in statements {
        lease.run(sql).await?;
    }
    end_transaction(lease, "COMMIT").await
}

pub(crate) async fn end_transaction(mut lease: Lease, sql: &str) -> Result<(), sqlx::Error> {
    lease.run(sql).await?;
    lease.end(LeaseEnd::Reuse);
    Ok(())
}

pub(crate) async fn execute(database: &Database, sql: &str, values: &[&str]) -> Result<Vec<TextRow>, sqlx::Error> {
    let mut lease = database.lease().await?;
    let rows = lease.text_rows(sql, values).await;
    let end = match &rows {
        Ok(_) => LeaseEnd::Reuse,
        Err(error) if ErrorClass::of(error) == ErrorClass::Stale && lease.forget_statements().await.is_ok() => {
            LeaseEnd::ReuseAfterTest
        }
        Err(_) => LeaseEnd::Close,
    };
    lease.end(end);
    rows
}

/// Executes a statement that can be repeated without another effect. Repeats it if the database has undone it because
/// of another statement, if the connection was closed in the meantime, or if it could not use its prepared statement
/// any more.
pub(crate) async fn execute_repeatedly(
    database: &Database,
    sql: &str,
    values: &[&str],
) -> Result<Vec<TextRow>, sqlx::Error> {
    let mut attempt = 1;
    loop {
        match execute(database, sql, values).await {
            Err(error) if attempt < ATTEMPTS && is_repeatable(&error) => attempt += 1,
            result => return result,
        }
    }
}

/// Returns `true` if the database has reported an error with one of these codes.
pub(crate) fn has_code(error: &sqlx::Error, codes: &[&str]) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| codes.contains(&&*code))
}

/// Returns `true` if the same statement may succeed at once, on the same or another connection.
fn is_repeatable(error: &sqlx::Error) -> bool {
    !matches!(error, sqlx::Error::PoolTimedOut)
        && matches!(ErrorClass::of(error), ErrorClass::Temporary | ErrorClass::Stale)
}
