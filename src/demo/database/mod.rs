//! The demo's database: an SQLite file in the server's folder, or PostgreSQL where `DATABASE_URL` names one.
//!
//! In charge of opening it at first use, of connections, and of what is said
//! when it is in trouble: every trouble of the database is answered with 503
//! and over when its cause is. Must not know what is asked of it: the queries
//! are the modules', in SQL that both databases read.

mod place;
mod runtime;
mod schema;

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use rulebook::{Context, DataFolder, Refusal, iapi};
use sqlx::any::AnyPoolOptions;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Executor, Transaction};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, RwLock, Semaphore};
use tokio::time::{sleep, timeout};

use place::{FileId, Place};
use runtime::Runtime;

/// How long a request waits for a connection, for its turn to write, and for all that goes with opening the database.
const PATIENCE: Duration = Duration::from_secs(3);

/// How many connections there are at most.
const CONNECTIONS: u32 = 16;

/// How many write at once. SQLite has one writer: who waits for its lock holds a connection that readers need, and may
/// be overtaken for ever. Here they queue. Writers to PostgreSQL leave some connections to readers.
const SQLITE_WRITERS: usize = 1;
const POSTGRES_WRITERS: usize = 12;

/// How long a connection is used. What it found when it was opened, such as a disk that could only be read, is then
/// looked at again.
const LIFETIME: Duration = Duration::from_secs(60);

/// What every connection to SQLite is told. A writer waits for another for less than [`PATIENCE`]; what has been
/// answered survives a power failure, which in WAL mode takes `synchronous = FULL`.
const SQLITE: &str = "PRAGMA busy_timeout = 2000; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL";

/// What every connection to PostgreSQL is told.
const POSTGRES: &str = "SET statement_timeout = '10s'; SET lock_timeout = '2s'";

/// A handle on the database, opened when it is first asked for something.
#[derive(Clone)]
pub(crate) struct Database(Arc<Inner>);

struct Inner {
    folder: DataFolder,
    open: RwLock<Option<Open>>,
}

/// The database at work.
struct Open {
    place: Place,
    pool: AnyPool,
    /// The SQLite file that its connections hold; none for PostgreSQL.
    file: Option<FileId>,
    /// Where the connections are opened; none for SQLite.
    runtime: Option<Runtime>,
    /// The turns to write.
    turns: Arc<Semaphore>,
}

impl Open {
    fn holds(&self, file: Option<FileId>) -> bool {
        self.file == file && !self.pool.is_closed()
    }

    fn connections(&self) -> Connections {
        let runtime = self.runtime.as_ref().map(|own| own.handle().clone());
        Connections { pool: self.pool.clone(), file: self.file, runtime, turns: Arc::clone(&self.turns) }
    }
}

/// A hold on the connections, for one request.
struct Connections {
    pool: AnyPool,
    file: Option<FileId>,
    runtime: Option<Handle>,
    turns: Arc<Semaphore>,
}

impl Connections {
    /// Does what may open a connection in the runtime that connections belong to.
    async fn run<T, R>(self, work: impl FnOnce(AnyPool) -> R) -> Result<T, Trouble>
    where
        T: Send + 'static,
        R: Future<Output = Result<T, sqlx::Error>> + Send + 'static,
    {
        let working = work(self.pool);
        match self.runtime {
            Some(runtime) => runtime.spawn(working).await.map_err(|error| Trouble::Runtime(error.into()))?,
            None => working.await,
        }
        .map_err(Trouble::Sql)
    }
}

/// What is being written: nothing, until [`Database::commit`].
pub(crate) struct Writing {
    transaction: Transaction<'static, Any>,
    /// The file that it is written to; none for PostgreSQL.
    file: Option<FileId>,
    turn: OwnedSemaphorePermit,
}

impl Deref for Writing {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.transaction
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }
}

/// Why the database does not do what it was asked. Words for the log, never for the client.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The variable `DATABASE_URL` names none.
    Url(String),
    /// Its folder cannot be made, or its file cannot be looked at.
    Folder(std::io::Error),
    /// The file that was in use has been taken away or replaced.
    Gone,
    /// It could not be opened in time.
    Late,
    /// Others had not written what they had to in time.
    Busy,
    /// There is no thread for its connections.
    Runtime(std::io::Error),
    /// What the database says.
    Sql(sqlx::Error),
}

impl Database {
    pub(crate) fn new(folder: DataFolder) -> Self {
        sqlx::any::install_default_drivers();
        Self(Arc::new(Inner { folder, open: RwLock::new(None) }))
    }

    /// The program's database.
    ///
    /// # Errors
    /// The program has none.
    pub(crate) fn of(context: &Context) -> Result<Arc<Self>, Refusal> {
        context.state().ok_or_else(|| Refusal::internal("the program has no database"))
    }

    /// A connection for reading.
    ///
    /// # Errors
    /// The database is in trouble.
    pub(crate) async fn read(&self) -> Result<PoolConnection<Any>, Trouble> {
        self.connections().await?.run(|pool| async move { pool.acquire().await }).await
    }

