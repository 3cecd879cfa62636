//! The storage of API keys in a database, which several servers share.
//!
//! All values are sent and received as texts. A `?` is a parameter in both dialects.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rulebook::key::{
    Entry, KeyEntryError, KeyError, KeySet, KeyState, KeyStorage, KeyVersion, Usage, Usages, UsedRequests,
};

use crate::database::{Database, Dialect, Lease, TextRow};
use crate::storage::{OpenError, Storage, create_tables, end_transaction, execute, execute_repeatedly, has_code};

/// The maximum time for reading the state, after which another connection is tried.
const STATE_TIMEOUT: Duration = Duration::from_secs(2);
/// The maximum time for reading all keys or their usage, and for recording usage.
const LOAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum time for a change of the keys, which waits for other changes.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(15);
/// The additional time for each key that a change changes.
const CHANGE_TIME_PER_KEY: Duration = Duration::from_millis(20);
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

    fn prepare(&self) -> Result<(), KeyError> {
        let statements = self.statements;
        self.run(LOAD_TIMEOUT, |database| async move { prepare(&database, statements).await })
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
        row.and_then(parse_state).map_err(|error| self.parse_error(error))
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
            self.run(CHANGE_TIMEOUT, |database| async move { begin_change(&database, statements).await })?;
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
        let count = u32::try_from(changes.keys.len()).unwrap_or(u32::MAX);
        let limit = CHANGE_TIMEOUT.saturating_add(CHANGE_TIME_PER_KEY.saturating_mul(count));
        self.run(limit, |_| apply_changes(lease, statements, changes))
    }

    fn load_usages(&self) -> Result<Usages, KeyError> {
        let rows = self.query(LOAD_TIMEOUT, self.statements.usage)?;
        rows.iter().map(parse_usage).collect::<Result<_, _>>().map_err(|error| self.parse_error(error))
    }

    fn record_usages(&self, before: &Usages, now: &Usages) -> Result<bool, KeyError> {
        let added = added_usage(before, now);
        if !added.is_empty() {
            let statements = self.statements;
            self.run(LOAD_TIMEOUT, |database| async move { add_usage(&database, statements, added).await })?;
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

/// The SQLSTATEs of a missing table: that of PostgreSQL, and that of MySQL and MariaDB.
const MISSING_TABLE: [&str; 2] = ["42P01", "42S02"];
/// The SQLSTATEs of a statement that the database has undone, because it waited for another one that waited for it.
const DEADLOCK: [&str; 2] = ["40001", "40P01"];

const USAGES_PER_STATEMENT: usize = 500;
/// The number of attempts to add usage, which the database may refuse because another server adds some as well.
const USAGE_ATTEMPTS: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ParseError {
    State,
    Usage,
    Entry(usize),
}

struct LoadedKeys {
    pub keys: KeySet,
    pub state: KeyState,
    next_position: i64,
}

struct Changes {
    /// The statements, and their parameters.
    keys: Vec<(&'static str, Vec<String>)>,
    /// The fingerprint of the pepper; empty if it is not known.
    pepper: String,
    is_pepper_changed: bool,
}

/// Creates the tables if they cannot be read because they do not exist.
async fn prepare(database: &Database, statements: &'static Statements) -> Result<(), sqlx::Error> {
    match execute_repeatedly(database, statements.state, &[]).await {
        Ok(rows) if !rows.is_empty() => Ok(()),
        Err(error) if !has_code(&error, &MISSING_TABLE) => Err(error),
        _ => create_tables(database, statements.create).await,
    }
}

/// Begins a change of the keys: waits for other changes, and reads the newest keys.
async fn begin_change(
    database: &Database,
    statements: &'static Statements,
) -> Result<(Lease, Vec<TextRow>), sqlx::Error> {
    let mut lease = database.lease().await?;
    for sql in statements.begin {
        lease.run(sql).await?;
    }
    lease.text_rows(statements.lock, &[]).await?;
    let rows = lease.text_rows(statements.load, &[]).await?;
    Ok((lease, rows))
}

/// Stores the changes, and ends the transaction.
async fn apply_changes(mut lease: Lease, statements: &'static Statements, changes: Changes) -> Result<(), sqlx::Error> {
    if changes.keys.is_empty() && !changes.is_pepper_changed {
        return end_transaction(lease, "ROLLBACK").await;
    }
    for (sql, values) in &changes.keys {
        let values: Vec<_> = values.iter().map(String::as_str).collect();
        lease.text_rows(sql, &values).await?;
    }
    lease.text_rows(statements.clean_usage, &[]).await?;
    let change_id = format!("{:016x}", RandomState::new().build_hasher().finish());
    lease.text_rows(statements.finish, &[&change_id, &changes.pepper]).await?;
    end_transaction(lease, "COMMIT").await
}

async fn add_usage(
    database: &Database,
    statements: &'static Statements,
    added: Vec<AddedUsage>,
) -> Result<(), sqlx::Error> {
    for chunk in added.chunks(USAGES_PER_STATEMENT) {
        let sql = statements.add_usage_of(chunk.len());
        let values: Vec<&str> = chunk.iter().flatten().map(String::as_str).collect();
        let mut attempt = 1;
        while let Err(error) = execute(database, &sql, &values).await {
            if attempt == USAGE_ATTEMPTS || !has_code(&error, &DEADLOCK) {
                return Err(error);
            }
            attempt += 1;
        }
    }
    Ok(())
}

fn parse_state(row: &TextRow) -> Result<KeyState, ParseError> {
    let text = |index: usize| row.get(index).and_then(Option::as_deref).ok_or(ParseError::State);
    let millis: i64 = text(2)?.parse().map_err(|_| ParseError::State)?;
    let now = Timestamp::from_millisecond(millis).map_err(|_| ParseError::State)?;
    Ok(KeyState::new(KeyVersion::new(text(0)?), Some(now)))
}

impl LoadedKeys {
    fn parse(rows: &[TextRow]) -> Result<Self, ParseError> {
        let first = rows.first().ok_or(ParseError::State)?;
        let state = parse_state(first)?;
        let pepper = first.get(1).cloned().flatten();
        let text = |row: &'_ TextRow, index: usize| row.get(index).cloned().flatten();
        let mut keys = Vec::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            let Some(entry) = text(row, 3) else { continue };
            // The message of serde_json is not shown, because it may quote a part of the entry.
            keys.push(serde_json::from_str(&entry).map_err(|_| ParseError::Entry(index + 1))?);
        }
        let last = rows.last().and_then(|row| text(row, 4)).map_or(Ok(0), |position| position.parse::<i64>());
        let next_position = last.map_err(|_| ParseError::State)?.saturating_add(1);
        Ok(Self { keys: KeySet::new(pepper, keys), state, next_position })
    }

    fn changes(&self, changed: &KeySet, statements: &'static Statements) -> Result<Changes, serde_json::Error> {
        let json = |entry: &Entry| serde_json::to_string(entry);
        let mut before = HashMap::new();
        for entry in &self.keys.keys {
            before.insert(entry.id.as_str(), json(entry)?);
        }
        let mut position = self.next_position;
        let mut keys = Vec::new();
        for entry in &changed.keys {
            let (id, text) = (entry.id.clone(), json(entry)?);
            match before.remove(entry.id.as_str()) {
                Some(known) if known == text => {}
                Some(_) => keys.push((statements.update, vec![text, id])),
                None => {
                    keys.push((statements.insert, vec![id, position.to_string(), text]));
                    position = position.saturating_add(1);
                }
            }
        }
        keys.extend(before.into_keys().map(|id| (statements.delete, vec![id.to_owned()])));
        let is_pepper_changed = self.keys.pepper != changed.pepper;
        Ok(Changes { keys, pepper: changed.pepper.clone().unwrap_or_default(), is_pepper_changed })
    }
}

/// The parameters of the row with the usage of a key: its id, the time of the last use, the begin of the period of its
/// rate limit, and the number of requests to add.
type AddedUsage = [String; 4];

/// Returns the differences between two usages, in the order of the ids, so that servers lock rows in the same order.
fn added_usage(before: &Usages, now: &Usages) -> Vec<AddedUsage> {
    let changed = now.iter().filter(|(id, usage)| before.get(*id) != Some(usage));
    let rows = changed.map(|(id, usage)| {
        let (since, added) = usage.spent.map_or((0, 0), |UsedRequests { since, requests, .. }| {
            let known = before.get(id).and_then(|usage| usage.spent).filter(|spent| spent.since == since);
            (since.as_second(), i64::from(requests) - known.map_or(0, |spent| i64::from(spent.requests)))
        });
        let used = usage.used.map_or(0, Timestamp::as_second);
        [id.to_string(), used.to_string(), since.to_string(), added.to_string()]
    });
    rows.collect()
}

fn parse_usage(row: &TextRow) -> Result<(Box<str>, Usage), ParseError> {
    let text = |index: usize| row.get(index).and_then(Option::as_deref).ok_or(ParseError::Usage);
    let number = |index: usize| text(index)?.parse::<i64>().map_err(|_| ParseError::Usage);
    let time = |seconds: i64| Timestamp::from_second(seconds).map_err(|_| ParseError::Usage);
    let used = Some(number(1)?).filter(|used| *used > 0).map(time).transpose()?;
    let requests = u32::try_from(number(3)?.max(0)).unwrap_or(u32::MAX);
    let spent = (requests > 0).then(|| Ok(UsedRequests::new(time(number(2)?)?, requests))).transpose()?;
    Ok((text(0)?.into(), Usage::new(used, spent)))
}

struct Statements {
    /// Create the tables, unless they exist.
    pub create: &'static [&'static str],
    /// The version, the fingerprint of the pepper, and the time of the database in milliseconds since 1970.
    pub state: &'static str,
    /// The same with each entry and its position, in the order of the positions. Without keys, both are null. A single
    /// statement reads one state of the database.
    pub load: &'static str,
    /// Begins a transaction that reads what other transactions have committed before each statement.
    pub begin: &'static [&'static str],
    /// Waits for other changes of the keys, and locks the keys until the end of the transaction. `load` follows,
    /// because only a later statement sees what the other changes have committed.
    pub lock: &'static str,
    /// Parameters: id, position, entry.
    pub insert: &'static str,
    /// Parameters: entry, id.
    pub update: &'static str,
    /// Parameter: id.
    pub delete: &'static str,
    /// Parameters: a random text, the fingerprint of the pepper. Without the random text, two states could have the
    /// same version after a backup was restored.
    pub finish: &'static str,
    /// Removes the usage of keys that do not exist any more.
    pub clean_usage: &'static str,
    /// The id, time of last use, begin of the period and number of requests of each key.
    pub usage: &'static str,
    /// The beginning of the statement that adds usage. The `usage_row` of each key and `add_usage_end` follow.
    pub add_usage: &'static str,
    /// Parameters: id, time of last use, begin of the period, requests to add.
    pub usage_row: &'static str,
    pub add_usage_end: &'static str,
}

