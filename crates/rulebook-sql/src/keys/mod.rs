//! The storage of API keys in a database, which several servers share.

mod statements;
mod tables;

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rulebook::key::{KeyEntryError, KeyError, KeySet, KeyState, KeyStorage, Usages};

use crate::database::{Database, Dialect, TextRow};
use crate::storage::{OpenError, Storage, end_transaction, execute_repeatedly};
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
/// The maximum time for closing the connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// The maximum number of connections: changes wait for each other, and reading the state must not wait for them.
const CONNECTIONS: u32 = 4;

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
    storage: Storage,
    statements: &'static Statements,
    pepper_file: PathBuf,
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
        let storage = Storage::new("keys-sql", url, dialect, data_folder, CONNECTIONS, LOAD_TIMEOUT);
        let storage = storage.map_err(|error| match error {
            OpenError::Address(reason) => invalid(reason),
            OpenError::Runtime(error) => KeyError::storage("the thread of the keys", error),
        })?;
        let keys = Self { storage, statements, pepper_file: data_folder.join("pepper") };
        keys.storage.wait_until_ready(wait, "the database of the keys", || keys.prepare())?;
        Ok(keys)
    }

    /// Creates the tables if they cannot be read because they do not exist.
    fn prepare(&self) -> Result<(), KeyError> {
        let statements = self.statements;
        self.run(LOAD_TIMEOUT, |database| async move { tables::prepare(&database, statements).await })
    }

    /// Executes a statement without parameters that changes nothing.
    fn query(&self, limit: Duration, sql: &'static str) -> Result<Vec<TextRow>, KeyError> {
        self.run(limit, |database| async move { execute_repeatedly(&database, sql, &[]).await })
    }

    /// Runs a task in the thread of the connections, at most for this time.
    fn run<T, F>(&self, limit: Duration, task: impl FnOnce(Arc<Database>) -> F) -> Result<T, KeyError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, sqlx::Error>> + Send + 'static,
    {
        self.storage.wait(limit, task).map_err(|reason| self.error(reason))
    }

    fn error(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> KeyError {
        KeyError::storage(self.storage.location.as_str(), error)
    }

    fn parse_error(&self, error: ParseError) -> KeyError {
        match error {
            ParseError::State => self.error("the table rulebook_key_state has no valid row with the id 1"),
            ParseError::Usage => self.error("the table rulebook_key_usage has a row that is not valid"),
            ParseError::Entry(number) => KeyError::InvalidStored {
                location: self.storage.location.clone(),
                number,
                error: KeyEntryError::Format,
            },
        }
    }
}

impl KeyStorage for SqlKeys {
    fn location(&self) -> String {
        self.storage.location.clone()
    }

    fn state(&self) -> Result<KeyState, KeyError> {
        let rows = self.query(STATE_TIMEOUT, self.statements.state)?;
        let row = rows.first().ok_or(ParseError::State);
        row.and_then(tables::parse_state).map_err(|error| self.parse_error(error))
    }

    fn load(&self) -> Result<(KeySet, KeyState), KeyError> {
        let rows = self.query(LOAD_TIMEOUT, self.statements.load)?;
        let loaded = LoadedKeys::parse(&rows).map_err(|error| self.parse_error(error))?;
        Ok((loaded.keys, loaded.state))
    }

    fn change(&self, change: &mut dyn FnMut(&mut KeySet) -> Result<(), KeyError>) -> Result<(), KeyError> {
        let statements = self.statements;
        // If this function returns early, the connection is closed, and the database rolls back the transaction.
        let (lease, rows) =
            self.run(CHANGE_TIMEOUT, |database| async move { tables::begin_change(&database, statements).await })?;
        let loaded = LoadedKeys::parse(&rows).map_err(|error| self.parse_error(error))?;
        let mut keys = loaded.keys.clone();
        let changed =
            change(&mut keys).and_then(|()| loaded.changes(&keys, statements).map_err(|error| self.error(error)));
        let changes = match changed {
            Ok(changes) => changes,
            Err(error) => {
                // The reason for the rollback counts.
                let _ = self.run(CLOSE_TIMEOUT, |_| end_transaction(lease, "ROLLBACK"));
                return Err(error);
            }
        };
        let count = u32::try_from(changes.len()).unwrap_or(u32::MAX);
        let limit = CHANGE_TIMEOUT.saturating_add(CHANGE_TIME_PER_KEY.saturating_mul(count));
        self.run(limit, |_| tables::apply_changes(lease, statements, changes))
    }

    fn load_usages(&self) -> Result<Usages, KeyError> {
        let rows = self.query(LOAD_TIMEOUT, self.statements.usage)?;
        rows.iter().map(tables::parse_usage).collect::<Result<_, _>>().map_err(|error| self.parse_error(error))
    }

    fn record_usages(&self, before: &Usages, now: &Usages) -> Result<bool, KeyError> {
        let added = tables::added_usage(before, now);
        if !added.is_empty() {
            let statements = self.statements;
            self.run(LOAD_TIMEOUT, |database| async move { tables::add_usage(&database, statements, added).await })?;
        }
        Ok(true)
    }

    fn close(&self) {
        // A connection that cannot be closed is gone.
        let _ = self.run(CLOSE_TIMEOUT, |database| async move {
            database.close().await;
            Ok(())
        });
    }

    fn pepper_file(&self) -> Option<PathBuf> {
        Some(self.pepper_file.clone())
    }
}

impl fmt::Debug for SqlKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlKeys").field("location", &self.storage.location).finish_non_exhaustive()
    }
}
