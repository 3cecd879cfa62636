//! The storage of API keys in a database, which several servers share.

mod statements;
mod tables;

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rulebook::key::{KeyEntryError, KeyError, KeySet, KeyState, KeyStorage, Usages};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::address::{UNENCODED, has_unencoded_credentials};
use crate::database::{Dialect, Session};
use crate::settings::DatabaseSettings;
use statements::Statements;
use tables::{LoadedKeys, ParseError};

/// The maximum time for reading the state, after which another connection is tried.
const STATE_TIMEOUT: Duration = Duration::from_secs(2);
/// The maximum time for reading all keys or their usage, and for recording usage.
const LOAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum time for a change of the keys, which waits for other changes.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(15);
/// The additional time for each key that a change changes.
const CHANGE_TIME_PER_KEY: Duration = Duration::from_millis(20);
/// The maximum time for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The maximum time for closing the connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// The time between two attempts to reach the database at the start.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);

/// A storage of keys in PostgreSQL, MySQL or MariaDB, which several servers share. A change of the keys is known at all
/// servers within a second.
///
/// The tables `rulebook_key_state`, `rulebook_keys` and `rulebook_key_usage` are created when they do not exist. A
/// server uses one connection.
///
/// ```no_run
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use rulebook::Rulebook;
/// use rulebook::key::Keys;
/// use rulebook_sql::SqlKeys;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let url = std::env::var("RULEBOOK_KEY_STORAGE")?;
/// let storage = SqlKeys::open(&url, "data".as_ref(), Duration::from_secs(30))?;
/// let keys = Keys::open(Arc::new(storage), None)?;
/// let watcher = keys.watch()?;
/// let rulebook = Rulebook::load("api").authenticator(keys);
/// # Ok(())
/// # }
/// ```
pub struct SqlKeys {
    location: String,
    session: Arc<Session>,
    statements: &'static Statements,
    pepper_file: PathBuf,
    /// The runtime of the connection; `None` only after the value was dropped.
    runtime: Option<Runtime>,
}

impl SqlKeys {
    /// Connects to the database at an address such as `postgres://user:password@host/database` or
    /// `mysql://user:password@host/database`, and creates the tables if they do not exist. If the database cannot be
    /// reached, tries again for the time `wait`. If `RULEBOOK_PEPPER` is not set, the file `pepper` in `data_folder`
    /// contains the pepper.
    ///
    /// # Errors
    /// Fails if the address is not valid, or the database cannot be reached in time, or refuses the statements. The
    /// error contains no part of the address except the host and the name of the database.
    pub fn open(url: &str, data_folder: &Path, wait: Duration) -> Result<Self, KeyError> {
        // The scheme may be a part of a secret, too, if the address is not one.
        let invalid = KeyError::InvalidAddress;
        let dialect = Dialect::from_url(url);
        let Some((dialect, statements)) = dialect.and_then(|dialect| Some((dialect, Statements::of(dialect)?))) else {
            return Err(invalid("its address must begin with `postgres://`, `mysql://` or `mariadb://`"));
        };
        if has_unencoded_credentials(dialect, url) {
            return Err(invalid(UNENCODED));
        }
        let mut settings = DatabaseSettings::at("keys", url, dialect);
        settings.pool_timeout = CONNECT_TIMEOUT;
        settings.timeout = LOAD_TIMEOUT;
        let session = Session::new(&settings).map_err(|_| invalid("its address is not valid"))?;
        // One thread for the connection, so that this storage can be used in any thread, also in those of runtimes.
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("keys-sql").enable_all().build();
        let runtime = runtime.map_err(|error| KeyError::storage(session.location(), error))?;
        let pepper_file = data_folder.join("pepper");
        let storage = Self { location: session.location(), session, statements, pepper_file, runtime: Some(runtime) };
        storage.wait_for_tables(wait)?;
        Ok(storage)
    }

    /// Waits until the tables can be used, and creates them if they do not exist.
    fn wait_for_tables(&self, wait: Duration) -> Result<(), KeyError> {
        let end = Instant::now() + wait;
        let mut is_logged = false;
        loop {
            let prepared = tables::prepare(Arc::clone(&self.session), self.statements);
            let Err(error) = self.run(LOAD_TIMEOUT, prepared) else { return Ok(()) };
            if Instant::now() + RETRY_INTERVAL > end {
                return Err(error);
            }
            if !is_logged {
                log::warn!("waiting for the database of the keys: {error}");
                is_logged = true;
            }
            thread::sleep(RETRY_INTERVAL);
        }
    }

