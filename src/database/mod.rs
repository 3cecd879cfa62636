//! The demo's database: PostgreSQL, MySQL or MariaDB if `DATABASE_URL` is set, otherwise an SQLite file in the server's
//! data folder.
//!
//! This module opens the database on first use and manages its connections. While the database has an error, requests
//! that need it get a response with the status 503. The queries are not in this module, but in the modules of the
//! handlers, in SQL that all these databases understand; [`query()`] converts the rest.

mod dialect;
mod location;
mod query;
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

use dialect::Dialect;
use location::{FileId, Location};
pub(crate) use query::{LongText, query};
use runtime::ConnectionRuntime;

/// Maximum time for which a request waits for a connection, for a permit to write, or for the database to be opened.
const WAIT_TIMEOUT: Duration = Duration::from_secs(3);

/// Maximum number of connections to the database.
const MAX_CONNECTIONS: u32 = 16;

/// Maximum age of a connection. A new connection notices changes that an old connection does not notice, such as a
/// read-only disk that has become writable.
const MAX_CONNECTION_AGE: Duration = Duration::from_secs(60);

/// The database, which is opened on first use. A clone refers to the same database.
#[derive(Clone)]
pub(crate) struct Database(Arc<SharedDatabase>);

struct SharedDatabase {
    folder: DataFolder,
    open: RwLock<Option<OpenDatabase>>,
}

/// An open database.
struct OpenDatabase {
    location: Location,
    pool: AnyPool,
    /// The open SQLite file; `None` for a server.
    file: Option<FileId>,
    /// The asynchronous runtime of the connections to a server; `None` for SQLite.
    runtime: Option<ConnectionRuntime>,
    /// The permits to write, which limit the number of concurrent writers.
    write_permits: Arc<Semaphore>,
}

impl OpenDatabase {
    /// Returns `true` if the connections are open, and they are connections to this file.
    fn is_open_for(&self, file: Option<FileId>) -> bool {
        self.file == file && !self.pool.is_closed()
    }

    fn connections(&self) -> Connections {
        let runtime = self.runtime.as_ref().map(|runtime| runtime.handle().clone());
        let write_permits = Arc::clone(&self.write_permits);
        Connections { pool: self.pool.clone(), file: self.file, runtime, write_permits }
    }
}

/// What a request needs to open and use connections.
struct Connections {
    pool: AnyPool,
    file: Option<FileId>,
    runtime: Option<Handle>,
    write_permits: Arc<Semaphore>,
}

impl Connections {
    /// Runs an operation that may open a connection. It runs in the asynchronous runtime to which the connections
    /// belong.
    async fn run_in_runtime<T, R>(self, start_operation: impl FnOnce(AnyPool) -> R) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        R: Future<Output = Result<T, sqlx::Error>> + Send + 'static,
    {
        let operation = start_operation(self.pool);
        match self.runtime {
            Some(runtime) => runtime.spawn(operation).await.map_err(|error| DatabaseError::Runtime(error.into()))?,
            None => operation.await,
        }
        .map_err(DatabaseError::Sql)
    }
}

/// A transaction that writes. Unless [`Database::commit`] is called, it is rolled back.
pub(crate) struct WriteTransaction {
    transaction: Transaction<'static, Any>,
    /// The SQLite file that is written; `None` for a server.
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

/// The reason why an operation on the database failed. The messages are logged and not sent to clients.
#[derive(Debug, Error)]
pub(crate) enum DatabaseError {
    /// The variable `DATABASE_URL` is invalid.
    #[error("DATABASE_URL: {0}")]
    Url(String),
    /// The folder cannot be created, or the file's metadata cannot be read.
    #[error("the folder of the database: {0}")]
    Folder(std::io::Error),
    /// The database file that is open has been removed or replaced.
    #[error("the database file was removed; restore it, or restart the server to create a new one")]
    FileRemoved,
    /// Opening the database took too long.
    #[error("opening the database took more than {} seconds", WAIT_TIMEOUT.as_secs())]
    OpenTimeout,
    /// The requests that were writing did not finish in time.
    #[error("other requests were still writing after {} seconds", WAIT_TIMEOUT.as_secs())]
    WriteTimeout,
    /// The thread for the connections to a server cannot be started.
    #[error("the runtime of the database connections: {0}")]
    Runtime(std::io::Error),
    /// The library sqlx or the database reported an error.
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
}

impl Database {
    pub(crate) fn new(folder: DataFolder) -> Self {
        sqlx::any::install_default_drivers();
        Self(Arc::new(SharedDatabase { folder, open: RwLock::new(None) }))
    }

    /// Returns the database that the program has added to its state.
    ///
    /// # Errors
    /// Returns an internal error if the program has no database in its state.
    pub(crate) fn from_context(context: &Context) -> Result<Arc<Self>, ApiError> {
        context.state().ok_or_else(|| ApiError::internal("the program has no database"))
    }

    /// Returns a connection for reading.
    ///
    /// # Errors
    /// Fails if the database cannot be opened, or no connection is available in time.
    pub(crate) async fn read_connection(&self) -> Result<PoolConnection<Any>, DatabaseError> {
        self.connections().await?.run_in_runtime(|pool| async move { pool.acquire().await }).await
    }