static POSTGRES: Statements = Statements {
    create: &[
        // Without the lock, two servers that create the tables at the same time could fail.
        "SELECT pg_advisory_xact_lock(7821064329)",
        "CREATE TABLE IF NOT EXISTS rulebook_key_state (id SMALLINT PRIMARY KEY, version BIGINT NOT NULL, \
         change_id VARCHAR(32) NOT NULL, pepper VARCHAR(16))",
        "CREATE TABLE IF NOT EXISTS rulebook_keys (id VARCHAR(8) PRIMARY KEY, position BIGINT NOT NULL, \
         entry TEXT NOT NULL)",
        "CREATE TABLE IF NOT EXISTS rulebook_key_usage (id VARCHAR(8) PRIMARY KEY, used BIGINT NOT NULL, \
         since BIGINT NOT NULL, requests BIGINT NOT NULL)",
        "INSERT INTO rulebook_key_state (id, version, change_id) VALUES (1, 0, '') ON CONFLICT DO NOTHING",
    ],
    state: "SELECT version::text || '-' || change_id, pepper, \
            (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint::text FROM rulebook_key_state WHERE id = 1",
    load: "SELECT version::text || '-' || change_id, pepper, \
           (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint::text, k.entry, k.position::text \
           FROM rulebook_key_state s LEFT JOIN rulebook_keys k ON true WHERE s.id = 1 ORDER BY k.position, k.id",
    begin: &["BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"],
    lock: "SELECT change_id FROM rulebook_key_state WHERE id = 1 FOR UPDATE",
    insert: "INSERT INTO rulebook_keys (id, position, entry) VALUES (?, ?::text::bigint, ?)",
    update: "UPDATE rulebook_keys SET entry = ? WHERE id = ?",
    delete: "DELETE FROM rulebook_keys WHERE id = ?",
    finish: "UPDATE rulebook_key_state SET version = version + 1, change_id = ?, pepper = NULLIF(?, '') WHERE id = 1",
    clean_usage: "DELETE FROM rulebook_key_usage WHERE id NOT IN (SELECT id FROM rulebook_keys)",
    usage: "SELECT id, used::text, since::text, requests::text FROM rulebook_key_usage",
    add_usage: "INSERT INTO rulebook_key_usage AS u (id, used, since, requests) VALUES ",
    usage_row: "(?, ?::text::bigint, ?::text::bigint, ?::text::bigint)",
    add_usage_end: " ON CONFLICT (id) DO UPDATE SET used = GREATEST(u.used, excluded.used), requests = CASE \
                    WHEN u.since = excluded.since THEN GREATEST(u.requests + excluded.requests, 0) \
                    WHEN u.since < excluded.since THEN excluded.requests ELSE u.requests END, \
                    since = GREATEST(u.since, excluded.since)",
};

