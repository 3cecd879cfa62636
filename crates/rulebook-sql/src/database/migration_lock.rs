//! The lock of a program that migrates a database. Without it, programs that start at the same time would apply the
//! same migration.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::LockError;
use super::connection::{Connection, Options};

/// The maximum time for which a program waits for another one: migrations of large tables take long.
const MAX_WAIT: Duration = Duration::from_secs(3600);
/// The time between two attempts to get the lock. A statement that waits in the database would block a migration that
/// waits for all older statements, such as `CREATE INDEX CONCURRENTLY` of PostgreSQL.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);
/// The time after which the log says that the program waits.
const FIRST_MESSAGE: Duration = Duration::from_secs(2);
/// The time between two messages.
const MESSAGE_INTERVAL: Duration = Duration::from_secs(60);

/// What follows the name of an SQLite database in that of the file that programs lock while they migrate it.
const LOCK_SUFFIX: &str = ".migrations.lock";

/// The lock of the crate sqlx does not work in MariaDB, which has no GET_LOCK without a time limit. Such a lock belongs
/// to the server, so that its name contains that of the database.
const LOCK_MYSQL: &str =
    "SELECT CAST(GET_LOCK(CONCAT('rulebook migrations ', MD5(COALESCE(DATABASE(), ''))), 0) AS SIGNED)";
const UNLOCK_MYSQL: &str = "SELECT RELEASE_LOCK(CONCAT('rulebook migrations ', MD5(COALESCE(DATABASE(), ''))))";
/// The transaction of the lock waits as long as the migrations run, and must keep no other one waiting.
const BEGIN_POSTGRES: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = 0";
/// The number identifies the lock in the database, and the other one the schema. The lock ends with its transaction:
/// behind a pooler, the lock of a session would remain with a connection that other clients get.
const LOCK_POSTGRES: &str =
    "SELECT pg_try_advisory_xact_lock(78210643, hashtext(coalesce(current_schema()::text, '')))";

/// The lock of the migrations of a database. PostgreSQL and MySQL also unlock when the connection ends.
pub(crate) struct MigrationLock {
    /// The locked file beside an SQLite database.
    _file: Option<File>,
    /// The connection whose transaction has the lock in PostgreSQL.
    transaction: Option<Connection>,
}

impl MigrationLock {
    /// Waits until no other program migrates the database, at most for the time [`MAX_WAIT`]. `name` is the name of the
    /// database in the log, and `database` the file of an SQLite database.
    pub(super) async fn acquire(
        connection: &mut Connection,
        options: &Options,
        database: Option<&Path>,
        name: &str,
    ) -> Result<Self, LockError> {
        let file = database.and_then(|database| {
            let mut path = database.as_os_str().to_owned();
            path.push(LOCK_SUFFIX);
            open_file(Path::new(&path))
        });
        let start = Instant::now();
        let mut next_message = FIRST_MESSAGE;
        let mut transaction = None;
        if matches!(connection, Connection::Postgres(_)) {
            let mut locking = options.open().await.map_err(LockError::Database)?.connection;
            locking.run(BEGIN_POSTGRES).await.map_err(LockError::Database)?;
            transaction = Some(locking);
        }
        while !try_lock(transaction.as_mut().unwrap_or(connection), file.as_ref()).await.map_err(LockError::Database)? {
            let waited = start.elapsed();
            if waited >= MAX_WAIT {
                return Err(LockError::Locked(waited));
            }
            if waited >= next_message {
                log::warn!("the database `{name}`: waiting for another program, which applies migrations to it");
                next_message = waited + MESSAGE_INTERVAL;
            }
            sleep(RETRY_INTERVAL).await;
        }
        Ok(Self { _file: file, transaction })
    }

    pub(crate) async fn release(self, connection: &mut Connection) {
        if let Some(transaction) = self.transaction {
            transaction.close().await;
        } else if matches!(connection, Connection::Mysql(_)) {
            // If the statement fails, the lock ends with the connection.
            let _ = connection.run(UNLOCK_MYSQL).await;
        }
    }
}

/// Opens the file that is locked. Its content does not matter, so that a file of another user can be locked too. `None`
/// means that no lock is needed, because SQLite cannot change a database in a folder in which no file can be created.
fn open_file(path: &Path) -> Option<File> {
    File::options().create(true).truncate(false).write(true).open(path).or_else(|_| File::open(path)).ok()
}

/// Tries to lock the migrations; returns `false` if another program has locked them.
async fn try_lock(connection: &mut Connection, file: Option<&File>) -> Result<bool, sqlx::Error> {
    match connection {
        Connection::Sqlite(_) => match file.map(File::try_lock) {
            Some(Err(TryLockError::WouldBlock)) => Ok(false),
            Some(Err(TryLockError::Error(error))) => Err(sqlx::Error::Io(error)),
            Some(Ok(())) | None => Ok(true),
        },
        Connection::Postgres(connection) => sqlx::query_scalar(LOCK_POSTGRES).fetch_one(connection).await,
        Connection::Mysql(connection) => {
            let locked: Option<i64> = sqlx::query_scalar(LOCK_MYSQL).fetch_one(connection).await?;
            let locked = locked.ok_or_else(|| sqlx::Error::Protocol("GET_LOCK has returned NULL".to_owned()))?;
            Ok(locked == 1)
        }
    }
}
