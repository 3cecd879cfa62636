//! The site's database: the SQLite file `demo.db` in the server's data folder, which the first request that needs it
//! creates, its migrations, and its first content.
//!
//! While the database has an error, requests that need it get a response with the status 503. The queries are in the
//! modules of the handlers.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rulebook::{ApiError, Context, DataFolder};
use serde::Deserialize;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor, SqliteConnection, SqlitePool};
use thiserror::Error;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::api::article::CreateArguments;

/// Maximum time for which a request waits for a connection, or for the database to be opened.
const WAIT_TIMEOUT: Duration = Duration::from_secs(3);

/// Maximum time for which a connection waits for a lock of another process.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

const MAX_READERS: u32 = 16;

/// The database, which is opened on first use. A clone refers to the same database.
#[derive(Clone)]
pub(crate) struct Database(Arc<SharedDatabase>);

struct SharedDatabase {
    folder: DataFolder,
    pools: OnceCell<Pools>,
}

/// The connections to the database. SQLite supports one writer at a time, so that there is one connection for writing:
/// requests that write wait for it in the order of their arrival, and keep no connection from those that read.
struct Pools {
    readers: SqlitePool,
    writer: SqlitePool,
}

/// The reason why an operation on the database failed. It is logged and not sent to clients.
#[derive(Debug, Error)]
#[error("the database: {0}")]
pub(crate) struct DatabaseError(#[from] pub(crate) sqlx::Error);

impl From<DatabaseError> for ApiError {
    fn from(error: DatabaseError) -> Self {
        Self::unavailable(error)
    }
}

impl Database {
    pub(crate) fn new(folder: DataFolder) -> Self {
        Self(Arc::new(SharedDatabase { folder, pools: OnceCell::new() }))
    }

    /// Returns the database that the program has added to its state.
    ///
    /// # Errors
    /// Returns an internal error if the program has no database in its state.
    pub(crate) fn from_context(context: &Context) -> Result<Arc<Self>, ApiError> {
        context.state().ok_or_else(|| ApiError::internal("the program has no database"))
    }

    /// Returns the connections for reading.
    ///
    /// # Errors
    /// Fails if the database cannot be opened.
    pub(crate) async fn readers(&self) -> Result<&SqlitePool, DatabaseError> {
        Ok(&self.pools().await?.readers)
    }

    /// Returns the connection for writing. A transaction on it begins with `BEGIN IMMEDIATE`: if it locked the database
    /// only at its first write, it would fail after a write of another process.
    ///
    /// A single statement needs no transaction, but must be run with `execute`: the `fetch` functions of sqlx may not
    /// return an error of the commit.
    ///
    /// # Errors
    /// Fails if the database cannot be opened.
    pub(crate) async fn writer(&self) -> Result<&SqlitePool, DatabaseError> {
        Ok(&self.pools().await?.writer)
    }

    /// Executes a query, so that the server's readiness check detects a database that cannot be used.
    ///
    /// # Errors
    /// Fails with an error message if the database cannot be used.
    pub(crate) async fn check_readiness(&self) -> Result<(), String> {
        let readers = self.readers().await.map_err(|error| error.to_string())?;
        let query = sqlx::query("SELECT 1 FROM users LIMIT 1").execute(readers).await;
        query.map(drop).map_err(|error| error.to_string())
    }

    /// Opens the database if necessary, and returns its file for the handler `rulebook_iapi::cache`.
    ///
    /// # Errors
    /// Fails with an error message if the database cannot be opened.
    pub(crate) async fn for_caches(&self) -> Result<rulebook_iapi::Database, String> {
        self.pools().await.map_err(|error| error.to_string())?;
        Ok(rulebook_iapi::Database::Sqlite(self.file()))
    }

    fn file(&self) -> PathBuf {
        self.0.folder.path().join("demo.db")
    }

    async fn pools(&self) -> Result<&Pools, DatabaseError> {
        let opened = timeout(WAIT_TIMEOUT, self.0.pools.get_or_try_init(|| self.open())).await;
        opened.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(DatabaseError)
    }

    async fn open(&self) -> Result<Pools, sqlx::Error> {
        self.0.folder.create()?;
        // In WAL mode, a write that has been acknowledged to the client survives a power failure only with FULL.
        let options = SqliteConnectOptions::new()
            .filename(self.file())
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(LOCK_TIMEOUT);
        // Only this connection creates the file: if it is removed later, no empty database takes its place.
        let mut connection =
            options.clone().create_if_missing(true).journal_mode(SqliteJournalMode::Wal).connect().await?;
        migrate(&mut connection).await?;
        connection.close().await?;
        let pool = SqlitePoolOptions::new().acquire_timeout(WAIT_TIMEOUT);
        let writer = pool.clone().max_connections(1).connect_lazy_with(options.clone());
        Ok(Pools { readers: pool.max_connections(MAX_READERS).connect_lazy_with(options), writer })
    }
}

/// The migrations. SQLite's `user_version` is the number of those that have been applied. Do not change a migration
/// after its release.
const MIGRATIONS: [&str; 1] = [include_str!("database/1.sql")];

/// Users, articles and texts about the site, which are inserted into a new database.
const SEED_JSON: &str = include_str!("database/seed.json");

/// Applies all migrations that have not been applied to the database, in one transaction. It locks the database,
/// because several processes may start at the same time. (The migrations of sqlx do not lock an SQLite database.)
async fn migrate(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *transaction).await?;
    for (number, migration) in (1..).zip(MIGRATIONS).filter(|(number, _)| *number > version) {
        transaction.execute(migration).await?;
        transaction.execute(&*format!("PRAGMA user_version = {number}")).await?;
    }
    if version == 0 {
        insert_seed(&mut transaction).await?;
    }
    transaction.commit().await
}

#[derive(Deserialize)]
struct Seed {
    users: Vec<SeedUser>,
    articles: Vec<SeedArticle>,
    texts: Vec<SeedText>,
}

#[derive(Deserialize)]
struct SeedUser {
    login: String,
    name: String,
    about: String,
    role: String,
    since: String,
    /// The hash of the user's password; empty if the user cannot log in.
    password: String,
}

#[derive(Deserialize)]
struct SeedArticle {
    author: String,
    title: String,
    language: String,
    tags: Vec<String>,
    created: String,
    lines: Vec<String>,
}

#[derive(Deserialize)]
struct SeedText {
    id: String,
    intro: serde_json::Value,
}

async fn insert_seed(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let seed: Seed = serde_json::from_str(SEED_JSON).map_err(|error| sqlx::Error::Decode(error.into()))?;
    for user in seed.users {
        let insert = "INSERT INTO users (login, name, about, role, since, password) VALUES (?, ?, ?, ?, ?, ?)";
        let insert = sqlx::query(insert).bind(user.login).bind(user.name).bind(user.about).bind(user.role);
        insert.bind(user.since).bind(user.password).execute(&mut *connection).await?;
    }
    for article in seed.articles {
        let SeedArticle { author, title, language, tags, created, lines } = article;
        let input = CreateArguments { title, text: lines.join("\n"), language, tags };
        input.insert(connection, &author, &created).await?;
    }
    for text in seed.texts {
        let insert = sqlx::query("INSERT INTO user_info (id, intro_json) VALUES (?, ?)").bind(text.id);
        insert.bind(text.intro.to_string()).execute(&mut *connection).await?;
    }
    Ok(())
}
