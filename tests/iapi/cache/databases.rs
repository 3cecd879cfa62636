//! New databases on SQLite, PostgreSQL and MariaDB.
//!
//! The environment variables `TEST_POSTGRES` and `TEST_MARIADB` contain the URLs of databases on servers; the script
//! `tests/external/databases` sets them. Without the variables, only SQLite is tested.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use rulebook_iapi::Database;
use sqlx::{AnyConnection, Connection as _, Executor};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    Sqlite,
    Postgres,
    Mariadb,
}

/// The test that stops a server holds the write lock, databases on a server hold the read lock.
static LOCK: RwLock<()> = RwLock::new(());

/// A new database for a test.
pub struct TestDatabase {
    pub kind: DatabaseKind,
    pub location: Database,
    /// The folder of the file of SQLite; `None` for a database on a server.
    _folder: Option<TempDir>,
    _guard: Option<RwLockReadGuard<'static, ()>>,
}

impl TestDatabase {
    /// Creates an empty database. SQLite is always available, the others only if there is a server. No other test stops
    /// the server while the database exists.
    pub fn new(kind: DatabaseKind) -> Option<Self> {
        let variable = match kind {
            DatabaseKind::Sqlite => return Some(Self::sqlite()),
            DatabaseKind::Postgres => "TEST_POSTGRES",
            DatabaseKind::Mariadb => "TEST_MARIADB",
        };
        let guard = LOCK.read().unwrap_or_else(PoisonError::into_inner);
        Some(Self { _guard: Some(guard), ..Self::on_server(kind, variable)? })
    }

    /// Runs a test that stops and starts MariaDB, with a new database and a function that runs a command of the server
    /// (`stop` or `start`). No other test uses a server meanwhile. The test does not run if there is no MariaDB.
    pub fn with_mariadb_control(test: impl FnOnce(&Self, &dyn Fn(&str))) {
        let _nobody_else = LOCK.write().unwrap_or_else(PoisonError::into_inner);
        let Some(database) = Self::on_server(DatabaseKind::Mariadb, "TEST_MARIADB") else { return };
        let control = std::env::var("TEST_MARIADB_CTL").unwrap();
        test(&database, &|what| {
            assert!(Command::new(&control).arg(what).output().unwrap().status.success(), "{what}");
        });
    }

    /// Creates a database on the server to whose URL this environment variable is set.
    fn on_server(kind: DatabaseKind, variable: &str) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = support::test_server(variable)?;
        let name = format!("cache_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        DatabaseConnection::connect(&server).execute(&format!("CREATE DATABASE {name}"));
        let (before, parameters) = server.split_once('?').unwrap();
        let (address, _) = before.rsplit_once('/').unwrap();
        let url = format!("{address}/{name}?{parameters}");
        let location = if kind == DatabaseKind::Mariadb { Database::Mysql(url) } else { Database::Postgres(url) };
        Some(Self { kind, location, _folder: None, _guard: None })
    }

    /// Creates an empty SQLite database.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("test.db");
        fs::write(&file, "").unwrap();
        Self { kind: DatabaseKind::Sqlite, location: Database::Sqlite(file), _folder: Some(folder), _guard: None }
    }

    /// Runs a test with SQLite and with each database server that exists.
    pub fn for_each(test: impl Fn(&Self)) {
        let kinds = [DatabaseKind::Sqlite, DatabaseKind::Postgres, DatabaseKind::Mariadb];
        kinds.into_iter().filter_map(Self::new).for_each(|database| test(&database));
    }

    /// Returns the file of an SQLite database.
    pub fn file(&self) -> &Path {
        let Database::Sqlite(file) = &self.location else { panic!("{:?} is not SQLite", self.kind) };
        file
    }

    pub fn connect(&self) -> DatabaseConnection {
        match &self.location {
            Database::Sqlite(file) => DatabaseConnection::connect(&format!("sqlite:{}", file.display())),
            Database::Postgres(url) | Database::Mysql(url) => DatabaseConnection::connect(url),
            other => panic!("{other:?} is not tested"),
        }
    }
}

/// A connection to a database.
pub struct DatabaseConnection {
    runtime: Runtime,
    connection: AnyConnection,
}

impl DatabaseConnection {
    fn connect(url: &str) -> Self {
        sqlx::any::install_default_drivers();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connection = runtime.block_on(AnyConnection::connect(url)).unwrap();
        Self { runtime, connection }
    }

    pub fn execute(&mut self, sql: &str) {
        self.runtime.block_on(self.connection.execute(sql)).unwrap();
    }
}