static MYSQL: Statements = Statements {
    create: &[
        "CREATE TABLE IF NOT EXISTS rulebook_key_state (id SMALLINT PRIMARY KEY, version BIGINT NOT NULL, \
         change_id VARCHAR(32) NOT NULL, pepper VARCHAR(16)) ENGINE = InnoDB",
        "CREATE TABLE IF NOT EXISTS rulebook_keys (id VARCHAR(8) PRIMARY KEY, position BIGINT NOT NULL, \
         entry MEDIUMTEXT CHARACTER SET utf8mb4 NOT NULL) ENGINE = InnoDB",
        "CREATE TABLE IF NOT EXISTS rulebook_key_usage (id VARCHAR(8) PRIMARY KEY, used BIGINT NOT NULL, \
         since BIGINT NOT NULL, requests BIGINT NOT NULL) ENGINE = InnoDB",
        "INSERT IGNORE INTO rulebook_key_state (id, version, change_id) VALUES (1, 0, '')",
    ],
    state: "SELECT CONCAT(version, '-', change_id), pepper, \
            CAST(ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000) AS CHAR) FROM rulebook_key_state WHERE id = 1",
    load: "SELECT CONCAT(version, '-', change_id), pepper, \
           CAST(ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000) AS CHAR), k.entry, CAST(k.position AS CHAR) \
           FROM rulebook_key_state s LEFT JOIN rulebook_keys k ON true WHERE s.id = 1 ORDER BY k.position, k.id",
    begin: &["SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "BEGIN"],
    insert: "INSERT INTO rulebook_keys (id, position, entry) VALUES (?, CAST(? AS SIGNED), ?)",
    usage: "SELECT id, CAST(used AS CHAR), CAST(since AS CHAR), CAST(requests AS CHAR) FROM rulebook_key_usage",
    add_usage: "INSERT INTO rulebook_key_usage (id, used, since, requests) VALUES ",
    usage_row: "(?, CAST(? AS SIGNED), CAST(? AS SIGNED), CAST(? AS SIGNED))",
    // The assignments are made one after the other.
    add_usage_end: " ON DUPLICATE KEY UPDATE used = GREATEST(used, VALUES(used)), requests = CASE \
                    WHEN since = VALUES(since) THEN GREATEST(requests + VALUES(requests), 0) \
                    WHEN since < VALUES(since) THEN VALUES(requests) ELSE requests END, \
                    since = GREATEST(since, VALUES(since))",
    ..POSTGRES
};

impl Statements {
    /// Returns the statements of a dialect; `None` for SQLite, which several servers cannot share.
    fn of(dialect: Dialect) -> Option<&'static Self> {
        match dialect {
            Dialect::Sqlite => None,
            Dialect::Postgres => Some(&POSTGRES),
            Dialect::Mysql => Some(&MYSQL),
        }
    }

    fn add_usage_of(&self, keys: usize) -> String {
        format!("{}{}{}", self.add_usage, vec![self.usage_row; keys].join(", "), self.add_usage_end)
    }
}