    /// A transaction for writing. It should begin with what it writes: then it never has to give way to another.
    ///
    /// # Errors
    /// The database is in trouble, or too many write.
    pub(crate) async fn write(&self) -> Result<Writing, Trouble> {
        let turns = self.connections().await?.turns;
        let turn = timeout(PATIENCE, turns.acquire_owned()).await.map_err(|_| Trouble::Busy)?;
        let turn = turn.map_err(|_| Trouble::Busy)?;
        // What stands there may have changed meanwhile.
        let connections = self.connections().await?;
        let file = connections.file;
        let transaction = connections.run(|pool| async move { pool.begin().await }).await?;
        Ok(Writing { transaction, file, turn })
    }

    /// Makes what was written last. Only when this has succeeded may anybody be told of it.
    ///
    /// # Errors
    /// It was not written, or to a file that is no longer there.
    pub(crate) async fn commit(&self, writing: Writing) -> Result<(), Trouble> {
        let Writing { transaction, file, turn } = writing;
        transaction.commit().await?;
        drop(turn);
        if self.place()?.file()? == file { Ok(()) } else { Err(Trouble::Gone) }
    }

    /// Whether it answers, for who asks whether the server is ready.
    ///
    /// # Errors
    /// The trouble in words.
    pub(crate) async fn answers(&self) -> Result<(), String> {
        let asked = async {
            let mut connection = self.read().await?;
            connection.execute("SELECT MAX(version) FROM demo_version").await?;
            Ok(())
        };
        asked.await.map_err(|trouble: Trouble| trouble.to_string())
    }

    /// Where it is, for caches that are made of it, with its tables up to date.
    ///
    /// # Errors
    /// The trouble in words.
    pub(crate) async fn for_caches(&self) -> Result<iapi::Database, String> {
        let place = async {
            self.connections().await?;
            self.place()
        };
        match place.await.map_err(|trouble: Trouble| trouble.to_string())? {
            Place::Sqlite(file) => Ok(iapi::Database::Sqlite(file)),
            Place::Postgres(url) => Ok(iapi::Database::Postgres(url)),
        }
    }

    fn place(&self) -> Result<Place, Trouble> {
        Place::find(self.0.folder.path())
    }

    /// The connections, to the file that stands where the database has to be.
    async fn connections(&self) -> Result<Connections, Trouble> {
        let found = async {
            if let Some(open) = &*self.0.open.read().await
                && open.holds(open.place.file()?)
            {
                return Ok(open.connections());
            }
            self.open(self.place()?).await
        };
        timeout(PATIENCE, found).await.map_err(|_| Trouble::Late)?
    }

    /// Opens it, unless another request just did.
    async fn open(&self, place: Place) -> Result<Connections, Trouble> {
        let mut current = self.0.open.write().await;
        let file = place.file()?;
        match &*current {
            Some(open) if open.holds(file) => return Ok(open.connections()),
            // A new one in its place would look as if everything had been lost: that is for a person to decide.
            Some(_) if file.is_none() => return Err(Trouble::Gone),
            // All connections to one file share what they found of it, so those there are have to end first.
            Some(open) => close(&open.pool).await,
            None => {}
        }
        place.prepare()?;
        let told = if place.is_sqlite() { SQLITE } else { POSTGRES };
        let options = AnyPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .max_lifetime(LIFETIME)
            .after_connect(move |connection, _| Box::pin(async move { connection.execute(told).await.map(drop) }));
        let pool = options.connect_lazy(&place.url())?;
        let sqlite = place.is_sqlite();
        let runtime = if sqlite { None } else { Some(Runtime::start().map_err(Trouble::Runtime)?) };
        let turns = Arc::new(Semaphore::new(if sqlite { SQLITE_WRITERS } else { POSTGRES_WRITERS }));
        let mut open = Open { place, pool, file: None, runtime, turns };
        open.connections().run(move |pool| async move { schema::migrate(&pool, sqlite).await }).await?;
        open.file = open.place.file()?;
        Ok(current.insert(open).connections())
    }
}

/// Closes all connections of a pool. sqlx's own waits for one less in use for each idle one that it closes.
async fn close(pool: &AnyPool) {
    pool.close().await;
    while pool.size() > 0 {
        sleep(Duration::from_millis(1)).await;
        pool.close().await;
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Trouble> for Refusal {
    /// What is wrong with the program is an internal error; everything else may be over when the client asks again.
    fn from(trouble: Trouble) -> Self {
        use sqlx::Error::{ColumnDecode, ColumnIndexOutOfBounds, ColumnNotFound, Decode, Encode, RowNotFound};
        match trouble {
            Trouble::Sql(
                ColumnDecode { .. }
                | ColumnIndexOutOfBounds { .. }
                | ColumnNotFound(_)
                | Decode(_)
                | Encode(_)
                | RowNotFound,
            ) => Self::internal(trouble),
            _ => Self::unavailable(trouble),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(why) => write!(f, "DATABASE_URL: {why}"),
            Self::Folder(error) => write!(f, "the folder of the database: {error}"),
            Self::Gone => f.write_str("the file of the database is gone; put it back, or start again with a new one"),
            Self::Late => write!(f, "the database was not open within {} seconds", PATIENCE.as_secs()),
            Self::Busy => write!(f, "others were not done with writing within {} seconds", PATIENCE.as_secs()),
            Self::Runtime(error) => write!(f, "the connections of the database: {error}"),
            Self::Sql(error) => write!(f, "the database: {error}"),
        }
    }
}
