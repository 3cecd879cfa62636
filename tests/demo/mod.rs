//! Tests of the demo (the article site in `src`), with SQLite, PostgreSQL and MariaDB.
//!
//! The environment variables `TEST_POSTGRES` and `TEST_MARIADB` contain the URLs of databases on servers; the script
//! `tests/external/databases` sets them. Without the variables, only SQLite is tested.

mod ancestors;
mod articles;
#[cfg(unix)]
mod caches;
#[cfg(unix)]
mod copies;
mod database_errors;
mod failed_logins;
mod files;
mod random;
mod start;
mod users;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use rulebook_iapi::Database;
use serde_json::{Value, json};
use sqlx::{AnyConnection, Connection as _, Executor};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::client::{Connection, Request, Response};
use crate::server_process::{ServerProcess, copy_files, free_address, program};

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    Sqlite,
    Postgres,
    Mariadb,
}

/// A database server for tests.
pub struct DatabaseServer {
    kind: DatabaseKind,
    /// The environment variable with the URL of a database on the server.
    url_variable: &'static str,
    /// The environment variable with the program that stops and starts the server.
    control_variable: &'static str,
    /// The test that stops the server holds the write lock, tests that need a running server hold the read lock.
    lock: RwLock<()>,
}

pub static POSTGRES: DatabaseServer = DatabaseServer {
    kind: DatabaseKind::Postgres,
    url_variable: "TEST_POSTGRES",
    control_variable: "TEST_POSTGRES_CTL",
    lock: RwLock::new(()),
};

pub static MARIADB: DatabaseServer = DatabaseServer {
    kind: DatabaseKind::Mariadb,
    url_variable: "TEST_MARIADB",
    control_variable: "TEST_MARIADB_CTL",
    lock: RwLock::new(()),
};

impl DatabaseServer {
    /// Creates a folder and a database on the server; `None` if there is no server. No other test stops the server
    /// while the folder exists.
    pub fn new_folder(&'static self) -> Option<DemoFolder> {
        let guard = self.lock.read().unwrap_or_else(PoisonError::into_inner);
        let mut place = self.create_database()?;
        place.guard = Some(guard);
        Some(place)
    }

    /// Runs a test that stops and starts the server, with a new database and a function that runs a command of the
    /// server (`stop` or `start`). No other test uses the server meanwhile. The test does not run if there is no
    /// server.
    pub fn with_control(&'static self, test: impl FnOnce(&DemoFolder, &dyn Fn(&str))) {
        let _nobody_else = self.lock.write().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = self.create_database() else { return };
        let control = std::env::var(self.control_variable).unwrap();
        test(&place, &|what| {
            assert!(Command::new(&control).arg(what).output().unwrap().status.success(), "{what}");
        });
    }

    fn create_database(&self) -> Option<DemoFolder> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var(self.url_variable).ok()?;
        let name = format!("demo_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        DatabaseConnection::connect(&server).execute(&format!("CREATE DATABASE {name}"));
        let (before, parameters) = server.split_once('?').unwrap();
        let (address, _) = before.rsplit_once('/').unwrap();
        let database = Some((self.kind, format!("{address}/{name}?{parameters}")));
        Some(DemoFolder { database, ..DemoFolder::with_sqlite() })
    }
}

/// A folder with the definition of the demo, and a new database.
pub struct DemoFolder {
    pub folder: TempDir,
    /// The kind and the URL of a database on a server; `None` for SQLite.
    database: Option<(DatabaseKind, String)>,
    guard: Option<RwLockReadGuard<'static, ()>>,
}

