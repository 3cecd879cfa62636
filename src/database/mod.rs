//! The demo's database: PostgreSQL if `DATABASE_URL` is set, otherwise an SQLite file in the server's data folder.
//!
//! This module opens the database on first use and manages its connections. Every error of the database leads to a 503
//! response, until its cause is removed. The module must not know the queries: they belong to the modules of handlers,
//! in SQL that both databases understand.

mod location;
mod runtime;
mod schema;

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use rulebook::{ApiError, Context, DataFolder};
use sqlx::any::AnyPoolOptions;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Executor, Transaction};
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, RwLock, Semaphore};
use tokio::time::{sleep, timeout};

use location::{FileId, Location};
use runtime::ConnectionRuntime;

/// Timeout of a request for getting a connection, for a permit to write, and for opening the database.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Maximum number of connections.
const MAX_CONNECTIONS: u32 = 16;

/// Maximum number of concurrent writers to SQLite, which supports one. Others wait for a permit, in order: waiting for
/// SQLite's lock would hold a connection that readers need, and the lock is not granted in order.
const SQLITE_WRITERS: usize = 1;
/// Maximum number of concurrent writers to PostgreSQL, which leaves some connections to readers.
const POSTGRES_WRITERS: usize = 12;

/// Maximum age of a connection. A new connection detects changes, such as a read-only disk that has become writable.
const MAX_CONNECTION_AGE: Duration = Duration::from_secs(60);

/// Settings of every connection to SQLite. The timeout for locks is shorter than [`TIMEOUT`]. In WAL mode, acknowledged
/// writes survive a power failure only with `synchronous = FULL`.
const SQLITE_SETTINGS: &str = "PRAGMA busy_timeout = 2000; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL";

/// Settings of every connection to PostgreSQL.
const POSTGRES_SETTINGS: &str = "SET statement_timeout = '10s'; SET lock_timeout = '2s'";

/// The database, which is opened on first use. A clone refers to the same database.
#[derive(Clone)]
pub(crate) struct Database(Arc<Inner>);

struct Inner {
    folder: DataFolder,
    open: RwLock<Option<OpenDatabase>>,
}

/// An open database.
struct OpenDatabase {
    location: Location,
    pool: AnyPool,
    /// The open SQLite file; `None` for PostgreSQL.
    file: Option<FileId>,
    /// The runtime of the connections; `None` for SQLite.
    runtime: Option<ConnectionRuntime>,
    /// The permits to write.
    write_permits: Arc<Semaphore>,
}

impl OpenDatabase {
    /// Returns `true` if this file is open.
    fn has_open(&self, file: Option<FileId>) -> bool {
        self.file == file && !self.pool.is_closed()
    }

    fn connections(&self) -> Connections {
        let runtime = self.runtime.as_ref().map(|runtime| runtime.handle().clone());
        let write_permits = Arc::clone(&self.write_permits);
        Connections { pool: self.pool.clone(), file: self.file, runtime, write_permits }
    }
}

/// The connections, as one request uses them.
struct Connections {
    pool: AnyPool,
    file: Option<FileId>,
    runtime: Option<Handle>,
    write_permits: Arc<Semaphore>,
}

impl Connections {
    /// Runs an operation that may open a connection, in the runtime of the connections.
    async fn run<T, R>(self, work: impl FnOnce(AnyPool) -> R) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        R: Future<Output = Result<T, sqlx::Error>> + Send + 'static,
    {
        let operation = work(self.pool);
        match self.runtime {
            Some(runtime) => runtime.spawn(operation).await.map_err(|error| DatabaseError::Runtime(error.into()))?,
            None => operation.await,
        }
        .map_err(DatabaseError::Sql)
    }
}

/// A transaction that writes. Without [`Database::commit`] it is rolled back.
pub(crate) struct WriteTransaction {
    transaction: Transaction<'static, Any>,
    /// The SQLite file that is written; `None` for PostgreSQL.
    file: Option<FileId>,
    permit: OwnedSemaphorePermit,
}

impl Deref for WriteTransaction {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.transaction
    }
}

impl DerefMut for WriteTransaction {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }
}

/// Why an operation on the database failed. The messages are for the log, not for clients.
#[derive(Debug, Error)]
pub(crate) enum DatabaseError {
    /// The variable `DATABASE_URL` is invalid.
    #[error("DATABASE_URL: {0}")]
    Url(String),
    /// The folder cannot be created, or the file's metadata cannot be read.
    #[error("the folder of the database: {0}")]
    Folder(std::io::Error),
    /// The file in use has been removed or replaced.
    #[error("the database file was removed; restore it, or restart the server to create a new one")]
    FileRemoved,
    /// Opening the database took too long.
    #[error("opening the database took more than {} seconds", TIMEOUT.as_secs())]
    OpenTimeout,
    /// Other writers took too long.
    #[error("other requests were still writing after {} seconds", TIMEOUT.as_secs())]
    WriteTimeout,
    /// The thread of the connections cannot be started.
    #[error("the runtime of the database connections: {0}")]
    Runtime(std::io::Error),
    /// An error of sqlx or the database.
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
}

impl Database {
    pub(crate) fn new(folder: DataFolder) -> Self {
        sqlx::any::install_default_drivers();
        Self(Arc::new(Inner { folder, open: RwLock::new(None) }))
    }

    /// Returns the program's database.
    ///
    /// # Errors
    /// Returns an internal error if the program has none.
    pub(crate) fn of(context: &Context) -> Result<Arc<Self>, ApiError> {
        context.state().ok_or_else(|| ApiError::internal("the program has no database"))
    }