    /// Runs a task in the runtime of the connection, at most for this time.
    fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        task: impl Future<Output = Result<T, sqlx::Error>> + Send + 'static,
    ) -> Result<T, KeyError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let Some(runtime) = &self.runtime else { return Err(self.error("the storage is closed")) };
        runtime.spawn(async move {
            // The receiver waits for the result.
            let _ = sender.send(timeout(limit, task).await);
        });
        match receiver.recv() {
            Ok(Ok(Ok(result))) => Ok(result),
            Ok(Ok(Err(sqlx::Error::PoolTimedOut))) => Err(self.error("no connection could be opened in time")),
            Ok(Ok(Err(sqlx::Error::Configuration(_)))) => Err(self.error("the address is not valid")),
            Ok(Ok(Err(error))) => Err(self.error(error)),
            Ok(Err(_)) => Err(self.error("the database does not respond in time")),
            Err(_) => Err(self.error("the statement was interrupted")),
        }
    }

    fn error(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> KeyError {
        KeyError::storage(self.location.as_str(), error)
    }

    fn parse_error(&self, error: ParseError) -> KeyError {
        match error {
            ParseError::State => self.error("the table rulebook_key_state has no valid row with the id 1"),
            ParseError::Usage => self.error("the table rulebook_key_usage has a row that is not valid"),
            ParseError::Entry(number) => {
                KeyError::InvalidStored { location: self.location.clone(), number, error: KeyEntryError::Format }
            }
        }
    }
}

impl KeyStorage for SqlKeys {
    fn location(&self) -> String {
        self.location.clone()
    }

    fn state(&self) -> Result<KeyState, KeyError> {
        let query = tables::query(Arc::clone(&self.session), self.statements.state);
        let rows = self.run(STATE_TIMEOUT, query)?;
        let row = rows.first().ok_or(ParseError::State);
        row.and_then(tables::parse_state).map_err(|error| self.parse_error(error))
    }

    fn load(&self) -> Result<(KeySet, KeyState), KeyError> {
        let rows = self.run(LOAD_TIMEOUT, tables::query(Arc::clone(&self.session), self.statements.load))?;
        let loaded = LoadedKeys::parse(&rows).map_err(|error| self.parse_error(error))?;
        Ok((loaded.keys, loaded.state))
    }

    fn change(&self, change: &mut dyn FnMut(&mut KeySet) -> Result<(), KeyError>) -> Result<(), KeyError> {
        let begun = tables::begin_change(Arc::clone(&self.session), self.statements);
        // If this function returns early, the connection is closed, and the database rolls back the transaction.
        let (connection, rows) = self.run(CHANGE_TIMEOUT, begun)?;
        let loaded = LoadedKeys::parse(&rows).map_err(|error| self.parse_error(error))?;
        let mut keys = loaded.keys.clone();
        let changed = change(&mut keys).and_then(|()| loaded.changes(&keys).map_err(|error| self.error(error)));
        let changes = match changed {
            Ok(changes) => changes,
            Err(error) => {
                // The reason for the rollback counts.
                let _ = self.run(CLOSE_TIMEOUT, tables::end_change(connection, "ROLLBACK"));
                return Err(error);
            }
        };
        let count = u32::try_from(changes.len()).unwrap_or(u32::MAX);
        let limit = CHANGE_TIMEOUT.saturating_add(CHANGE_TIME_PER_KEY.saturating_mul(count));
        self.run(limit, tables::apply_changes(connection, self.statements, changes))
    }

    fn load_usages(&self) -> Result<Usages, KeyError> {
        let rows = self.run(LOAD_TIMEOUT, tables::query(Arc::clone(&self.session), self.statements.usage))?;
        rows.iter().map(tables::parse_usage).collect::<Result<_, _>>().map_err(|error| self.parse_error(error))
    }

    fn record_usages(&self, before: &Usages, now: &Usages) -> Result<bool, KeyError> {
        let added = tables::added_usage(before, now);
        if !added.is_empty() {
            self.run(LOAD_TIMEOUT, tables::add_usage(Arc::clone(&self.session), self.statements, added))?;
        }
        Ok(true)
    }

    fn close(&self) {
        let session = Arc::clone(&self.session);
        // A connection that cannot be closed is gone.
        let _ = self.run(CLOSE_TIMEOUT, async move {
            session.close().await;
            Ok(())
        });
    }

    fn pepper_file(&self) -> Option<PathBuf> {
        Some(self.pepper_file.clone())
    }
}

impl Drop for SqlKeys {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // The caller may be in a runtime, in which another one cannot be waited for.
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for SqlKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlKeys").field("location", &self.location).finish_non_exhaustive()
    }
}