impl DemoFolder {
    pub fn with_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("api"), &folder.path().join("api"));
        Self { folder, database: None, guard: None }
    }

    /// Runs a test with SQLite and with each database server that exists.
    pub fn for_each_database(test: impl Fn(&Self)) {
        test(&Self::with_sqlite());
        for server in [&POSTGRES, &MARIADB] {
            if let Some(place) = server.new_folder() {
                test(&place);
            }
        }
    }

    pub fn kind(&self) -> DatabaseKind {
        self.database.as_ref().map_or(DatabaseKind::Sqlite, |(kind, _)| *kind)
    }

    pub fn database_file(&self) -> PathBuf {
        self.folder.path().join("data/demo.db")
    }

    /// Returns the location of the database for the handler `rulebook_iapi::cache`.
    pub fn database(&self) -> Database {
        match &self.database {
            Some((DatabaseKind::Mariadb, url)) => Database::Mysql(url.clone()),
            Some((_, url)) => Database::Postgres(url.clone()),
            None => Database::Sqlite(self.database_file()),
        }
    }

    /// Opens a connection to the database that is independent of the server.
    pub fn connect_to_database(&self) -> DatabaseConnection {
        match &self.database {
            Some((_, url)) => DatabaseConnection::connect(url),
            None => DatabaseConnection::connect(&format!("sqlite:{}", self.database_file().display())),
        }
    }

    /// Returns a command that runs the program of the demo with this folder as its working directory.
    pub fn command(&self) -> Command {
        let mut command = program(self.folder.path());
        if let Some((_, url)) = &self.database {
            command.env("DATABASE_URL", url);
        }
        command
    }

    pub fn serve(&self) -> Server {
        self.serve_with_command(self.command())
    }

    /// Starts a server that shares its data folder with other servers.
    pub fn serve_beside_others(&self) -> Server {
        let mut command = self.command();
        command.arg("--share-data");
        self.serve_with_command(command)
    }

    /// Starts a server with a command. The address of the server is added to the arguments of the command.
    pub fn serve_with_command(&self, mut command: Command) -> Server {
        let address = free_address();
        let process = ServerProcess::run(&mut command, self.folder.path(), &address);
        Server { process, address: address.parse().unwrap() }
    }
}

/// A running server process of the demo.
pub struct Server {
    pub process: ServerProcess,
    pub address: SocketAddr,
}

impl Server {
    pub fn send(&self, request: &Request) -> Response {
        Connection::open(self.address).send(request)
    }

    pub fn get(&self, target: &str) -> Response {
        self.send(&Request::new("GET", target))
    }

    /// Sends a request with a JSON body. If `token` is given, the request has this bearer token.
    pub fn send_json(&self, method: &str, target: &str, token: Option<&str>, body: &Value) -> Response {
        let mut request = Request::new(method, target);
        if let Some(token) = token {
            request = request.field("authorization", format_args!("Bearer {token}"));
        }
        self.send(&request.body("application/json", body.to_string()))
    }

    /// Logs in as a user, and returns the token of the login.
    #[track_caller]
    pub fn log_in(&self, login: &str, password: &str) -> String {
        let response = self.send_json("POST", "/user/login", None, &json!({ "login": login, "password": password }));
        assert_eq!(response.status, 200, "{response:?}");
        response.json()["token"].as_str().unwrap().to_owned()
    }

    /// Logs in as the editor whom every new database contains, and returns the token of the login.
    #[track_caller]
    pub fn log_in_as_editor(&self) -> String {
        self.log_in("ada", "analytical engine")
    }

    /// Creates an article with this title, and returns its id.
    #[track_caller]
    pub fn create_article(&self, token: &str, title: &str) -> u64 {
        let response = self.send_json("POST", "/article", Some(token), &json!({ "title": title, "text": "One\nTwo" }));
        assert_eq!(response.status, 201, "{response:?}");
        response.json()["article_id"].as_u64().unwrap()
    }

    /// Returns the number of all articles.
    #[track_caller]
    pub fn article_count(&self) -> u64 {
        let response = self.get("/article");
        assert_eq!(response.status, 200, "{response:?}");
        response.json()["total"].as_u64().unwrap()
    }
}

/// A connection to a database.
pub struct DatabaseConnection {
    runtime: Runtime,
    connection: AnyConnection,
}

impl DatabaseConnection {
    pub fn connect(url: &str) -> Self {
        sqlx::any::install_default_drivers();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connection = runtime.block_on(AnyConnection::connect(url)).unwrap();
        Self { runtime, connection }
    }

    pub fn execute(&mut self, sql: &str) {
        self.runtime.block_on(self.connection.execute(sql)).unwrap();
    }
}