    /// Returns a connection for reading.
    ///
    /// # Errors
    /// Fails if the database cannot be opened, or no connection is available in time.
    pub(crate) async fn read(&self) -> Result<PoolConnection<Any>, DatabaseError> {
        self.connections().await?.run(|pool| async move { pool.acquire().await }).await
    }

    /// Begins a transaction for writing. It should write before it reads: then SQLite cannot abort it in favour of
    /// another.
    ///
    /// # Errors
    /// Fails if the database cannot be opened, or no permit or connection is available in time.
    pub(crate) async fn write(&self) -> Result<WriteTransaction, DatabaseError> {
        let permits = self.connections().await?.write_permits;
        let permit = timeout(TIMEOUT, permits.acquire_owned()).await.map_err(|_| DatabaseError::WriteTimeout)?;
        let permit = permit.map_err(|_| DatabaseError::WriteTimeout)?;
        // The file may have been replaced while this call waited.
        let connections = self.connections().await?;
        let file = connections.file;
        let transaction = connections.run(|pool| async move { pool.begin().await }).await?;
        Ok(WriteTransaction { transaction, file, permit })
    }

    /// Commits a transaction. A handler must not acknowledge a write before this has succeeded.
    ///
    /// # Errors
    /// Fails if the commit fails, or the file has been removed or replaced meanwhile.
    pub(crate) async fn commit(&self, transaction: WriteTransaction) -> Result<(), DatabaseError> {
        let WriteTransaction { transaction, file, permit } = transaction;
        transaction.commit().await?;
        drop(permit);
        if self.location()?.file()? == file { Ok(()) } else { Err(DatabaseError::FileRemoved) }
    }

    /// Executes a query, for the readiness check of the server.
    ///
    /// # Errors
    /// Returns the message of the error.
    pub(crate) async fn check(&self) -> Result<(), String> {
        let query = async {
            let mut connection = self.read().await?;
            connection.execute("SELECT MAX(version) FROM demo_version").await?;
            Ok(())
        };
        query.await.map_err(|error: DatabaseError| error.to_string())
    }

    /// Returns the location of the database, for caches, after bringing its tables up to date.
    ///
    /// # Errors
    /// Returns the message of the error.
    pub(crate) async fn location_for_caches(&self) -> Result<rulebook_iapi::Database, String> {
        let location = async {
            self.connections().await?;
            self.location()
        };
        match location.await.map_err(|error: DatabaseError| error.to_string())? {
            Location::Sqlite(file) => Ok(rulebook_iapi::Database::Sqlite(file)),
            Location::Postgres(url) => Ok(rulebook_iapi::Database::Postgres(url)),
        }
    }

    fn location(&self) -> Result<Location, DatabaseError> {
        Location::from_env(self.0.folder.path())
    }

    /// Returns connections to the current file, and opens the database if necessary.
    async fn connections(&self) -> Result<Connections, DatabaseError> {
        let connections = async {
            if let Some(open) = &*self.0.open.read().await
                && open.has_open(open.location.file()?)
            {
                return Ok(open.connections());
            }
            self.open(self.location()?).await
        };
        timeout(TIMEOUT, connections).await.map_err(|_| DatabaseError::OpenTimeout)?
    }

    /// Opens the database, unless another request has just done so.
    async fn open(&self, location: Location) -> Result<Connections, DatabaseError> {
        let mut current = self.0.open.write().await;
        let file = location.file()?;
        match &*current {
            Some(open) if open.has_open(file) => return Ok(open.connections()),
            // Creating an empty database would hide the loss of the old one, which an administrator must handle.
            Some(_) if file.is_none() => return Err(DatabaseError::FileRemoved),
            // SQLite's connections to one file share state, so that the old ones must be closed first.
            Some(open) => close(&open.pool).await,
            None => {}
        }
        location.create_folder()?;
        let sqlite = location.is_sqlite();
        let settings = if sqlite { SQLITE_SETTINGS } else { POSTGRES_SETTINGS };
        let options = AnyPoolOptions::new()
            .max_connections(MAX_CONNECTIONS)
            .acquire_timeout(TIMEOUT)
            .max_lifetime(MAX_CONNECTION_AGE)
            .after_connect(move |connection, _| Box::pin(async move { connection.execute(settings).await.map(drop) }));
        let pool = options.connect_lazy(&location.url())?;
        let runtime = if sqlite { None } else { Some(ConnectionRuntime::start().map_err(DatabaseError::Runtime)?) };
        let write_permits = Arc::new(Semaphore::new(if sqlite { SQLITE_WRITERS } else { POSTGRES_WRITERS }));
        let mut open = OpenDatabase { location, pool, file: None, runtime, write_permits };
        open.connections().run(move |pool| async move { schema::migrate(&pool, sqlite).await }).await?;
        open.file = open.location.file()?;
        Ok(current.insert(open).connections())
    }
}

/// Closes all connections of a pool. sqlx's `close` returns too early: it waits for one connection in use less for each
/// idle one that it closes.
async fn close(pool: &AnyPool) {
    pool.close().await;
    while pool.size() > 0 {
        sleep(Duration::from_millis(1)).await;
        pool.close().await;
    }
}

impl From<DatabaseError> for ApiError {
    /// Errors that the program's own SQL or types cause, such as a missing column, become internal errors. All other errors
    /// become `unavailable`, after which the client may retry.
    fn from(error: DatabaseError) -> Self {
        use sqlx::Error::{ColumnDecode, ColumnIndexOutOfBounds, ColumnNotFound, Decode, Encode, RowNotFound};
        match error {
            DatabaseError::Sql(
                ColumnDecode { .. }
                | ColumnIndexOutOfBounds { .. }
                | ColumnNotFound(_)
                | Decode(_)
                | Encode(_)
                | RowNotFound,
            ) => Self::internal(error),
            _ => Self::unavailable(error),
        }
    }
}