    /// Begins a transaction for writing. The transaction should write before it reads. Otherwise SQLite may abort it
    /// because another connection has written meanwhile.
    ///
    /// # Errors
    /// Fails if the database cannot be opened, or no permit or connection is available in time.
    pub(crate) async fn begin_write(&self) -> Result<WriteTransaction, DatabaseError> {
        let permits = self.connections().await?.write_permits;
        let permit = timeout(WAIT_TIMEOUT, permits.acquire_owned()).await.map_err(|_| DatabaseError::WriteTimeout)?;
        let permit = permit.map_err(|_| DatabaseError::WriteTimeout)?;
        // The database file may have been replaced while this call waited for the permit.
        let connections = self.connections().await?;
        let file = connections.file;
        let transaction = connections.run_in_runtime(|pool| async move { pool.begin().await }).await?;
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
        if self.location()?.current_file()? == file { Ok(()) } else { Err(DatabaseError::FileRemoved) }
    }

    /// Executes a query, so that the server's readiness check detects a database that cannot be used.
    ///
    /// # Errors
    /// Fails with an error message if the database cannot be used.
    pub(crate) async fn check_readiness(&self) -> Result<(), String> {
        let query = async {
            let mut connection = self.read_connection().await?;
            connection.execute("SELECT MAX(version) FROM demo_version").await?;
            Ok(())
        };
        query.await.map_err(|error: DatabaseError| error.to_string())
    }

    /// Migrates the database if necessary, and returns its location for the handler `rulebook_iapi::cache`.
    ///
    /// # Errors
    /// Fails with an error message if the database cannot be opened or migrated.
    pub(crate) async fn location_for_caches(&self) -> Result<rulebook_iapi::Database, String> {
        let location = async {
            self.connections().await?;
            self.location()
        };
        match location.await.map_err(|error: DatabaseError| error.to_string())? {
            Location::Sqlite(file) => Ok(rulebook_iapi::Database::Sqlite(file)),
            Location::Postgres(url) => Ok(rulebook_iapi::Database::Postgres(url)),
            Location::Mysql(url) => Ok(rulebook_iapi::Database::Mysql(url)),
        }
    }

    fn location(&self) -> Result<Location, DatabaseError> {
        Location::from_env(self.0.folder.path())
    }

    /// Returns connections to the database file that exists now. Opens the database if it is not open.
    async fn connections(&self) -> Result<Connections, DatabaseError> {
        let connections = async {
            if let Some(open) = &*self.0.open.read().await
                && open.is_open_for(open.location.current_file()?)
            {
                return Ok(open.connections());
            }
            self.open(self.location()?).await
        };
        timeout(WAIT_TIMEOUT, connections).await.map_err(|_| DatabaseError::OpenTimeout)?
    }

    /// Opens the database, unless another request has opened it meanwhile.
    async fn open(&self, location: Location) -> Result<Connections, DatabaseError> {
        let mut current = self.0.open.write().await;
        let file = location.current_file()?;
        match &*current {
            Some(open) if open.is_open_for(file) => return Ok(open.connections()),
            // The file has been removed. An administrator must notice this, so that no empty database is created.
            Some(_) if file.is_none() => return Err(DatabaseError::FileRemoved),
            // All connections of a process to an SQLite file share state. Therefore the old connections must be closed
            // before new connections are opened.
            Some(open) => close_all_connections(&open.pool).await,
            None => {}
        }
        location.create_folder()?;
        let dialect = location.dialect();
        let options = AnyPoolOptions::new()
            .max_connections(MAX_CONNECTIONS)
            .acquire_timeout(WAIT_TIMEOUT)
            .max_lifetime(MAX_CONNECTION_AGE)
            .after_connect(move |connection, _| {
                Box::pin(async move { connection.execute(dialect.settings()).await.map(drop) })
            });
        let pool = options.connect_lazy(&location.connection_url())?;
        let needs_runtime = dialect != Dialect::Sqlite;
        let runtime = needs_runtime.then(ConnectionRuntime::start).transpose().map_err(DatabaseError::Runtime)?;
        let write_permits = Arc::new(Semaphore::new(dialect.max_writers()));
        let mut open = OpenDatabase { location, pool, file: None, runtime, write_permits };
        open.connections().run_in_runtime(move |pool| async move { schema::migrate(&pool, dialect).await }).await?;
        open.file = open.location.current_file()?;
        Ok(current.insert(open).connections())
    }
}

/// Closes all connections of a pool, and waits until they are closed. The function `close` of sqlx is called
/// repeatedly, because it may return while some connections are still in use.
async fn close_all_connections(pool: &AnyPool) {
    pool.close().await;
    while pool.size() > 0 {
        sleep(Duration::from_millis(1)).await;
        pool.close().await;
    }
}

impl From<DatabaseError> for ApiError {
    /// Converts errors that the SQL or the types of the program cause, such as a missing column, to internal errors.
    /// All other errors become the error `unavailable`, after which the client may retry.
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
